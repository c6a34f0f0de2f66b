// A broker under random clients, logins, rules and reloads, against a plain reading of the rules:
// no message ever comes to a client that may not receive it at that moment, and nothing comes from
// one that was not allowed to publish it at any moment since.
//
//   shard_tests --gtest_filter='*AccessSoak*' --gtest_random_seed=7    other seeds
#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <sstream>

#include "support/access_fixture.hpp"

namespace linnet::test {

namespace {

constexpr unsigned kTopics = 4;
const std::vector<std::string> kUsers = {"", "anna", "berta", "carl"};

std::string topic_name(std::uint64_t at) {
  return "t" + std::to_string(at);
}

/// One rule: about one topic, or all; for one user, or everybody.
struct PlainRule {
  bool allows = false;
  std::size_t user = 0;  // in kUsers; kUsers.size(): everybody
  unsigned topic = 0;    // kTopics: all
  bool publish = false;
  bool subscribe = false;

  [[nodiscard]] bool is_about(std::size_t who, unsigned what) const {
    return (user == kUsers.size() || user == who) && (topic == kTopics || topic == what);
  }
};

struct PlainPolicy {
  std::vector<PlainRule> rules;
  bool has_carl = true;

  [[nodiscard]] bool may(std::size_t user, bool publish, unsigned topic) const {
    for (const PlainRule& rule : rules) {
      if (!(publish ? rule.publish : rule.subscribe) || !rule.is_about(user, topic)) continue;
      return rule.allows;
    }
    return rules.empty();
  }
  [[nodiscard]] Config config() const {
    static const std::string all =
        access_files().users({{"anna", "a"}, {"berta", "b"}, {"carl", "c"}});
    static const std::string fewer = access_files().users({{"anna", "a"}, {"berta", "b"}});
    Config config;
    config.auth.password_file = has_carl ? all : fewer;
    config.auth.ban.after = 0;
    config.limits.connections_per_user_max = 3;
    config.limits.outbox_bytes_max = 400;
    config.limits.transient_backlog_messages_max = 100'000;
    for (const PlainRule& rule : rules) {
      RuleMaker made = rule.allows ? allow() : deny();
      if (rule.user < kUsers.size()) {
        made.users({kUsers[rule.user].empty() ? "$anonymous" : kUsers[rule.user]});
      }
      const std::string filter = rule.topic == kTopics ? "#" : topic_name(rule.topic);
      if (rule.publish) made.publish({filter});
      if (rule.subscribe) made.subscribe({filter});
      config.auth.rules.push_back(made);
    }
    return config;
  }
};

/// One client of one user. Its messages say who has sent them, and when.
struct Actor {
  Client* client = nullptr;
  std::size_t user = 0;
  bool kept = false;
};

class AccessSoak {
 public:
  AccessSoak(std::uint32_t shards, std::uint64_t seed)
      : random_(seed),
        policies_{PlainPolicy{}},
        cluster_({.shards = shards, .config = policies_[0].config(), .seed = seed}) {
    cluster_.store().reorder(seed);
    cluster_.logins().reorder(seed);
    for (std::size_t at = 0; at < 10; ++at) {
      Actor actor{&cluster_.client("c" + std::to_string(at)), at % kUsers.size(), at % 3 != 0};
      const std::string& user = kUsers[actor.user];
      if (!user.empty()) actor.client->logs_in_as(user, user.substr(0, 1));
      actors_.push_back(actor);
    }
  }

  void run(int rounds) {
    for (int round = 0; round < rounds && !::testing::Test::HasFailure(); ++round) {
      act();
      for (std::uint64_t turns = draw(6); turns > 0; --turns)
        turn();
      check_all();
    }
  }

  /// All may do everything again, and all that was in the way goes on.
  void finish() {
    cluster_.store().release_all();
    cluster_.logins().release();
    for (auto& other : others_)
      other.first->cuts();
    rest();
    reload({});
    rest();
    for (std::size_t at = 0; at < actors_.size(); ++at) {
      Actor& actor = actors_[at];
      for (Actor& other : actors_)
        if (&other != &actor) other.client->drops();
      actor.client->connects({.clean_start = !actor.kept, .expiry_s = actor.kept ? 2000U : 0U});
      actor.client->inbox().clear();
      actor.client->subscribes("t0", qos1).publishes("t0", note(actor, 0), {.qos = 1});
      cluster_.settle();
      EXPECT_FALSE(actor.client->takes_messages().empty());
    }
    for (Actor& actor : actors_)
      actor.client->drops();
    EXPECT_EQ(cluster_.counters().clients_connected, 0U);
    for (const std::string& user : kUsers) {
      if (user.empty()) continue;
      EXPECT_EQ(cluster_.accounts().of_user(user)->connections, 0U) << user;
    }
    cluster_.after(3000s);
    EXPECT_EQ(cluster_.counters().sessions, 0U);
    EXPECT_EQ(cluster_.counters().subscriptions, 0U);
    EXPECT_EQ(cluster_.counters().shared_subscriptions, 0U);
    EXPECT_EQ(cluster_.counters().backlog_messages, 0U);
    for (const std::string& user : kUsers) {
      if (user.empty()) continue;
      EXPECT_EQ(cluster_.accounts().of_user(user)->sessions, 0U) << user;
    }
    cluster_.stop();
    EXPECT_TRUE(cluster_.stopped());
    EXPECT_GT(delivered_, 200U) << "the broker has stood still";
  }

 private:
  [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  static bool is_gone(Client& client) { return client.closed() || client.cable()->client_gone; }
  [[nodiscard]] const PlainPolicy& now() const { return policies_.back(); }

  /// "user policy topic number"
  std::string note(const Actor& actor, std::uint64_t topic) {
    return std::to_string(actor.user) + " " + std::to_string(policies_.size() - 1) + " " +
           std::to_string(topic) + " " + std::to_string(++last_number_);
  }

  ConnectOptions options_of(const Actor& actor) {
    ConnectOptions options{.clean_start = !actor.kept, .expiry_s = actor.kept ? 2000U : 0U};
    options.receive_maximum = static_cast<std::uint16_t>(1 + draw(6));
    if (draw(3) == 0) {
      const std::uint64_t topic = draw(kTopics);
      options.will = WillOptions{.topic = topic_name(topic),
                                 .payload = note(actor, topic),
                                 .qos = 1,
                                 .delay_s = static_cast<std::uint32_t>(draw(2))};
    }
    if (draw(12) == 0) options.password = "wrong";
    return options;
  }

  void act() {
    Actor& actor = actors_[draw(actors_.size())];
    switch (draw(30)) {
      case 0: return act_reload();
      case 1:
        if (draw(2) == 0) return cluster_.logins().hold();
        return cluster_.logins().release();
      case 2:
        if (draw(2) == 0) return cluster_.store().hold();
        return cluster_.store().release_all();
      case 3:
        if (draw(4) == 0) cluster_.after(std::chrono::milliseconds(draw(1500)));
        return;
      case 4: return actor.client->cuts();
      case 5: return rest();
      case 6:
        if (draw(8) == 0) act_restart();
        return;
      case 7: return take_over(actor);
      default: break;
    }
    if (is_gone(*actor.client)) {
      actor.client->dials(options_of(actor));
    } else if (draw(3) == 0) {
      act_subscription(actor);
    } else {
      act_publish(actor);
    }
  }

  void act_subscription(Actor& actor) {
    static const std::vector<std::string> filters = {
        "#", "+", "t0", "t1", "t2", "t3", "$share/g/t0", "$share/g/t1", "$share/h/#"};
    const std::string& filter = filters[draw(filters.size())];
    SubscribeOptions options;
    options.qos = static_cast<unsigned>(draw(3));
    const auto id = static_cast<unsigned>(1 + draw(60'000));
    if (draw(4) == 0) {
      actor.client->writes(unsubscribe_packet(Version::v5, id, {filter}));
    } else {
      actor.client->writes(subscribe_packet(Version::v5, id, {filter}, options));
    }
  }

  void act_publish(Actor& actor) {
    const std::uint64_t topic = draw(kTopics);
    PublishOptions options;
    options.qos = static_cast<unsigned>(draw(3));
    options.retain = draw(6) == 0;
    if (options.qos > 0) options.packet_id = static_cast<std::uint16_t>(1 + draw(60'000));
    actor.client->writes(
        publish_packet(Version::v5, topic_name(topic), note(actor, topic), options));
  }

  /// The same identifier, and the same user or another one.
  void take_over(Actor& actor) {
    auto& other = cluster_.another(actor.client->id());
    const std::string& user = kUsers[draw(kUsers.size())];
    if (!user.empty()) other.logs_in_as(user, draw(3) == 0 ? "wrong" : user.substr(0, 1));
    others_.push_back({&other, user});
    other.dials({.clean_start = draw(4) == 0, .expiry_s = 0});
  }

  PlainPolicy draw_policy() {
    PlainPolicy policy;
    policy.has_carl = draw(3) != 0;
    for (std::uint64_t left = draw(6); left > 0; --left) {
      PlainRule rule;
      rule.allows = draw(2) == 0;
      rule.user = draw(kUsers.size() + 1);
      rule.topic = static_cast<unsigned>(draw(kTopics + 1));
      const std::uint64_t kind = draw(3);
      rule.publish = kind != 0;
      rule.subscribe = kind != 1;
      policy.rules.push_back(rule);
    }
    // Mostly what no rule names is allowed.
    if (draw(4) != 0) policy.rules.push_back({true, kUsers.size(), kTopics, true, true});
    return policy;
  }

  void act_reload() {
    reload(draw_policy());
    for (std::uint64_t turns = draw(20); turns > 0; --turns)
      turn();
    check_all();
    rest();
  }

  void reload(PlainPolicy policy) {
    read_all();
    check_all();  // what came before came under the old one
    policies_.push_back(std::move(policy));
    cluster_.reload_quietly(now().config());
    changing_ = true;
  }

  /// All shards have the new rules, and all that was sent before has been read.
  void rest() {
    cluster_.settle();
    check_all();
    changing_ = false;
    for (Actor& actor : actors_) {
      if (kUsers[actor.user] == "carl" && !now().has_carl && !is_gone(*actor.client)) {
        EXPECT_FALSE(online_.contains(actor.client)) << "carl is still connected";
      }
    }
  }

  void act_restart() {
    rest();
    cluster_.restart();
    online_.clear();
  }

  void turn() {
    cluster_.step(static_cast<std::uint32_t>(draw(cluster_.shards())));
    cluster_.store().step();
    if (draw(2) == 0) cluster_.logins().step();
    actors_[draw(actors_.size())].client->read();
  }

  void read_all() {
    for (Actor& actor : actors_)
      actor.client->read();
    for (auto& other : others_)
      other.first->read();
  }

  void check_all() {
    for (Actor& actor : actors_)
      check(*actor.client, actor.user);
    for (auto& [client, user] : others_) {
      const auto at = std::find(kUsers.begin(), kUsers.end(), user);
      check(*client, static_cast<std::size_t>(at - kUsers.begin()));
      if (draw(10) == 0) client->cuts();
    }
    std::erase_if(others_, [](const auto& other) { return is_gone(*other.first); });
  }

  void check(Client& client, std::size_t user) {
    while (!client.inbox().empty()) {
      const Packet packet = std::move(client.inbox().front());
      client.inbox().pop_front();
      if (packet.type == PacketType::connack && !failed(packet.reason)) online_.insert(&client);
      if (packet.type == PacketType::disconnect) online_.erase(&client);
      if (packet.type == PacketType::publish) check_message(client, user, packet);
    }
    if (is_gone(client)) online_.erase(&client);
  }

  void check_message(Client& client, std::size_t user, const Packet& packet) {
    ++delivered_;
    std::istringstream fields(packet.payload);
    std::size_t sender = 0;
    std::size_t since = 0;
    unsigned topic = 0;
    fields >> sender >> since >> topic;
    ASSERT_EQ(packet.topic, topic_name(topic));
    const bool before = changing_ && policies_[policies_.size() - 2].may(user, false, topic);
    EXPECT_TRUE(before || now().may(user, false, topic))
        << client.id() << " of user \"" << kUsers[user] << "\" must not receive " << packet.dump()
        << "\nunder policy " << policies_.size() - 1;
    bool allowed = false;
    for (std::size_t at = since; at < policies_.size() && !allowed; ++at)
      allowed = policies_[at].may(sender, true, topic);
    EXPECT_TRUE(allowed) << "user \"" << kUsers[sender] << "\" must not publish " << packet.dump();
  }

  std::mt19937_64 random_;
  std::vector<PlainPolicy> policies_;  // the last one is that of now
  Cluster cluster_;
  std::vector<Actor> actors_;
  std::vector<std::pair<Client*, std::string>> others_;
  std::set<const Client*> online_;
  bool changing_ = false;  // some shard may still have the policy before
  std::uint64_t last_number_ = 0;
  std::uint64_t delivered_ = 0;
};

}  // namespace

class AccessSoakTest : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Shards, AccessSoakTest, ::testing::Values(1, 2, 4));

TEST_P(AccessSoakTest, NobodyGetsWhatTheyMayNot) {
  const auto base = static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed)) * 1000;
  for (std::uint64_t seed = base + 1; seed <= base + 6; ++seed) {
    SCOPED_TRACE(seed);
    AccessSoak soak(GetParam(), seed);
    soak.run(1500);
    if (HasFailure()) return;
    soak.finish();
    if (HasFailure()) return;
  }
}

}  // namespace linnet::test

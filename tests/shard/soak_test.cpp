// A broker under random clients, turns, bytes and store, against a model of what must arrive:
// every acknowledged QoS 1 message at least once, QoS 2 exactly once, each publisher's messages on
// one topic in order; and at the end nothing that is still waited for.
#include <gtest/gtest.h>
#include <set>

#include "support/cluster.hpp"

namespace linnet::test {

namespace {

constexpr unsigned kTopics = 3;

struct Sent {
  std::string payload;
  std::string topic;
  unsigned qos = 0;
  std::uint16_t id = 0;
  bool released = false;  // PUBREC has come
};

/// What the model knows of one message.
struct Fate {
  unsigned qos = 0;
  bool acknowledged = false;
};
using Fates = std::map<std::string, Fate>;

/// Publishes, and sends again on a new connection what was not acknowledged.
class Publisher {
 public:
  Publisher(Client& client, Fates& fates) : client_(client), fates_(fates) { client.manual(); }

  [[nodiscard]] Client& client() noexcept { return client_; }
  [[nodiscard]] bool finished() const noexcept { return window_.empty(); }
  void dial() {
    online_ = false;
    client_.dials(options_);
  }
  void publish(unsigned topic, unsigned qos) {
    if (!online_ || client_.closed() || window_.size() >= 10) return;
    Sent sent{client_.id() + ":" + std::to_string(next_++), "t" + std::to_string(topic), qos};
    if (qos > 0) {
      sent.id = static_cast<std::uint16_t>(1 + next_ % 60'000);
      fates_[sent.payload].qos = qos;
      window_.push_back(sent);
    }
    send(sent, false);
  }
  /// True if there was something to do.
  bool work() {
    const bool any = !client_.inbox().empty();
    while (!client_.inbox().empty()) {
      const Packet packet = std::move(client_.inbox().front());
      client_.inbox().pop_front();
      on(packet);
    }
    return any;
  }

 private:
  void send(const Sent& sent, bool dup) {
    client_.writes(publish_packet(version(), sent.topic, sent.payload,
                                  {.qos = sent.qos, .dup = dup, .packet_id = sent.id}));
  }
  [[nodiscard]] Version version() const noexcept { return client_.level(); }
  void on(const Packet& packet) {
    if (packet.type == PacketType::connack) return resume(packet);
    const auto at = std::find_if(window_.begin(), window_.end(),
                                 [&](const Sent& sent) { return sent.id == packet.packet_id; });
    if (at == window_.end()) return;
    if (packet.type == PacketType::pubcomp) {
      window_.erase(at);
      return;
    }
    if (failed(packet.reason)) {
      window_.erase(at);
      return;
    }
    EXPECT_NE(packet.reason, ReasonCode::no_matching_subscribers);
    fates_[at->payload].acknowledged = true;
    if (packet.type == PacketType::puback) {
      window_.erase(at);
    } else if (packet.type == PacketType::pubrec) {
      at->released = true;
      client_.writes_ack(PacketType::pubrel, at->id);
    }
  }
  void resume(const Packet& connack) {
    EXPECT_EQ(connack.reason, ReasonCode::success);
    EXPECT_TRUE(connack.session_present || !known_);
    online_ = true;
    known_ = true;
    for (const Sent& sent : window_) {
      if (sent.released) {
        client_.writes_ack(PacketType::pubrel, sent.id);
      } else {
        send(sent, true);
      }
    }
  }

  const ConnectOptions options_{.clean_start = false, .expiry_s = 100'000};
  Client& client_;
  Fates& fates_;
  std::deque<Sent> window_;
  unsigned next_ = 0;
  bool online_ = false;
  bool known_ = false;
};

/// Receives all topics at QoS 2, and remembers what it has.
class Receiver {
 public:
  Receiver(Client& client, bool kept) : client_(client) {
    client.manual();
    options_.clean_start = !kept;
    options_.expiry_s = kept ? 100'000 : 0;
    options_.receive_maximum = 5;
  }

  [[nodiscard]] Client& client() noexcept { return client_; }
  [[nodiscard]] bool kept() const noexcept { return options_.expiry_s != 0; }
  void begin() { client_.connects(options_).subscribes("#", qos2); }
  void dial() { client_.dials(options_); }
  bool work() {
    const bool any = !client_.inbox().empty();
    while (!client_.inbox().empty()) {
      const Packet packet = std::move(client_.inbox().front());
      client_.inbox().pop_front();
      if (packet.type == PacketType::publish) on_message(packet);
      EXPECT_TRUE(packet.session_present || packet.type != PacketType::connack);
      if (packet.type != PacketType::pubrel) continue;
      held_.erase(packet.packet_id);
      client_.writes_ack(PacketType::pubcomp, packet.packet_id);
    }
    return any;
  }
  void check(const Fates& fates) const {
    for (const auto& [payload, fate] : fates) {
      const auto found = got_.find(payload);
      const unsigned times = found == got_.end() ? 0 : found->second;
      EXPECT_TRUE(times >= 1 || !fate.acknowledged) << client_.id() << " misses " << payload;
      EXPECT_TRUE(times <= 1 || fate.qos == 1) << client_.id() << " has twice: " << payload;
    }
  }

 private:
  void on_message(const Packet& packet) {
    if (packet.qos == 1) client_.writes_ack(PacketType::puback, packet.packet_id);
    if (packet.qos == 2) {
      client_.writes_ack(PacketType::pubrec, packet.packet_id);
      if (!held_.insert(packet.packet_id).second) {
        EXPECT_TRUE(packet.dup) << packet.dump();
        return;
      }
    }
    const auto colon = packet.payload.find(':');
    if (packet.qos == 0 || colon == std::string::npos) return;
    if (got_[packet.payload]++ > 0) return;
    const int number = std::stoi(packet.payload.substr(colon + 1));
    const std::string source = packet.payload.substr(0, colon) + " " + packet.topic;
    const auto last = last_.find(source);
    if (last != last_.end()) {
      EXPECT_LT(last->second, number) << client_.id() << ": out of order, " << packet.dump();
    }
    last_[source] = number;
  }

  Client& client_;
  ConnectOptions options_;
  std::set<unsigned> held_;
  std::map<std::string, unsigned> got_;
  std::map<std::string, int> last_;  // the last number, by publisher and topic
};

Config soak_config() {
  Config config;
  config.limits.mailbox_messages_max = 4;
  config.limits.outbox_bytes_max = 600;
  config.limits.transient_backlog_messages_max = 100'000;
  config.limits.transient_backlog_bytes_max = 100 << 20;
  return config;
}

class Soak {
 public:
  Soak(std::uint32_t shards, std::uint64_t seed)
      : cluster_({.shards = shards, .config = soak_config(), .seed = seed}), random_(seed) {
    cluster_.store().reorder(seed);
    for (unsigned at = 0; at < 4; ++at) {
      auto& client = cluster_.client("r" + std::to_string(at));
      receivers_.push_back(std::make_unique<Receiver>(client, at > 0));
      receivers_.back()->begin();
    }
    for (unsigned at = 0; at < 4; ++at) {
      auto& client = cluster_.client("p" + std::to_string(at)).version(at % 2 == 0 ? 5 : 4);
      publishers_.push_back(std::make_unique<Publisher>(client, fates_));
      publishers_.back()->dial();
    }
    for (unsigned at = 0; at < 3; ++at) {
      noise_.push_back(&cluster_.client("n" + std::to_string(at)).dials(noise_options()));
    }
  }

  void run(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      act();
      for (std::uint64_t turns = draw(8); turns > 0; --turns)
        turn();
      work();
    }
  }

  void finish() {
    cluster_.store().set_full(false);
    cluster_.store().release_all();
    for (const auto& one : receivers_) {
      if (is_gone(one->client())) one->dial();
    }
    for (int round = 0; round < 1000; ++round) {
      for (const auto& one : publishers_) {
        if (is_gone(one->client())) one->dial();
      }
      cluster_.settle();
      if (!work()) break;
    }
    for (const auto& one : publishers_)
      EXPECT_TRUE(one->finished()) << one->client().dump();
    for (const auto& one : receivers_)
      one->check(fates_);
    for (Client* one : noise_)
      one->cuts();
    cluster_.after(2s);  // their sessions end
    EXPECT_EQ(cluster_.counters().sessions, receivers_.size() + publishers_.size());
    EXPECT_EQ(cluster_.counters().subscriptions, receivers_.size());
    EXPECT_EQ(cluster_.counters().shared_subscriptions, 0U);
    EXPECT_EQ(cluster_.counters().backlog_messages, 0U);
    EXPECT_EQ(cluster_.counters().backlog_bytes, 0U);
    cluster_.stop();
    EXPECT_TRUE(cluster_.stopped()) << "an operation is still open";
    EXPECT_GT(fates_.size(), 100U) << "the broker has stood still";
  }

 private:
  [[nodiscard]] std::uint64_t draw(std::uint64_t below) { return random_() % below; }
  static bool is_gone(Client& client) { return client.closed() || client.cable()->client_gone; }

  ConnectOptions noise_options() {
    ConnectOptions options{.clean_start = draw(2) == 0};
    options.expiry_s = draw(2) == 0 ? 1 : 0;
    if (draw(2) == 0) {
      options.will = WillOptions{.topic = "w", .payload = "w", .qos = 1, .retain = draw(2) == 0};
    }
    return options;
  }

  void act() {
    Publisher& publisher = *publishers_[draw(publishers_.size())];
    switch (draw(40)) {
      case 0:
        if (is_gone(publisher.client()) || draw(4) == 0) publisher.dial();
        break;
      case 1: publisher.client().cuts(); break;
      case 2: act_receiver(*receivers_[1 + draw(receivers_.size() - 1)]); break;
      case 3: act_store(); break;
      case 4: act_noise(*noise_[draw(noise_.size())]); break;
      case 5:
        if (draw(10) == 0) cluster_.after(std::chrono::milliseconds(draw(500)));
        break;
      default:
        publisher.publish(static_cast<unsigned>(draw(kTopics)), static_cast<unsigned>(draw(3)));
        break;
    }
  }

  void act_receiver(Receiver& receiver) {
    if (is_gone(receiver.client()) || draw(4) == 0) {
      receiver.dial();
    } else {
      receiver.client().cuts();
    }
  }

  void act_store() {
    switch (draw(4)) {
      case 0: cluster_.store().hold(); break;
      case 1: cluster_.store().set_full(true); break;
      default:
        cluster_.store().set_full(false);
        cluster_.store().release_all();
        break;
    }
  }

  void act_noise(Client& client) {
    if (is_gone(client)) {
      client.dials(noise_options());
      return;
    }
    const std::vector<std::string> filters = {"t0",          "t1",         "#", "+",
                                              "$share/g/t0", "$share/g/#", "w"};
    const std::string filter = filters[draw(filters.size())];
    SubscribeOptions options;
    options.qos = static_cast<unsigned>(draw(3));
    switch (draw(5)) {
      case 0: client.cuts(); break;
      case 1: client.writes(unsubscribe_packet(Version::v5, 7, {filter})); break;
      case 2:
        client.writes(publish_packet(Version::v5, "w", draw(3) == 0 ? "" : "noise",
                                     {.qos = 1, .retain = true, .packet_id = 9}));
        break;
      default: client.writes(subscribe_packet(Version::v5, 8, {filter}, options)); break;
    }
  }

  void turn() {
    cluster_.step(static_cast<std::uint32_t>(draw(cluster_.shards())));
    cluster_.store().step();
    cluster_.store().step();
    receivers_[draw(receivers_.size())]->client().read();
    publishers_[draw(publishers_.size())]->client().read();
    noise_[draw(noise_.size())]->read();
  }

  bool work() {
    bool any = false;
    for (const auto& one : receivers_) {
      if (one->work()) any = true;
    }
    for (const auto& one : publishers_) {
      if (one->work()) any = true;
    }
    for (Client* one : noise_)
      one->inbox().clear();
    return any;
  }

  Cluster cluster_;
  std::mt19937_64 random_;
  Fates fates_;
  std::vector<std::unique_ptr<Receiver>> receivers_;  // the first one never goes
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::vector<Client*> noise_;
};

}  // namespace

class SoakTest : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Shards, SoakTest, ::testing::Values(1, 2, 4));

TEST_P(SoakTest, NothingIsLostDoubledOrReordered) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    Soak soak(GetParam(), seed);
    soak.run(1500);
    soak.finish();
    if (HasFailure()) return;
  }
}

}  // namespace linnet::test

// New rules and other users while clients are connected, and while they are away.
#include <gtest/gtest.h>
#include <set>

#include "support/access_fixture.hpp"

namespace linnet::test {

namespace {

Config everything() {
  return with_rules({allow().topics({"#"})});
}
Config all_but(const std::string& filter) {
  return with_rules({deny().topics({filter}), allow().topics({"#"})});
}

}  // namespace

class RulesReload : public AccessTest {
 protected:
  RulesReload() : AccessTest(everything()) {}
};

INSTANTIATE_TEST_SUITE_P(Shapes, RulesReload, all_shapes());

TEST_P(RulesReload, SubscriptionsThatAreNoLongerAllowedEnd) {
  auto& p = c.client(c.name_at(0, "p")).connects();
  std::vector<Client*> all;
  for (std::uint32_t home = 0; home < c.shards(); ++home) {
    auto& one = c.client(c.name_at(home, "n")).connects(kept);
    all.push_back(&one.subscribes("x/#", qos1).subscribes("y/#", qos1));
    one.subscribes("$share/g/x/1", qos1).subscribes("$share/g/y", qos1);
  }
  c.reload(all_but("x/#"));
  const std::size_t n = all.size();
  EXPECT_EQ(c.counters().subscriptions, n);
  EXPECT_EQ(c.counters().shared_subscriptions, n);
  EXPECT_EQ(c.counters().subscriptions_removed, 2 * n);
  const auto id = p.sends_publish("x/1", "no", {.qos = 1});
  p.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  p.publishes("y/1", "yes", {.qos = 1});
  for (Client* one : all) {
    one->receives("y/1", "yes");
    one->receives_nothing();
    one->sends_subscribe({"x/1"}, qos1);
    one->gets_suback({ReasonCode::not_authorized});
  }
  // New rules allow it again, and nobody is subscribed in secret.
  c.reload(everything());
  const auto none = p.sends_publish("x/1", "nobody", {.qos = 1});
  p.gets_ack(PacketType::puback, none, ReasonCode::no_matching_subscribers);
  for (Client* one : all)
    one->subscribes("x/#", qos1);
  p.publishes("x/1", "again", {.qos = 1});
  for (Client* one : all)
    one->receives("x/1", "again");
}

TEST_P(RulesReload, ARestartKnowsWhatHasEnded) {
  auto& a = traveller("a").connects(kept).subscribes("x/#", qos1).subscribes("y", qos1);
  c.reload(all_but("x/#"));
  c.restart();
  c.reload(everything());
  c.client("p").connects().publishes("y", "1", {.qos = 1}).sends_publish("x/1", "2", {.qos = 1});
  a.connects(kept).receives("y", "1");
  a.receives_nothing();
}

TEST_P(RulesReload, PublishingIsDeniedAtOnce) {
  auto& a = traveller("a").connects();
  auto& w = c.client("w").connects().subscribes("#", qos1);
  for (int round = 0; round < 3; ++round) {
    a.publishes("x/1", "yes", {.qos = 1});
    w.receives("x/1", "yes");
    c.reload(all_but("x/#"));
    const auto id = a.sends_publish("x/1", "no", {.qos = 1});
    a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
    a.publishes("x/1", "no");
    c.reload(everything());
  }
  w.receives_nothing();
}

TEST_P(RulesReload, NothingIsDeliveredBeforeTheReview) {
  // More sessions than one turn reviews: those that come late are asked about each message.
  std::vector<Client*> all;
  for (int at = 0; at < 300; ++at) {
    all.push_back(&c.client("n" + std::to_string(at)).at(0).connects().subscribes("x/1"));
  }
  auto& p = c.client("p").connects();
  c.reload_quietly(with_rules({deny().subscribe({"x/#"}), allow().topics({"#"})}));
  for (std::uint32_t shard = 0; shard < c.shards(); ++shard)
    c.step(shard);
  for (Client* one : all)
    one->read();
  p.publishes("x/1", "no", {.qos = 1});
  for (Client* one : all)
    one->receives_nothing();
  EXPECT_EQ(c.counters().subscriptions, 0U);
}

TEST_P(RulesReload, SessionsThatAreAway) {
  auto& a = traveller("a").logs_in_as("anna", "a").connects(kept);
  a.subscribes("x/#", qos1).subscribes("y", qos1).drops();
  auto& b = traveller("b").connects(kept).subscribes("x/#", qos1).drops();
  auto& p = c.client("p").connects();
  p.publishes("x/1", "queued", {.qos = 1});
  EXPECT_EQ(c.counters().backlog_messages, 2U);
  c.reload(with_rules({deny().users({"anna"}).topics({"x/#"}), allow().topics({"#"})}));
  EXPECT_EQ(c.counters().subscriptions, 2U);
  p.publishes("x/1", "later", {.qos = 1});
  p.publishes("y", "other", {.qos = 1});
  EXPECT_EQ(c.counters().backlog_messages, 4U);
  a.connects(kept);
  EXPECT_TRUE(a.connack().session_present);
  a.receives("y", "other");
  a.receives_nothing();
  b.connects(kept).receives("x/1", "queued");
  b.receives("x/1", "later");
  EXPECT_EQ(c.counters().backlog_messages, 0U);
}

TEST_P(RulesReload, WhatWasQueuedForASubscriptionThatHasGone) {
  for (const bool stays : {true, false}) {
    auto& a = traveller(stays ? "a" : "b").manual();
    const ConnectOptions one_at_a_time{
        .clean_start = false, .expiry_s = 1000, .receive_maximum = 1};
    a.connects(one_at_a_time).subscribes("x/#", qos1).subscribes("y", qos1);
    auto& p = c.client("p").connects();
    for (const auto* topic : {"x/1", "x/2", "y"})
      p.publishes(topic, "queued", {.qos = 1});
    const Packet first = a.receives("x/1", "queued");
    a.unsubscribes("x/#");
    if (!stays) a.drops();
    c.reload(all_but("x/#"));
    if (stays) {
      a.acks(first);
    } else {
      a.connects(one_at_a_time);
    }
    a.receives("y", "queued");
    a.receives_nothing();
    c.reload(everything());
    a.drops();
  }
}

TEST_P(RulesReload, WhatWasQueuedWhileTheClientWasConnecting) {
  auto& a = traveller("a").connects(kept).subscribes("x/#", qos2).subscribes("y").drops();
  auto& p = c.client("p").connects();
  c.store().hold();
  a.sends_connect(kept).gets_nothing();
  p.publishes("x/1", "no").publishes("y", "yes");
  c.reload(all_but("x/#"));
  c.store().release_all();
  a.gets_in().receives("y", "yes");
  a.receives_nothing();
}

TEST_P(RulesReload, ARemovedUser) {
  auto& w = c.client("w").connects().subscribes("w/#", qos1);
  const ConnectOptions with_will{.clean_start = false,
                                 .expiry_s = 1000,
                                 .will = WillOptions{.topic = "w/a", .payload = "gone"}};
  auto& a = traveller("a").logs_in_as("anna", "a").connects(with_will).subscribes("x", qos1);
  auto& b = traveller("b").logs_in_as("berta", "b").connects();
  auto& old = traveller("c").v3().logs_in_as("anna", "a").connects();
  Config fewer = everything();
  fewer.auth.password_file = access_files().users({{"berta", "b"}});
  c.reload(fewer);
  a.gets_disconnect(ReasonCode::not_authorized);
  old.is_closed().gets_nothing();
  w.receives("w/a", "gone");
  b.is_open().pings();
  a.sends_connect(with_will).is_refused(ReasonCode::bad_user_name_or_password);
  c.reload(everything());
  a.connects(with_will);
  EXPECT_TRUE(a.connack().session_present);
}

TEST_P(RulesReload, AnonymousClientsWhenLoginsAppear) {
  Config open = everything();
  open.auth.password_file.clear();
  open.auth.jwt.keys.clear();
  c.listener().allow_anonymous = false;
  c.listener().local = true;
  c.reload(open);
  auto& a = traveller("a").connects();
  auto& old = traveller("b").v3().connects();
  c.reload(everything());
  a.gets_disconnect(ReasonCode::not_authorized);
  old.is_closed();
  a.sends_connect().is_refused(ReasonCode::not_authorized);
  a.logs_in_as("anna", "a").connects();
  c.reload(open);
  a.gets_disconnect(ReasonCode::not_authorized);  // there is no such user any more
  EXPECT_EQ(c.counters().clients_connected, 0U);
}

TEST_P(RulesReload, AnonymousClientsByTheListenersWord) {
  Config open = everything();
  open.auth.password_file.clear();
  open.auth.jwt.keys.clear();
  c.reload(open);
  auto& a = traveller("a").connects();
  c.reload(everything());
  a.is_open().pings();
}

TEST_P(RulesReload, GroupsGoOnWithTheMembersThatMay) {
  auto& a = traveller("a").logs_in_as("anna", "a").connects(kept);
  auto& b = traveller("b").logs_in_as("berta", "b").connects(kept);
  a.subscribes("$share/g/x", qos1);
  b.subscribes("$share/g/x", qos1);
  c.reload(with_rules({deny().users({"anna"}).subscribe({"x"}), allow().topics({"#"})}));
  auto& p = c.client("p").connects();
  for (int at = 0; at < 4; ++at) {
    p.publishes("x", std::to_string(at), {.qos = 1});
    b.receives("x", std::to_string(at));
  }
  a.receives_nothing();
  EXPECT_EQ(c.counters().shared_subscriptions, 1U);
}

TEST_P(RulesReload, SubscriptionsSinkToTheQosThatIsAllowed) {
  auto& away = traveller("a").connects(kept).subscribes("x/#", qos2).subscribes("y", qos2);
  away.subscribes("$share/g/z", qos2).drops();
  auto& b = traveller("b").connects(kept).subscribes("x/1", qos2).subscribes("y", qos1);
  c.reload(with_rules(
      {allow().subscribe({"x/#", "z"}).up_to(Qos::at_least_once), allow().topics({"#"})}));
  EXPECT_EQ(c.counters().subscriptions_removed, 0U);
  auto& p = c.client("p").connects();
  const auto publishes_all = [&p] {
    for (const char* topic : {"x/1", "y", "z"})
      p.publishes(topic, "m", {.qos = 2});
  };
  const auto gets_all = [](Client& to) {
    EXPECT_EQ(to.receives("x/1", "m").qos, 1U);
    EXPECT_EQ(to.receives("y", "m").qos, 2U);
    EXPECT_EQ(to.receives("z", "m").qos, 1U);
    to.receives_nothing();
  };
  publishes_all();
  EXPECT_EQ(b.receives("x/1", "m").qos, 1U);
  EXPECT_EQ(b.receives("y", "m").qos, 1U);
  away.connects(kept);
  gets_all(away);
  publishes_all();
  gets_all(away);
  // It stays so until the client subscribes again, over a restart, too.
  c.reload(everything());
  c.restart();
  away.connects(kept);
  p.connects();
  publishes_all();
  gets_all(away);
  away.subscribes("x/#", qos2);
  p.publishes("x/1", "m", {.qos = 2});
  EXPECT_EQ(away.receives("x/1", "m").qos, 2U);
}

TEST_P(RulesReload, ASubscriptionSinksWhenItsClientIsBackAfterARestart) {
  auto& a = traveller("a").connects(kept).subscribes("x", qos2).drops();
  c.restart();
  c.reload(with_rules({allow().topics({"#"}).up_to(Qos::at_least_once)}));
  a.connects(kept);
  c.reload(everything());
  c.client("p").connects().publishes("x", "m", {.qos = 2});
  EXPECT_EQ(a.receives("x", "m").qos, 1U);
}

TEST_P(RulesReload, AManyTimesSubscribedSessionIsReviewedPieceByPiece) {
  constexpr std::uint64_t kMany = 2'000;
  auto& a = c.client(c.name_at(0, "a")).at(0).connects(kept);
  for (std::uint64_t at = 0; at < kMany; ++at) {
    std::string filter = "x/" + std::to_string(at);
    a.subscribes(at % 4 == 0 ? "$share/g/" + filter : filter, qos1);
  }
  const auto left = [this] {
    return c.counters().subscriptions + c.counters().shared_subscriptions;
  };
  EXPECT_EQ(left(), kMany);
  c.reload_quietly(with_rules({deny().subscribe({"x/#"}), allow().topics({"#"})}));
  for (std::uint64_t before = kMany, round = 0; before > 0; ++round) {
    // What the client does meanwhile is no harm.
    std::vector<std::string> filters;
    for (std::uint64_t at = round; at < kMany; at += 37)
      filters.push_back("x/" + std::to_string(at));
    a.writes(unsubscribe_packet(Version::v5, 1, filters));
    ASSERT_TRUE(c.step(0));
    ASSERT_GE(left() + 500, before);
    before = left();
  }
  c.settle();
  EXPECT_LT(c.counters().subscriptions_removed, kMany);
  a.is_open().subscribes("y", qos1);
  auto& p = c.client("p").connects();
  for (int at = 0; at < 100; ++at)
    p.publishes("x/" + std::to_string(at), "no");
  p.publishes("y", "yes", {.qos = 1});
  a.receives("y", "yes");
}

TEST_P(RulesReload, AManyTimesSubscribedClientThatIsBack) {
  constexpr int kMany = 600;
  auto& a = traveller("a").connects(kept);
  for (int at = 0; at < kMany; ++at)
    a.subscribes("x/" + std::to_string(at), qos1);
  a.subscribes("y", qos1).drops();
  c.restart();
  c.reload(all_but("x/#"));
  auto& p = c.client("p").connects();
  for (int at = 0; at < kMany; at += 50)
    p.sends_publish("x/" + std::to_string(at), "no", {.qos = 1});
  p.publishes("y", "yes", {.qos = 1});
  a.connects(kept).receives("y", "yes");
  a.receives_nothing();
  c.settle();
  EXPECT_EQ(c.counters().subscriptions, 1U);
  EXPECT_EQ(c.counters().subscriptions_removed, 600U);
}

TEST_P(RulesReload, AWillOfASessionThatWasRestored) {
  auto& w = c.client("w").connects(kept).subscribes("w/#", qos1);
  const auto with_will = [](const std::string& topic) {
    return ConnectOptions{
        .clean_start = false,
        .expiry_s = 1000,
        .will = WillOptions{.topic = topic, .payload = "gone", .qos = 1, .delay_s = 10}};
  };
  traveller("a").logs_in_as("anna", "a").connects(with_will("w/a")).drops();
  traveller("b").logs_in_as("berta", "b").connects(with_will("w/b"));
  traveller("c").connects(with_will("w/c"));
  traveller("d").connects(with_will("w/d"));
  c.restart();
  c.reload(with_rules({deny().users({"anna"}).publish({"w/a"}),
                       deny().users({"$anonymous"}).publish({"w/c"}), allow().topics({"#"})}));
  w.connects(kept);
  c.after(20s);
  EXPECT_EQ(c.counters().publish_denied, 2U);
  std::set<std::string> topics;
  for (const Packet& message : w.takes_messages())
    topics.insert(message.topic);
  EXPECT_EQ(topics, (std::set<std::string>{"w/b", "w/d"}));
}

TEST_P(RulesReload, WhatRestsInTheStoreForAGroupIsHandedOn) {
  constexpr int kMany = 600;
  auto& p = c.client("p").connects();
  for (const bool away : {true, false}) {
    auto& a = traveller(away ? "a" : "b").logs_in_as("anna", "a").manual();
    a.connects({.clean_start = false, .expiry_s = 1000, .receive_maximum = 1});
    a.subscribes("$share/g/x", qos1).subscribes("y", qos1);
    if (away) a.drops();
    for (int at = 0; at < kMany; ++at) {
      p.publishes("x", std::to_string(at), {.qos = 1});
      if (at % 100 == 0) p.publishes("y", std::to_string(at), {.qos = 1});
    }
    auto& next = traveller(away ? "c" : "d").logs_in_as("berta", "b").connects(kept);
    next.subscribes("$share/g/x", qos1).receives_nothing();
    const Config fewer =
        with_rules({deny().users({"anna"}).subscribe({"x"}), allow().topics({"#"})});
    c.reload_quietly(fewer);
    for (std::uint32_t shard = 0; shard < c.shards(); ++shard)
      c.step(shard);
    c.reload(fewer);  // before all is handed on
    std::set<std::string> got;
    const auto messages = next.takes_messages();
    EXPECT_EQ(messages.size(), static_cast<std::size_t>(kMany));
    for (const Packet& message : messages)
      got.insert(message.payload);
    EXPECT_EQ(got.size(), static_cast<std::size_t>(kMany));
    // What else is owed comes, and nothing of the group.
    if (away) a.connects({.clean_start = false, .expiry_s = 1000, .receive_maximum = 1});
    if (!away) a.acks(a.receives("x", "0"));
    for (int at = 0; at < kMany; at += 100)
      a.acks(a.receives("y", std::to_string(at)));
    a.receives_nothing();
    next.unsubscribes("$share/g/x");
    c.reload(everything());
  }
}

}  // namespace linnet::test

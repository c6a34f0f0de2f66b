// What outlives the broker: sessions, subscriptions, backlogs, the in-flight window in both
// directions, Wills, expiry; with another number of shards, too.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 3600};

}  // namespace

class Restarted : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Cluster c{{.shards = GetParam()}};

  Client& kept(std::string_view id) { return c.client(id).connects(kKept); }
  Client& back(std::string_view id, bool present = true) {
    Client& client = c.client(id).connects(kKept);
    EXPECT_EQ(client.connack().session_present, present) << id;
    return client;
  }
};

INSTANTIATE_TEST_SUITE_P(Shards, Restarted, ::testing::Values(1, 2, 4));

TEST_P(Restarted, TheBacklogOfASessionThatIsAwayComesInOrder) {
  kept("a").subscribes("x/#", qos1).drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 300; ++at)
    p.publishes("x/" + std::to_string(at), std::to_string(at), {.qos = 1});
  c.restart();
  EXPECT_EQ(c.counters().backlog_messages, 300U);
  auto& a = back("a");
  for (int at = 0; at < 300; ++at) {
    const Packet message = a.receives("x/" + std::to_string(at), std::to_string(at));
    EXPECT_FALSE(message.dup);
  }
  a.receives_nothing();
  EXPECT_EQ(c.counters().backlog_messages, 0U);
  EXPECT_EQ(c.counters().backlog_bytes, 0U);
  c.restart();
  back("a").receives_nothing();
}

TEST_P(Restarted, AnotherNumberOfShardsServesTheSameSessions) {
  for (int at = 0; at < 8; ++at) {
    const std::string number = std::to_string(at);
    kept("a" + number).subscribes("to/" + number, qos1).drops();
    c.client("p").connects().publishes("to/" + number, "for " + number, {.qos = 1}).drops();
  }
  for (const std::uint32_t shards : {3U, 1U, 2U}) {
    c.restart({.shards = shards});
    for (int at = 0; at < 8; ++at) {
      const std::string number = std::to_string(at);
      auto& p = c.client("p" + std::to_string(shards)).connects();
      p.publishes("to/" + number, std::to_string(shards), {.qos = 1}).drops();
    }
  }
  for (int at = 0; at < 8; ++at) {
    const std::string number = std::to_string(at);
    auto& a = back("a" + number);
    a.receives("to/" + number, "for " + number);
    for (const std::string shards : {"3", "1", "2"})
      a.receives("to/" + number, shards);
    a.receives_nothing();
  }
}

TEST_P(Restarted, SubscriptionsKeepTheirTerms) {
  auto& a = kept("a");
  a.subscribes("own", {.qos = 1, .no_local = true, .id = 7});
  a.subscribes("kept", {.qos = 1, .retain_as_published = true});
  a.subscribes("gone", qos1).unsubscribes("gone");
  c.restart();
  back("a").publishes("own", "not for me", {.qos = 1}).receives_nothing();
  auto& p = c.client("p").connects();
  p.publishes("own", "1", {.qos = 1, .retain = true});
  p.publishes("kept", "2", {.qos = 1, .retain = true});
  p.publishes("gone", "3", {.qos = 1});
  const Packet own = c.client("a").receives("own", "1");
  EXPECT_FALSE(own.retain);
  EXPECT_EQ(own.subscription_ids(), std::vector<std::uint32_t>{7});
  EXPECT_TRUE(c.client("a").receives("kept", "2").retain);
  c.client("a").receives_nothing();
}

TEST_P(Restarted, WhatWasInFlightComesAgainWithItsIdentifier) {
  auto& a = kept("a").subscribes("x", qos1);
  a.manual();
  auto& p = c.client("p").connects();
  for (const std::string payload : {"1", "2", "3"})
    p.publishes("x", payload, {.qos = 1});
  const Packet first = a.receives("x", "1");
  const Packet second = a.receives("x", "2");
  const Packet third = a.receives("x", "3");
  a.acks(second);
  c.restart();
  back("a");
  const Packet again = a.receives("x", "1");
  EXPECT_TRUE(again.dup);
  EXPECT_EQ(again.packet_id, first.packet_id);
  const Packet last = a.receives("x", "3");
  EXPECT_TRUE(last.dup);
  EXPECT_EQ(last.packet_id, third.packet_id);
  a.receives_nothing();
  a.acks(last).acks(again);
  c.client("p").connects().publishes("x", "4", {.qos = 1});
  EXPECT_GT(a.receives("x", "4").packet_id, third.packet_id);
}

TEST_P(Restarted, WhatIsInFlightRestsInTheStoreWhileItsClientIsAway) {
  auto& a = kept("a").subscribes("x", qos2);
  a.manual();
  auto& p = c.client("p").connects();
  for (int at = 1; at <= 150; ++at)
    p.publishes("x", std::to_string(at), {.qos = at % 2 == 0 ? 1U : 2U});
  std::vector<std::uint16_t> ids;
  for (int at = 1; at <= 100; ++at)
    ids.push_back(a.receives("x", std::to_string(at)).packet_id);
  a.sends_ack(PacketType::pubrec, ids[0]).sends_ack(PacketType::puback, ids[1]);
  a.drops();
  c.after(1s);
  for (int round = 0; round < 2; ++round) {
    back("a");
    a.gets_ack(PacketType::pubrel, ids[0]);
    for (int at = 3; at <= 100; ++at) {
      const Packet again = a.receives("x", std::to_string(at));
      EXPECT_TRUE(again.dup);
      EXPECT_EQ(again.packet_id, ids[static_cast<std::size_t>(at) - 1]);
    }
    a.receives("x", "101");
    a.drops();
    c.after(1s);
    if (round == 0) c.restart();
    c.client("p").connects().publishes("x", "late", {.qos = 1}).drops();
  }
}

TEST_P(Restarted, AcknowledgementsFindTheirMessagesAfterAGapInTheWindow) {
  auto& a = kept("a").subscribes("x", qos2);
  a.manual();
  auto& p = c.client("p").connects();
  p.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 1});
  a.receives("x", "1");
  a.acks(a.receives("x", "2"));
  a.drops();
  c.after(1s);  // what is in flight rests in the store
  back("a");
  const Packet first = a.receives("x", "1");
  p.publishes("x", "3", {.qos = 1}).publishes("x", "4", {.qos = 2});
  a.acks(a.receives("x", "3"));
  const Packet last = a.receives("x", "4");
  a.acks(last).gets_ack(PacketType::pubrel, last.packet_id);
  a.sends_ack(PacketType::pubcomp, last.packet_id).acks(first);
  a.drops();
  back("a").gets_nothing();
}

TEST_P(Restarted, WhatComesBetweenTheRestartAndItsClientIsCountedRight) {
  auto& a = kept("a").subscribes("x", qos1);
  a.manual();
  c.client("p").connects().publishes("x", "1", {.qos = 1});
  a.receives("x", "1");
  c.restart();
  auto& p = c.client("p").connects();
  c.store().hold();
  p.sends_publish("x", "2", {.qos = 1});
  a.manual(false);
  a.sends_connect(kKept);
  c.store().release_all();
  c.settle();
  a.receives("x", "1");
  a.receives("x", "2");
  p.publishes("x", "3", {.qos = 1});
  a.receives("x", "3");
  EXPECT_EQ(c.counters().backlog_messages, 0U);
  EXPECT_EQ(c.counters().backlog_bytes, 0U);
  EXPECT_EQ(c.counters().publish_dropped, 0U);
}

TEST_P(Restarted, ARefusedIdentifierIsAskedForAgain) {
  kept("a").subscribes("x", qos2).drops();
  c.client("p").connects().publishes("x", "1", {.qos = 2});
  c.store().hold();
  auto& a = c.client("a").sends_connect(kKept);
  c.store().release();  // the session's own record
  c.settle();
  c.store().refuse(1);
  c.store().release_all();
  c.settle();
  c.store().set_accepts(true);  // there is room again
  c.settle();
  a.receives("x", "1");
  c.restart();
  back("a").receives_nothing();
}

TEST_P(Restarted, MessagesOfTheBacklogKeepTheIdentifierThatTheyWereSentWith) {
  kept("a").subscribes("x", qos1).drops();
  c.client("p").connects().publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 1});
  auto& a = c.client("a").manual();
  back("a");
  const Packet first = a.receives("x", "1");
  const Packet second = a.receives("x", "2");
  c.after(1s);  // the identifiers are worth a record by now
  c.restart();
  back("a");
  const Packet again = a.receives("x", "1");
  EXPECT_TRUE(again.dup);
  EXPECT_EQ(again.packet_id, first.packet_id);
  EXPECT_EQ(a.receives("x", "2").packet_id, second.packet_id);
  a.receives_nothing();
}

TEST_P(Restarted, Qos2GoesOnWhereItWas) {
  auto& a = kept("a").subscribes("x", qos2);
  a.manual();
  auto& p = c.client("p").connects();
  p.publishes("x", "1", {.qos = 2}).publishes("x", "2", {.qos = 2});
  const Packet first = a.receives("x", "1");
  const Packet second = a.receives("x", "2");
  a.acks(first).gets_ack(PacketType::pubrel, first.packet_id);
  c.restart();
  back("a");
  // The first was received: only its PUBREL comes. The second may come again, and says so.
  a.gets_ack(PacketType::pubrel, first.packet_id);
  const Packet again = a.receives("x", "2");
  EXPECT_TRUE(again.dup);
  EXPECT_EQ(again.packet_id, second.packet_id);
  a.sends_ack(PacketType::pubcomp, first.packet_id);
  a.acks(again).gets_ack(PacketType::pubrel, again.packet_id);
  a.sends_ack(PacketType::pubcomp, again.packet_id);
  c.restart();
  back("a").gets_nothing();
}

TEST_P(Restarted, AReceivedQos2MessageIsNotTakenTwice) {
  auto& a = kept("a").subscribes("x", qos1);
  auto& p = kept("p");
  p.manual();
  const auto id = p.sends_publish("x", "1", {.qos = 2});
  p.gets_ack(PacketType::pubrec, id);
  a.receives("x", "1");
  c.restart();
  back("p");
  back("a");
  p.sends(publish_packet(Version::v5, "x", "1", {.qos = 2, .dup = true, .packet_id = id}));
  p.gets_ack(PacketType::pubrec, id);
  a.receives_nothing();
  p.sends_ack(PacketType::pubrel, id).gets_ack(PacketType::pubcomp, id);
  c.restart();
  back("p").sends_ack(PacketType::pubrel, id);
  p.gets_ack(PacketType::pubcomp, id, ReasonCode::packet_identifier_not_found);
}

TEST_P(Restarted, RetainedMessagesAreThereAndClearedOnesAreNot) {
  auto& p = c.client("p").connects();
  p.publishes("r/1", "old", {.qos = 1, .retain = true});
  p.publishes("r/1", "new", {.qos = 1, .retain = true});
  p.publishes("r/2", "2", {.qos = 2, .retain = true});
  p.publishes("r/3", "3", {.qos = 1, .retain = true});
  p.publishes("r/3", "", {.qos = 1, .retain = true});
  c.restart();
  EXPECT_EQ(c.store().figures().retained_messages, 2U);
  auto& a = c.client("a").connects().subscribes("r/+", qos1);
  a.receives("r/1", "new");
  a.receives("r/2", "2");
  a.receives_nothing();
}

TEST_P(Restarted, EndedSessionsStayGone) {
  auto& a = kept("a").subscribes("x", qos1);
  c.client("p").connects().publishes("x", "1", {.qos = 1});
  a.disconnects(ReasonCode::success, 0);
  kept("b").subscribes("x", qos1).drops();
  c.client("b").connects({.clean_start = true, .expiry_s = 0}).drops();
  c.after(1s);
  c.restart();
  back("a", false).receives_nothing();
  back("b", false).receives_nothing();
  EXPECT_EQ(c.counters().subscriptions, 0U);
}

TEST_P(Restarted, AResumedSessionThatIsNotKeptAnyMoreDeliversAndEnds) {
  kept("a").subscribes("x", qos1).drops();
  c.client("p").connects().publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 1});
  auto& a = c.client("a").connects({.clean_start = false, .expiry_s = 0});
  EXPECT_TRUE(a.connack().session_present);
  a.receives("x", "1");
  a.receives("x", "2");
  a.manual();
  c.client("p").publishes("x", "3", {.qos = 1});
  a.receives("x", "3");
  c.restart();
  c.after(1s);
  back("a", false).receives_nothing();
}

TEST_P(Restarted, TimeWhenTheBrokerWasDownCounts) {
  c.client("short").connects({.clean_start = false, .expiry_s = 60}).subscribes("x", qos1).drops();
  kept("long").subscribes("x", qos1).drops();
  auto& p = c.client("p").connects();
  p.publishes("x", "brief", {.qos = 1, .expiry_s = 30});
  p.publishes("x", "lasting", {.qos = 1, .expiry_s = 600});
  p.publishes("r", "brief", {.qos = 1, .retain = true, .expiry_s = 30});
  c.restart({.downtime = 10s});
  EXPECT_EQ(c.counters().sessions, 2U);
  c.restart({.downtime = 100s});
  c.after(1s);
  EXPECT_EQ(c.counters().sessions, 1U);
  auto& a = back("long");
  const Packet message = a.receives("x", "lasting");
  EXPECT_LE(message.number(Property::message_expiry_interval).value_or(0), 490U);
  a.receives_nothing();
  c.client("b").connects().subscribes("r", qos1).receives_nothing();
  back("short", false);
}

TEST_P(Restarted, TheWillOfWhoWasConnectedIsPublishedUnlessItsClientIsBackFirst) {
  kept("watcher").subscribes("will/#", qos1).drops();
  ConnectOptions options = kKept;
  for (const std::string id : {"lost", "found"}) {
    options.will = WillOptions{.topic = "will/" + id, .payload = "gone", .qos = 1};
    c.client(id).connects(options);
  }
  c.restart();
  back("found");
  c.after(10s);
  auto& watcher = back("watcher");
  watcher.receives("will/lost", "gone");
  watcher.receives_nothing();
  c.restart();
  c.after(10s);
  back("watcher").receives_nothing();
}

TEST_P(Restarted, ADelayedWillWaitsAcrossTheRestart) {
  kept("watcher").subscribes("will/#", qos1).drops();
  ConnectOptions options = kKept;
  options.will = WillOptions{.topic = "will/late", .payload = "gone", .qos = 1, .delay_s = 60};
  c.client("late").connects(options).drops();
  c.after(20s);
  c.restart();
  c.after(30s);
  back("watcher").receives_nothing();
  c.after(11s);
  c.client("watcher").receives("will/late", "gone");
}

TEST_P(Restarted, SharedSubscriptionsGoOn) {
  kept("a").subscribes("$share/g/x", qos1).drops();
  c.client("p").connects().publishes("x", "1", {.qos = 1});
  c.restart();
  c.client("p").connects().publishes("x", "2", {.qos = 1});
  auto& a = back("a");
  a.receives("x", "1");
  a.receives("x", "2");
  a.unsubscribes("$share/g/x");
  c.client("p").publishes("x", "3", {.qos = 1});
  a.receives_nothing();
}

TEST_P(Restarted, WhatWasNotAcknowledgedIsThereWholeOrNotAtAll) {
  for (const std::string id : {"a", "b", "c"})
    kept(id).subscribes("x", qos1).drops();
  auto& p = c.client("p").connects();
  c.store().hold();
  p.sends_publish("x", "1", {.qos = 1});
  p.gets_nothing();
  c.restart();
  for (const std::string id : {"a", "b", "c"})
    back(id).receives_nothing();
}

TEST_P(Restarted, LongNamesAreKept) {
  const std::string id(65'535, 'i');
  const std::string topic = "t/" + std::string(65'000, 'x');
  kept(id).subscribes(topic, qos1).drops();
  c.client("p").connects().publishes(topic, "1", {.qos = 1, .retain = true});
  c.restart();
  back(id).receives(topic, "1");
  c.client("b").connects().subscribes(topic, qos1).receives(topic, "1");
}

}  // namespace linnet::test

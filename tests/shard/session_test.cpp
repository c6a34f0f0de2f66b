// The life of a session: resuming, ending, take-over, expiry of sessions and messages, keep alive.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

class SessionLife : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Cluster c{{.shards = GetParam()}};
  const ConnectOptions kept{.clean_start = false, .expiry_s = 100};
};

INSTANTIATE_TEST_SUITE_P(Shards, SessionLife, ::testing::Values(1, 2, 4));

TEST_P(SessionLife, EveryShardAcceptsForEveryHome) {
  for (std::uint32_t acceptor = 0; acceptor < GetParam(); ++acceptor) {
    for (std::uint32_t home = 0; home < GetParam(); ++home) {
      auto& a = c.client(c.name_at(home, "a")).at(acceptor);
      a.connects(kept);
      EXPECT_EQ(a.connack().session_present, acceptor > 0);
      a.subscribes("x", qos1);
      a.publishes("x", "1", {.qos = 1}).receives("x", "1");
      a.drops();
    }
  }
  EXPECT_EQ(c.counters().sessions, GetParam());
}

TEST_P(SessionLife, BytesBehindConnectMoveWithTheLink) {
  for (std::uint32_t acceptor = 0; acceptor < GetParam(); ++acceptor) {
    auto& a = c.client(c.name_at(0, "a")).at(acceptor).opens();
    a.sends(connect_packet(Version::v5, a.id(), {}) +
            subscribe_packet(Version::v5, 1, {"x"}, qos1) +
            publish_packet(Version::v5, "x", "1", {.qos = 1, .packet_id = 2}) + from_hex("c0 00"));
    EXPECT_EQ(a.next().type, PacketType::connack);
    a.gets_ack(PacketType::suback, 1);
    a.gets_ack(PacketType::puback, 2);
    a.receives("x", "1");
    a.gets(PacketType::pingresp);
  }
}

TEST_P(SessionLife, AnAssignedIdentifierIsOneThatLivesHere) {
  auto& a = c.client("").connects();
  const std::string id = a.connack().text(Property::assigned_client_identifier);
  EXPECT_FALSE(id.empty());
  EXPECT_LE(id.size(), 23U);
  auto& same = c.client(id).connects();
  a.gets_disconnect(ReasonCode::session_taken_over);
  same.is_open();
  auto& old = c.another("").v3().connects();
  old.pings();
  c.another("").v3().sends_connect({.clean_start = false}).is_refused(static_cast<ReasonCode>(2));
  c.another("").version(3).sends_connect({}).is_refused(static_cast<ReasonCode>(2));
}

TEST_P(SessionLife, SubscriptionsAndMessagesOutliveTheLink) {
  auto& a = c.client("a").connects(kept);
  EXPECT_FALSE(a.connack().session_present);
  a.subscribes("x", qos1);
  a.drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 200; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  p.publishes("x", "zero");  // not queued
  a.connects(kept);
  EXPECT_TRUE(a.connack().session_present);
  for (int at = 0; at < 200; ++at)
    EXPECT_FALSE(a.receives("x", std::to_string(at)).dup);
  a.receives_nothing();
  EXPECT_EQ(c.counters().backlog_messages, 0U);
  EXPECT_EQ(c.counters().backlog_bytes, 0U);
}

TEST_P(SessionLife, CleanStartDiscardsTheOldSession) {
  auto& a = c.client("a").connects(kept);
  a.subscribes("x", qos1).drops();
  a.connects({.clean_start = true, .expiry_s = 100});
  EXPECT_FALSE(a.connack().session_present);
  c.client("p").connects().publishes("x", "1", {.qos = 1});
  a.receives_nothing();
  a.drops().connects(kept);
  EXPECT_TRUE(a.connack().session_present);
}

TEST_P(SessionLife, WithoutExpiryTheSessionEndsWithTheLink) {
  auto& a = c.client("a").connects().subscribes("x", qos1);
  a.drops();
  EXPECT_EQ(c.counters().subscriptions, 0U);
  a.connects({.clean_start = false});
  EXPECT_FALSE(a.connack().session_present);
}

TEST_P(SessionLife, TheSessionExpires) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos1);
  a.drops();
  c.after(99s);
  EXPECT_EQ(c.counters().sessions, 1U);
  a.connects(kept);
  EXPECT_TRUE(a.connack().session_present);
  c.after(1000s);
  a.is_open().drops();
  c.after(100s);
  EXPECT_EQ(c.counters().sessions, 0U);
  EXPECT_EQ(c.counters().subscriptions, 0U);
  EXPECT_EQ(c.counters().clients_expired, 1U);
  a.connects(kept);
  EXPECT_FALSE(a.connack().session_present);
}

TEST_P(SessionLife, DisconnectChangesTheExpiry) {
  auto& a = c.client("a").connects(kept);
  a.disconnects(ReasonCode::success, 10);
  c.after(9s);
  EXPECT_EQ(c.counters().sessions, 1U);
  c.after(1s);
  EXPECT_EQ(c.counters().sessions, 0U);
  a.connects(kept).disconnects(ReasonCode::success, 0);
  EXPECT_EQ(c.counters().sessions, 0U);
  a.connects().sends(disconnect_packet(Version::v5, ReasonCode::success, 10));
  a.gets_disconnect(ReasonCode::protocol_error);
}

TEST_P(SessionLife, TheNewExpiryCountsAfterResuming) {
  auto& a = c.client("a").connects(kept);
  a.drops();
  a.connects({.clean_start = false, .expiry_s = 0});
  EXPECT_TRUE(a.connack().session_present);
  a.drops();
  EXPECT_EQ(c.counters().sessions, 0U);
}

TEST(SessionLifeLimits, ExpiryIsCutToTheMaximum) {
  Config config;
  config.limits.session_expiry_max_s = 50;
  Cluster c{{.shards = 2, .config = config}};
  auto& a = c.client("a").connects({.clean_start = false, .expiry_s = 0xFFFFFFFF});
  EXPECT_EQ(a.connack().number(Property::session_expiry_interval), 50U);
  auto& old = c.client("old").v3().connects({.clean_start = false});
  a.drops();
  old.drops();
  c.after(49s);
  EXPECT_EQ(c.counters().sessions, 2U);
  c.after(1s);
  EXPECT_EQ(c.counters().sessions, 0U);
}

TEST_P(SessionLife, Mqtt3KeepsItsSession) {
  auto& a = c.client("a").v3().connects({.clean_start = false}).subscribes("x", qos1);
  a.drops();
  c.client("p").connects().publishes("x", "1", {.qos = 1});
  a.connects({.clean_start = false});
  EXPECT_TRUE(a.connack().session_present);
  a.receives("x", "1");
  a.disconnects();
  a.connects({.clean_start = true});
  EXPECT_FALSE(a.connack().session_present);
  a.disconnects();
  EXPECT_EQ(c.counters().sessions, 1U);  // p's
}

TEST_P(SessionLife, TakeOver) {
  for (std::uint32_t acceptor = 0; acceptor < GetParam(); ++acceptor) {
    auto& first = c.another("a").at(0).connects(kept).subscribes("x", qos1);
    auto& second = c.another("a").at(acceptor).connects(kept);
    first.gets_disconnect(ReasonCode::session_taken_over);
    EXPECT_TRUE(second.connack().session_present);
    c.client("p").connects().publishes("x", "1", {.qos = 1});
    second.receives("x", "1");
    auto& third = c.another("a").v3().at(acceptor).connects({.clean_start = false});
    second.gets_disconnect(ReasonCode::session_taken_over);
    auto& fourth = c.another("a").connects();
    third.gets_nothing().is_closed();
    EXPECT_FALSE(fourth.connack().session_present);
    fourth.disconnects();
  }
  EXPECT_EQ(c.counters().clients_connected, 1U);
}

TEST_P(SessionLife, TakeOverInTheMiddleOfOperations) {
  c.client("s").connects(kept).subscribes("x", qos2).drops();
  auto& first = c.another("a").connects(kept);
  first.manual();
  c.store().hold();
  const auto one = first.sends_publish("x", "1", {.qos = 1});
  const auto two = first.sends_publish("x", "2", {.qos = 2});
  first.sends_subscribe({"y"}, qos1);
  first.gets_nothing();
  auto& second = c.another("a").sends_connect(kept);
  c.store().release_all();
  c.settle();
  // Acknowledgements die with the link on which their packets came.
  first.gets_disconnect(ReasonCode::session_taken_over);
  first.gets_nothing();
  EXPECT_TRUE(second.gets(PacketType::connack).session_present);
  second.gets_nothing();
  second.sends_publish("x", "1", {.qos = 1, .dup = true, .packet_id = one});
  second.gets_ack(PacketType::puback, one);
  second.sends_publish("x", "2", {.qos = 2, .dup = true, .packet_id = two});
  second.gets_ack(PacketType::pubrec, two);
  second.gets_ack(PacketType::pubcomp, two);
  auto& s = c.client("s").connects(kept);
  s.receives("x", "1");
  s.receives("x", "2");
  s.receives("x", "1");
  s.receives_nothing();
}

TEST_P(SessionLife, TakeOverWhileTheFirstStillWaitsForItsConnack) {
  c.store().hold();
  auto& first = c.another("a").sends_connect(kept);
  auto& second = c.another("a").sends_connect(kept);
  first.is_closed();
  c.store().release_all();
  c.settle();
  first.gets_nothing();
  EXPECT_TRUE(second.gets(PacketType::connack).session_present);
  second.pings();
}

TEST_P(SessionLife, MessagesOfABusyConnectWait) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos1);
  a.drops();
  c.store().hold();
  a.sends_connect(kept);
  auto& p = c.client("p").connects();
  p.publishes("x", "zero");
  p.sends_publish("x", "one", {.qos = 1});
  a.gets_nothing();
  c.store().release_all();
  c.settle();
  EXPECT_EQ(a.next().type, PacketType::connack);
  a.receives("x", "zero");
  a.receives("x", "one");
}

TEST_P(SessionLife, MessageExpiryIsCountedDown) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos1);
  a.drops();
  auto& p = c.client("p").connects();
  p.publishes("x", "short", {.qos = 1, .expiry_s = 5});
  p.publishes("x", "long", {.qos = 1, .expiry_s = 50});
  p.publishes("x", "ever", {.qos = 1});
  c.after(20s);
  a.connects(kept);
  EXPECT_EQ(a.receives("x", "long").number(Property::message_expiry_interval), 30U);
  EXPECT_FALSE(a.receives("x", "ever").has(Property::message_expiry_interval));
  a.receives_nothing();
  EXPECT_EQ(c.counters().publish_expired, 1U);
  EXPECT_EQ(c.counters().backlog_messages, 0U);
}

TEST_P(SessionLife, KeepAliveIsOneAndAHalfTimes) {
  auto& a = c.client("a").connects({.keep_alive_s = 10});
  auto& old = c.client("old").v3().connects({.keep_alive_s = 10});
  auto& idle = c.client("idle").connects();
  c.after(14s);
  a.pings();
  c.after(14s);
  a.is_open();
  old.gets_nothing().is_closed();
  c.after(1s);
  a.gets_disconnect(ReasonCode::keep_alive_timeout);
  idle.is_open();
}

TEST_P(SessionLife, OutgoingMessagesDoNotCountForKeepAlive) {
  auto& a = c.client("a").connects({.keep_alive_s = 10}).subscribes("x");
  auto& p = c.client("p").connects();
  for (int at = 0; at < 15; ++at) {
    a.is_open();
    p.publishes("x", "1");
    c.after(1s);
  }
  a.gets_disconnect(ReasonCode::keep_alive_timeout);
}

TEST_P(SessionLife, WhoSaysNothingIsClosed) {
  auto& a = c.client("a").opens();
  auto& b = c.client("b").opens();
  b.sends_hex("10 0d 00 04");
  c.after(9999ms);
  a.is_open();
  b.is_open();
  c.after(1ms);
  a.gets_nothing().is_closed();
  b.gets_nothing().is_closed();
}

TEST_P(SessionLife, TheFirstPacketIsConnectAndItComesOnce) {
  auto& a = c.client("a").opens().sends_hex("c0 00");
  a.gets_nothing().is_closed();
  a.connects().sends(connect_packet(Version::v5, "a", {}));
  a.gets_disconnect(ReasonCode::protocol_error);
}

}  // namespace linnet::test

// An acknowledgement means durable: what waits for the store, in which order it leaves, and what
// happens when the store refuses or has no room.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

class Durable : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Cluster c{{.shards = GetParam()}};
  const ConnectOptions kept{.clean_start = false, .expiry_s = 3600};
};

INSTANTIATE_TEST_SUITE_P(Shards, Durable, ::testing::Values(1, 2, 4));

TEST_P(Durable, PubackForAKeptSessionWaitsForTheCommit) {
  c.client("a").connects(kept).subscribes("x", qos1).drops();
  auto& p = c.client("p").connects();
  c.store().hold();
  const auto id = p.sends_publish("x", "1", {.qos = 1});
  p.gets_nothing();
  EXPECT_EQ(c.store().count("PutOutgoing a"), 1U);
  c.store().release_all();
  p.gets_ack(PacketType::puback, id);
}

TEST_P(Durable, WhatAllReceiversHaveAcknowledgedIsNeverWrittenAndPubackLeavesAtOnce) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos1);
  auto& b = c.client("b").connects(kept).subscribes("x", qos1);
  auto& p = c.client("p").connects();
  b.manual();
  c.store().hold();
  const auto id = p.sends_publish("x", "1", {.qos = 1});
  a.receives("x", "1");
  const Packet message = b.receives("x", "1");
  p.gets_nothing();
  b.acks(message);
  p.gets_ack(PacketType::puback, id);
  EXPECT_EQ(c.store().taken_back(), 2U);
  c.store().release_all();
  c.restart();
  a.connects(kept).receives_nothing();
  b.connects(kept).receives_nothing();
}

TEST_P(Durable, PubackForCleanSessionsLeavesAtOnce) {
  auto& a = c.client("a").connects().subscribes("x", qos2);
  auto& p = c.client("p").connects();
  c.store().hold();
  p.publishes("x", "1", {.qos = 1});
  p.publishes("x", "2", {.qos = 2});
  a.receives("x", "1");
  a.receives("x", "2");
  c.store().release_all();
}

TEST_P(Durable, ConnackSubackAndUnsubackOfAKeptSessionWait) {
  auto& a = c.client("a");
  c.store().hold();
  a.sends_connect(kept);
  a.gets_nothing();
  c.store().release_all();
  a.gets(PacketType::connack);
  c.store().hold();
  a.sends_subscribe({"x"}, qos1);
  a.gets_nothing();
  c.store().release_all();
  a.gets(PacketType::suback);
  c.store().hold();
  a.sends_unsubscribe({"x"});
  a.gets_nothing();
  c.store().release_all();
  a.gets(PacketType::unsuback);
  a.drops();
  c.store().hold();
  a.sends_connect({.clean_start = true});  // discards a kept session
  a.gets_nothing();
  c.store().release_all();
  EXPECT_FALSE(a.gets(PacketType::connack).session_present);
  EXPECT_GE(c.store().count("EraseSession a"), 1U);
}

TEST_P(Durable, PubrecAndPubcompOfAKeptPublisherWait) {
  auto& p = c.client("p").connects(kept);
  p.manual();
  c.store().hold();
  const auto id = p.sends_publish("x", "1", {.qos = 2});
  p.gets_nothing();
  c.store().release_all();
  p.gets(PacketType::pubrec);
  c.store().hold();
  p.sends_ack(PacketType::pubrel, id);
  p.gets_nothing();
  c.store().release_all();
  p.gets_ack(PacketType::pubcomp, id);
  EXPECT_EQ(c.store().count("PutReceived p"), 1U);
  EXPECT_EQ(c.store().count("EraseReceived p"), 1U);
}

TEST_P(Durable, AnOutgoingQos2MessageLeavesAfterItsIdentifierIsCommitted) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos2);
  a.manual();
  auto& p = c.client("p").connects();
  c.store().hold();
  p.sends_publish("x", "1", {.qos = 2});
  a.gets_nothing();
  c.store().release_all();
  const Packet message = a.receives("x", "1");
  c.store().hold();
  a.acks(message);
  a.gets_nothing();  // PUBREL waits, too
  c.store().release_all();
  a.gets_ack(PacketType::pubrel, message.packet_id);
  EXPECT_EQ(c.store().count("PutOutgoing a #1 sent"), 1U);
  EXPECT_EQ(c.store().count("PutInflight a #1 released"), 1U);
}

TEST_P(Durable, TheIdentifiersOfAQos2BacklogAreCommittedTogether) {
  constexpr std::size_t kWindow = 100;  // limits.inflight_max
  c.client("a").connects(kept).subscribes("x", qos2).drops();
  auto& p = c.client("p").connects();
  for (std::size_t at = 0; at < 2 * kWindow; ++at)
    p.publishes("x", std::to_string(at), {.qos = 2});
  auto& a = c.client("a").manual().connects(kept);
  const auto first = a.takes_messages();
  ASSERT_EQ(first.size(), kWindow);
  for (const Packet& message : first)
    a.writes_ack(PacketType::pubrec, message.packet_id);
  c.settle();
  c.store().hold();
  for (const Packet& message : first)
    a.writes_ack(PacketType::pubcomp, message.packet_id);
  c.settle();
  EXPECT_TRUE(a.takes_messages().empty());
  EXPECT_EQ(c.store().count("PutInflight a #200"), 1U);  // the window is full: all wait at once
  c.store().release_all();
  c.settle();
  const auto second = a.takes_messages();
  ASSERT_EQ(second.size(), kWindow);
  for (std::size_t at = 0; at < kWindow; ++at)
    EXPECT_EQ(second[at].payload, std::to_string(kWindow + at));
}

TEST_P(Durable, AcknowledgementsLeaveInTheOrderOfTheirPackets) {
  c.client("a").connects(kept).subscribes("kept", qos1).drops();
  auto& p = c.client("p").connects();
  c.store().hold();
  const auto first = p.sends_publish("kept", "1", {.qos = 1});
  const auto second = p.sends_publish("nobody", "2", {.qos = 1});
  const auto third = p.sends_publish("kept", "3", {.qos = 1});
  p.gets_nothing();
  c.store().release_all();
  c.settle();
  EXPECT_EQ(p.next().packet_id, first);
  EXPECT_EQ(p.next().packet_id, second);
  EXPECT_EQ(p.next().packet_id, third);
}

TEST_P(Durable, InOrderAlsoWhenTheStoreAnswersShardsOutOfOrder) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Cluster random{{.shards = GetParam(), .seed = seed}};
    random.store().reorder(seed);
    for (std::uint32_t shard = 0; shard < GetParam(); ++shard) {
      auto& a = random.client(random.name_at(shard, "a")).connects(kept);
      a.subscribes("t" + std::to_string(shard), qos2);
    }
    auto& p = random.client("p").connects();
    std::string bytes;
    for (unsigned at = 1; at <= 40; ++at) {
      PublishOptions options;
      options.qos = 1;
      options.packet_id = static_cast<std::uint16_t>(at);
      bytes += publish_packet(Version::v5, "t" + std::to_string(at % GetParam()),
                              std::to_string(at), options);
    }
    p.sends(bytes);
    for (unsigned at = 1; at <= 40; ++at)
      p.gets_ack(PacketType::puback, at);
  }
}

TEST_P(Durable, ARefusalIsToldInMqtt5) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos2);
  a.drops();
  auto& p = c.client("p").connects();
  c.store().refuse(1);
  const auto first = p.sends_publish("x", "1", {.qos = 1});
  p.gets_ack(PacketType::puback, first, ReasonCode::quota_exceeded);
  c.store().refuse(1);
  const auto second = p.sends_publish("x", "2", {.qos = 2});
  p.gets_ack(PacketType::pubrec, second, ReasonCode::quota_exceeded);
  p.is_open();
  p.publishes("x", "3", {.qos = 2});
  a.connects(kept);
  a.receives("x", "3");
  a.receives_nothing();
}

TEST_P(Durable, ARefusedIdentifierIsFreeAgain) {
  c.client("a").connects(kept).subscribes("x", qos2);
  auto& p = c.client("p").connects(kept);
  c.store().refuse(1);
  p.sends_publish("x", "1", {.qos = 2, .packet_id = 5});
  p.gets_ack(PacketType::pubrec, 5, ReasonCode::quota_exceeded);
  p.sends_publish("x", "2", {.qos = 2, .packet_id = 5});
  p.gets_ack(PacketType::pubrec, 5);
  p.gets_ack(PacketType::pubcomp, 5);
}

TEST_P(Durable, ARefusalClosesAnMqtt3LinkWithoutAcknowledgement) {
  c.client("a").connects(kept).subscribes("x", qos1).drops();
  auto& p = c.client("p").v3().connects();
  c.store().refuse(1);
  p.sends_publish("x", "1", {.qos = 1});
  p.gets_nothing();
  EXPECT_FALSE(p.is_read());
  p.is_open();
  c.after(9s);
  p.is_open();
  c.after(1s);
  p.gets_nothing().is_closed();
}

TEST_P(Durable, ARefusedSubscribeSaysSo) {
  auto& a = c.client("a").connects(kept);
  c.store().refuse(1);
  a.sends_subscribe({"x"}, qos1);
  EXPECT_EQ(a.gets(PacketType::suback).reasons.at(0), ReasonCode::quota_exceeded);
  auto& old = c.client("old").v3().connects({.clean_start = false});
  c.store().refuse(1);
  old.sends_subscribe({"x"}, qos1);
  EXPECT_EQ(old.gets(PacketType::suback).reasons.at(0), ReasonCode::unspecified_error);
}

TEST_P(Durable, ARefusedConnectSaysSo) {
  auto& a = c.client("a");
  c.store().refuse(1);
  a.sends_connect(kept).is_refused(ReasonCode::quota_exceeded);
  a.connects(kept);
}

TEST_P(Durable, WithoutRoomTheLinkIsNotRead) {
  c.client("a").connects(kept).subscribes("x", qos1);
  auto& p = c.client("p").connects();
  auto& other = c.client("other").connects();
  c.store().set_full(true);
  const auto id = p.sends_publish("x", "1", {.qos = 1});
  p.gets_nothing();
  EXPECT_FALSE(p.is_read());
  p.sends(from_hex("c0 00")).gets_nothing();
  other.publishes("x", "zero").pings();  // QoS 0 does not wait for the writer
  c.store().set_full(false);
  p.gets_ack(PacketType::puback, id);
  p.gets(PacketType::pingresp);
  EXPECT_TRUE(p.is_read());
  c.client("a").receives("x", "zero");
  c.client("a").receives("x", "1");
}

TEST_P(Durable, WithoutRoomForLongTheMessageIsRefused) {
  c.client("a").connects(kept).subscribes("x", qos1);
  auto& p = c.client("p").connects({.keep_alive_s = 10});
  c.store().set_full(true);
  const auto id = p.sends_publish("x", "1", {.qos = 1});
  c.after(4s);
  p.gets_nothing().is_open();
  c.after(1s);  // half the Keep Alive
  p.gets_ack(PacketType::puback, id, ReasonCode::quota_exceeded);
  p.is_open();
  auto& old = c.client("old").v3().connects();
  old.sends_publish("x", "2", {.qos = 1});
  c.after(10s);
  old.gets_nothing();
  c.after(10s);
  old.gets_nothing().is_closed();
  c.store().set_full(false);
}

TEST_P(Durable, APausedLinkIsNotTimedOut) {
  auto& p = c.client("p").connects({.keep_alive_s = 4});
  c.client("a").connects(kept).subscribes("x", qos1);
  c.store().set_full(true);
  p.sends_publish("x", "1", {.qos = 1});
  c.after(2s);
  p.gets_ack(PacketType::puback, 1, ReasonCode::quota_exceeded);
  p.sends_publish("x", "2", {.qos = 1});
  c.after(1s);
  c.store().set_full(false);
  c.after(5s);
  p.gets_ack(PacketType::puback, 2);
  p.is_open();
}

TEST_P(Durable, AcknowledgedBeforeTheCommitIsErased) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos1);
  auto& p = c.client("p").connects();
  c.store().hold();
  const auto id = p.sends_publish("x", "1", {.qos = 1});
  a.receives("x", "1");
  EXPECT_EQ(c.store().count("EraseOutgoing a #1"), 1U);
  c.store().release_all();
  p.gets_ack(PacketType::puback, id);
}

TEST(DurableFullMailbox, ThePublisherIsParkedAndNothingIsLost) {
  Config config;
  config.limits.mailbox_messages_max = 3;
  config.limits.receive_maximum = 1000;
  Cluster c{{.shards = 2, .config = config}};
  auto& a = c.client(c.name_at(1, "a")).connects({.receive_maximum = 1000}).subscribes("x", qos1);
  auto& p = c.client(c.name_at(0, "p")).connects();
  auto& q = c.client(c.name_at(0, "q")).connects();
  c.freeze(1);
  for (unsigned at = 0; at < 20; ++at) {
    p.sends_publish("x", "p" + std::to_string(at), {.qos = at % 2});
    q.sends_publish("x", "q" + std::to_string(at), {.qos = at % 2});
  }
  EXPECT_FALSE(p.is_read());
  c.thaw(1);
  EXPECT_TRUE(p.is_read());
  unsigned next_p = 0;
  unsigned next_q = 0;
  for (const Packet& packet : a.takes_messages()) {
    unsigned& next = packet.payload[0] == 'p' ? next_p : next_q;
    EXPECT_EQ(packet.payload.substr(1), std::to_string(next++));
  }
  EXPECT_EQ(next_p, 20U);
  EXPECT_EQ(next_q, 20U);
}

}  // namespace linnet::test

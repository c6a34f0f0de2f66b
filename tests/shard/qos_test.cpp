// QoS 1 and 2 in both directions, reconnecting in the middle of it, windows and quotas.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

class QosFlow : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Cluster c{{.shards = GetParam()}};
  const ConnectOptions kept{.clean_start = false, .expiry_s = 3600};
};

INSTANTIATE_TEST_SUITE_P(Shards, QosFlow, ::testing::Values(1, 2, 4));

TEST_P(QosFlow, EveryCombinationIsTheLowerOfBoth) {
  auto& p = c.client("p").connects();
  for (unsigned wanted = 0; wanted <= 2; ++wanted) {
    auto& a = c.client("a" + std::to_string(wanted)).connects();
    SubscribeOptions options;
    options.qos = wanted;
    a.sends_subscribe({"x"}, options);
    a.gets_suback({static_cast<ReasonCode>(wanted)});
    for (unsigned sent = 0; sent <= 2; ++sent) {
      p.publishes("x", "m", {.qos = sent});
      EXPECT_EQ(a.receives("x", "m").qos, std::min(wanted, sent));
    }
    a.gets_nothing();
    a.disconnects();
  }
}

TEST_P(QosFlow, AReceivedQos2MessageIsPublishedOnceHoweverOftenItComes) {
  auto& a = c.client("a").connects().subscribes("x", qos2);
  auto& p = c.client("p").connects(kept);
  p.manual();
  const auto id = p.sends_publish("x", "once", {.qos = 2});
  p.gets_ack(PacketType::pubrec, id);
  p.sends_publish("x", "once", {.qos = 2, .dup = true, .packet_id = id});
  p.gets_ack(PacketType::pubrec, id);
  p.drops();
  p.connects(kept);
  EXPECT_TRUE(p.connack().session_present);
  p.sends_publish("x", "once", {.qos = 2, .dup = true, .packet_id = id});
  p.gets_ack(PacketType::pubrec, id);
  p.sends_ack(PacketType::pubrel, id);
  p.gets_ack(PacketType::pubcomp, id);
  p.sends_ack(PacketType::pubrel, id);
  p.gets_ack(PacketType::pubcomp, id, ReasonCode::packet_identifier_not_found);
  a.receives("x", "once");
  a.receives_nothing();
  p.sends_publish("x", "new", {.qos = 2, .packet_id = id});
  a.receives("x", "new");
}

TEST_P(QosFlow, AReleaseIsAnsweredOnTheNextConnection) {
  auto& p = c.client("p").connects(kept);
  p.manual();
  const auto id = p.sends_publish("x", "1", {.qos = 2});
  p.gets(PacketType::pubrec);
  p.drops();
  p.connects(kept);
  p.sends_ack(PacketType::pubrel, id);
  p.gets_ack(PacketType::pubcomp, id);
}

TEST_P(QosFlow, UnacknowledgedMessagesComeAgainInOrderWithDup) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos1);
  a.manual();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 5; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  std::vector<Packet> first = a.takes_messages();
  ASSERT_EQ(first.size(), 5U);
  a.acks(first[1]);
  a.drops();
  p.publishes("x", "5", {.qos = 1});
  a.connects(kept);
  EXPECT_TRUE(a.connack().session_present);
  for (const int at : {0, 2, 3, 4}) {
    const Packet packet = a.receives("x", std::to_string(at));
    EXPECT_TRUE(packet.dup);
    EXPECT_EQ(packet.packet_id, first[static_cast<std::size_t>(at)].packet_id);
  }
  EXPECT_FALSE(a.receives("x", "5").dup);
  a.receives_nothing();
}

TEST_P(QosFlow, NothingIsSentAgainOnALiveConnection) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos2);
  a.manual();
  c.client("p").connects().publishes("x", "1", {.qos = 2});
  a.receives("x", "1");
  c.after(1h);
  a.gets_nothing();
}

TEST_P(QosFlow, ReleasesComeAgainAfterPubrec) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos2);
  a.manual();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 3; ++at)
    p.publishes("x", std::to_string(at), {.qos = 2});
  const auto first = a.takes_messages();
  ASSERT_EQ(first.size(), 3U);
  a.acks(first[0]).acks(first[1]);
  a.gets_ack(PacketType::pubrel, first[0].packet_id);
  a.gets_ack(PacketType::pubrel, first[1].packet_id);
  a.sends_ack(PacketType::pubcomp, first[0].packet_id);
  a.drops();
  a.connects(kept);
  const Packet release = a.next();
  EXPECT_EQ(release.type, PacketType::pubrel);
  EXPECT_EQ(release.packet_id, first[1].packet_id);
  const Packet again = a.next();
  EXPECT_EQ(again.payload, "2");
  EXPECT_TRUE(again.dup);
  EXPECT_EQ(again.packet_id, first[2].packet_id);
  a.gets_nothing();
  a.sends_ack(PacketType::pubcomp, release.packet_id);
  a.acks(again).gets_ack(PacketType::pubrel, again.packet_id);
  a.sends_ack(PacketType::pubcomp, again.packet_id);
  a.drops().connects(kept);
  a.gets_nothing();
}

TEST_P(QosFlow, RefusedByTheReceiverIsDone) {
  auto& a = c.client("a").connects(kept).subscribes("x", qos2);
  a.manual();
  auto& p = c.client("p").connects();
  p.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  const auto got = a.takes_messages();
  ASSERT_EQ(got.size(), 2U);
  a.sends_ack(PacketType::puback, got[0].packet_id, ReasonCode::quota_exceeded);
  a.sends_ack(PacketType::pubrec, got[1].packet_id, ReasonCode::quota_exceeded);
  a.gets_nothing();
  a.drops().connects(kept);
  a.gets_nothing();
}

TEST_P(QosFlow, UnknownIdentifiersAreAnswered) {
  auto& a = c.client("a").connects();
  a.manual();
  a.sends_ack(PacketType::puback, 9).gets_nothing();
  a.sends_ack(PacketType::pubrec, 9);
  a.gets_ack(PacketType::pubrel, 9, ReasonCode::packet_identifier_not_found);
  a.sends_ack(PacketType::pubrel, 9);
  a.gets_ack(PacketType::pubcomp, 9, ReasonCode::packet_identifier_not_found);
  a.sends_ack(PacketType::pubcomp, 9).gets_nothing();
  a.is_open();
}

TEST_P(QosFlow, TheClientsReceiveMaximumIsKept) {
  ConnectOptions options = kept;
  options.receive_maximum = 2;
  auto& a = c.client("a").connects(options).subscribes("x", qos2);
  a.manual();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 6; ++at)
    p.publishes("x", std::to_string(at), {.qos = at % 2 ? 2U : 1U});
  auto got = a.takes_messages();
  ASSERT_EQ(got.size(), 2U);
  a.acks(got[1]);
  a.gets_ack(PacketType::pubrel, got[1].packet_id);
  a.receives_nothing();  // PUBREC alone frees no place
  a.sends_ack(PacketType::pubcomp, got[1].packet_id);
  a.receives("x", "2");
  a.acks(got[0]);
  a.receives("x", "3");
  a.receives_nothing();
  a.drops().connects(options);
  EXPECT_EQ(a.takes_messages().size(), 2U);
}

TEST_P(QosFlow, QosZeroGoesPastAFullWindow) {
  auto& a = c.client("a").connects({.receive_maximum = 1}).subscribes("x", qos1);
  a.manual();
  auto& p = c.client("p").connects();
  p.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 1}).publishes("x", "3");
  const Packet first = a.receives("x", "1");
  a.receives("x", "3");
  a.receives_nothing();
  a.acks(first).receives("x", "2");
}

TEST(QosLimits, OurReceiveMaximumEndsTheConnection) {
  Config config;
  config.limits.receive_maximum = 2;
  Cluster c{{.shards = 2, .config = config}};
  c.client("a").connects({.clean_start = false, .expiry_s = 99}).subscribes("x", qos2);
  auto& p = c.client("p").connects();
  EXPECT_EQ(p.connack().number(Property::receive_maximum), 2U);
  p.manual();
  p.sends_publish("x", "1", {.qos = 2});
  p.sends_publish("x", "2", {.qos = 2});
  p.is_open();
  p.sends_publish("x", "3", {.qos = 1});
  p.gets_disconnect(ReasonCode::receive_maximum_exceeded);
}

TEST(QosLimits, TheHighestQosIsKept) {
  Config config;
  config.limits.qos_max = Qos::at_least_once;
  Cluster c{{.shards = 1, .config = config}};
  auto& a = c.client("a").connects();
  EXPECT_EQ(a.connack().number(Property::maximum_qos), 1U);
  a.sends_subscribe({"x"}, qos2);
  a.gets_suback({ReasonCode::granted_qos_1});
  a.sends_publish("x", "1", {.qos = 2});
  a.gets_disconnect(ReasonCode::qos_not_supported);
  a.sends_connect({.will = WillOptions{.topic = "w", .payload = "", .qos = 2}});
  a.is_refused(ReasonCode::qos_not_supported);
}

TEST(QosLimits, IdentifiersGoRoundWithoutMeetingOneInFlight) {
  Cluster c{{.shards = 1}};
  auto& a = c.client("a").connects().subscribes("x", qos1);
  auto& p = c.client("p").connects();
  a.manual();
  p.publishes("x", "held", {.qos = 1});
  const Packet held = a.receives("x", "held");
  for (int at = 0; at < 66'000; ++at) {
    p.writes(publish_packet(Version::v5, "x", "m", {.qos = 1, .packet_id = 1}));
    if (at % 50 != 49) continue;
    c.settle();
    for (const Packet& packet : a.takes_messages()) {
      ASSERT_NE(packet.packet_id, held.packet_id);
      a.writes_ack(PacketType::puback, packet.packet_id);
    }
    p.inbox().clear();
  }
}

}  // namespace linnet::test

// MQTT 5.0, sections 4.1 to 4.6 and 4.9: session state, delivery, order, flow.
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 1'000};

/// "a" has a kept session with a subscription to "x" at QoS 2, and acknowledges by hand.
struct Stage {
  explicit Stage(std::uint32_t shards = 1) : c{{.shards = shards}} {
    a.manual().connects(kKept).subscribes("x", qos2);
    b.connects();
  }

  Cluster c;
  Client& a = c.client("a");
  Client& b = c.client("b");
};

}  // namespace

CONFORMS_V5(StateStaysWhileTheConnectionIsOpen, "MQTT-4.1.0-1") {
  Cluster c;
  auto& a = c.client("a").manual().connects({.expiry_s = 0});
  a.subscribes("x", qos2);
  a.sends_publish("y", "", {.qos = 2, .packet_id = 9});
  auto& b = c.client("b").connects();
  b.publishes("x", "1", {.qos = 2});
  const auto open = a.receives("x", "1");
  c.after(1000h);
  a.sends_ack(PacketType::pubrel, 9).gets(PacketType::pubrec);
  a.gets_ack(PacketType::pubcomp, 9);
  a.acks(open).gets_ack(PacketType::pubrel, open.packet_id);
  b.publishes("x", "2", {.qos = 2});
  a.receives("x", "2");
}

CONFORMS_V5(StateEndsWhenItsExpiryHasPassed, "MQTT-4.1.0-2") {
  Stage s;
  s.a.drops();
  s.b.publishes("x", "owed", {.qos = 1});
  s.c.after(1'001s);
  EXPECT_EQ(s.c.counters().sessions, 1U);
  s.a.connects(kKept);
  EXPECT_FALSE(s.a.connack().session_present);
  s.b.publishes("x", "new", {.qos = 1});
  s.a.receives_nothing();
}

CONFORMS_V5(StateEndsWithTheConnectionWithoutAnExpiry, "MQTT-4.1.0-2") {
  Cluster c;
  auto& a = c.client("a").connects({.expiry_s = 0});
  a.subscribes("x").drops();
  EXPECT_EQ(c.counters().sessions, 0U);
  EXPECT_FALSE(a.connects({.clean_start = false}).connack().session_present);
  c.client("b").connects().publishes("x", "new");
  a.receives_nothing();
}

CONFORMS_V5(Qos0IsSentPlainly, "MQTT-4.3.1-1") {
  Stage s;
  s.b.publishes("x", "1");
  const auto packet = s.a.receives("x", "1");
  EXPECT_EQ(packet.bytes.at(0), 0x30);
}

CONFORMS_V5(NewMessagesHaveFreeIdentifiersAndNoDup, "MQTT-4.3.2-1", "MQTT-4.3.2-2", "MQTT-4.3.3-1",
            "MQTT-4.3.3-2") {
  Stage s;
  std::set<unsigned> ids;
  for (unsigned at = 0; at < 20; ++at) {
    s.b.publishes("x", "m", {.qos = 1 + at % 2});
    const auto packet = s.a.receives("x", "m");
    EXPECT_EQ(packet.qos, 1 + at % 2);
    EXPECT_FALSE(packet.dup);
    EXPECT_TRUE(ids.insert(packet.packet_id).second);
  }
}

CONFORMS_V5(Qos1IsOpenUntilPuback, "MQTT-4.3.2-3") {
  Stage s;
  s.b.publishes("x", "1", {.qos = 1});
  const auto packet = s.a.receives("x", "1");
  s.a.sends_ack(PacketType::puback, packet.packet_id + 1);
  s.a.drops().connects(kKept);
  EXPECT_EQ(s.a.receives("x", "1").packet_id, packet.packet_id);
  s.a.acks(packet).drops().connects(kKept);
  s.a.gets_nothing();
}

CONFORMS_V5(PubackWaitsForOwnership, "MQTT-4.3.2-4") {
  Stage s(2);
  s.a.drops();
  s.c.store().hold();
  s.b.sends_publish("x", "1", {.qos = 1, .packet_id = 300});
  s.b.gets_nothing();
  s.c.store().release_all();
  s.b.gets_ack(PacketType::puback, 300).gets_nothing();
  s.a.connects(kKept).receives("x", "1");
}

CONFORMS_V5(AfterPubackTheIdentifierIsNew, "MQTT-4.3.2-5") {
  Stage s;
  for (const bool dup : {false, false, true}) {
    s.b.publishes("x", "1", {.qos = 1, .dup = dup, .packet_id = 5});
    s.a.receives("x", "1");
  }
}

CONFORMS_V5(Qos2IsOpenUntilPubrec, "MQTT-4.3.3-3", "MQTT-4.3.3-4", "MQTT-4.3.3-5", "MQTT-4.3.3-6") {
  Stage s;
  s.b.publishes("x", "1", {.qos = 2});
  const auto packet = s.a.receives("x", "1");
  s.a.drops().connects(kKept);
  EXPECT_EQ(s.a.receives("x", "1").packet_id, packet.packet_id);
  s.a.acks(packet).gets_ack(PacketType::pubrel, packet.packet_id);
  for (int round = 0; round < 2; ++round) {
    s.a.drops().connects(kKept);
    s.a.gets_ack(PacketType::pubrel, packet.packet_id).gets_nothing();
  }
  s.a.sends_ack(PacketType::pubcomp, packet.packet_id).drops().connects(kKept);
  s.a.gets_nothing();
}

CONFORMS_V5(PubrecIsAlwaysFollowedByPubrel, "MQTT-4.3.3-4") {
  Stage s;
  s.b.publishes("x", "1", {.qos = 2});
  const auto packet = s.a.receives("x", "1");
  s.a.acks(packet).gets_ack(PacketType::pubrel, packet.packet_id);
  s.a.acks(packet).gets_ack(PacketType::pubrel, packet.packet_id);
  s.a.gets_nothing();
}

CONFORMS_V5(ExpiryEndsNoDeliveryUnderWay, "MQTT-4.3.3-7") {
  Stage s;
  s.b.publishes("x", "1", {.qos = 2, .expiry_s = 5});
  const auto packet = s.a.receives("x", "1");
  s.a.drops();
  s.c.after(10s);
  s.a.connects(kKept);
  EXPECT_EQ(s.a.receives("x", "1").packet_id, packet.packet_id);
  s.a.acks(packet).gets_ack(PacketType::pubrel, packet.packet_id);
}

CONFORMS_V5(PubrecWaitsForOwnership, "MQTT-4.3.3-8") {
  Stage s(2);
  s.a.drops();
  s.b.manual();
  s.c.store().hold();
  s.b.sends_publish("x", "1", {.qos = 2, .packet_id = 300});
  s.b.gets_nothing();
  s.c.store().release_all();
  s.b.gets_ack(PacketType::pubrec, 300).gets_nothing();
  s.a.connects(kKept).receives("x", "1");
}

CONFORMS_V5(AfterARefusalTheIdentifierIsNew, "MQTT-4.3.3-9") {
  Stage s;
  s.b.manual();
  s.b.sends_publish("$SYS/x", "", {.qos = 2, .packet_id = 5});
  s.b.gets_ack(PacketType::pubrec, 5, not_authorized);
  s.b.sends_publish("x", "1", {.qos = 2, .packet_id = 5});
  s.b.gets_ack(PacketType::pubrec, 5);
  s.a.receives("x", "1");
}

CONFORMS_V5(ARepeatedQos2MessageIsDeliveredOnce, "MQTT-4.3.3-10", "MQTT-4.3.3-11",
            "MQTT-4.3.3-12") {
  Stage s(2);
  s.b.manual();
  const PublishOptions first{.qos = 2, .packet_id = 5};
  const PublishOptions again{.qos = 2, .dup = true, .packet_id = 5};
  s.b.sends_publish("x", "1", first);
  s.b.gets_ack(PacketType::pubrec, 5);
  s.b.sends_publish("x", "1", again);
  s.b.gets_ack(PacketType::pubrec, 5);
  s.a.receives("x", "1");
  s.a.receives_nothing();
  s.b.sends_ack(PacketType::pubrel, 5).gets_ack(PacketType::pubcomp, 5);
  s.b.sends_publish("x", "2", again);
  s.b.gets_ack(PacketType::pubrec, 5);
  s.a.receives("x", "2");
}

CONFORMS_V5(ARepeatAfterResumingIsDeliveredOnce, "MQTT-4.3.3-10", "MQTT-4.3.3-11") {
  Stage s(2);
  auto& d = s.c.client("d").manual().connects(kKept);
  d.sends_publish("x", "1", {.qos = 2, .packet_id = 5});
  d.drops().connects(kKept);
  d.sends_publish("x", "1", {.qos = 2, .dup = true, .packet_id = 5});
  d.gets_ack(PacketType::pubrec, 5);
  s.a.receives("x", "1");
  s.a.receives_nothing();
  d.sends_ack(PacketType::pubrel, 5).gets_ack(PacketType::pubcomp, 5);
}

CONFORMS_V5(TheHandshakeOfAnExpiredMessageIsFinished, "MQTT-4.3.3-13") {
  Stage s;
  s.b.manual();
  s.b.sends_publish("x", "1", {.qos = 2, .expiry_s = 1, .packet_id = 5});
  s.b.gets_ack(PacketType::pubrec, 5);
  s.c.after(10s);
  s.b.sends_publish("x", "1", {.qos = 2, .dup = true, .expiry_s = 1, .packet_id = 5});
  s.b.gets_ack(PacketType::pubrec, 5);
  s.b.sends_ack(PacketType::pubrel, 5).gets_ack(PacketType::pubcomp, 5);
}

CONFORMS_V5(OpenPacketsAreSentAgainOnResuming, "MQTT-4.4.0-1") {
  Stage s;
  s.b.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  s.b.publishes("x", "3", {.qos = 2});
  const auto one = s.a.receives("x", "1");
  const auto two = s.a.receives("x", "2");
  const auto three = s.a.receives("x", "3");
  s.a.acks(three).gets_ack(PacketType::pubrel, three.packet_id);
  s.a.drops().connects(kKept);
  auto packet = s.a.receives("x", "1");
  EXPECT_TRUE(packet.dup && packet.packet_id == one.packet_id);
  packet = s.a.receives("x", "2");
  EXPECT_TRUE(packet.dup && packet.packet_id == two.packet_id);
  s.a.gets_ack(PacketType::pubrel, three.packet_id).gets_nothing();
}

CONFORMS_V5(NothingIsSentAgainOnALiveConnection, "MQTT-4.4.0-1") {
  Stage s;
  s.b.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  s.a.receives("x", "1");
  const auto two = s.a.receives("x", "2");
  s.c.after(24h);
  s.a.gets_nothing();
  s.a.acks(two).gets_ack(PacketType::pubrel, two.packet_id);
  s.c.after(24h);
  s.a.gets_nothing();
}

CONFORMS_V5(ARefusalSettlesAMessage, "MQTT-4.4.0-2") {
  Stage s;
  s.b.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  const auto one = s.a.receives("x", "1");
  const auto two = s.a.receives("x", "2");
  s.a.sends_ack(PacketType::puback, one.packet_id, quota_exceeded);
  s.a.sends_ack(PacketType::pubrec, two.packet_id, unspecified_error);
  s.a.gets_nothing();
  s.a.drops().connects(kKept);
  s.a.gets_nothing();
}

CONFORMS_V5(EachMatchingSessionIsOwedTheMessage, "MQTT-4.5.0-1") {
  Cluster c{{.shards = 4}};
  for (const auto* name : {"a", "b", "c", "d", "e"}) {
    c.client(name).connects(kKept).subscribes(name < std::string("c") ? "x/#" : "+/y", qos1);
  }
  for (const auto* name : {"a", "c", "e"})
    c.client(name).drops();
  c.client("p").connects().publishes("x/y", "1", {.qos = 1});
  for (const auto* name : {"a", "c", "e"})
    c.client(name).connects(kKept);
  for (const auto* name : {"a", "b", "c", "d", "e"}) {
    c.client(name).receives("x/y", "1");
    c.client(name).receives_nothing();
  }
}

CONFORMS_V5(MessagesStayInOrder, "MQTT-4.6.0-5", "MQTT-4.6.0-6") {
  for (unsigned qos = 0; qos < 3; ++qos) {
    Cluster c{{.shards = 3, .seed = 7 + qos}};
    auto& live = c.client("live").connects({.receive_maximum = 2});
    live.subscribes("x/#", qos2);
    auto& away = c.client("away").connects(kKept);
    away.subscribes("x/#", qos2).drops();
    auto& b = c.client("b").connects();
    for (char at = 'a'; at < 'u'; ++at)
      b.publishes("x/y", std::string(1, at), {.qos = qos});
    for (char at = 'a'; at < 'u'; ++at)
      live.receives("x/y", std::string(1, at));
    away.connects(kKept);
    for (char at = 'a'; qos > 0 && at < 'u'; ++at)
      away.receives("x/y", std::string(1, at));
  }
}

CONFORMS_V5(OrderStaysWhenSentAgain, "MQTT-4.6.0-5") {
  Stage s;
  const std::vector<std::string> payloads{"1", "2", "3", "4"};
  for (const auto& payload : payloads)
    s.b.publishes("x", payload, {.qos = 1});
  for (const auto& payload : payloads)
    s.a.receives("x", payload);
  s.a.drops();
  s.b.publishes("x", "5", {.qos = 1});
  s.a.connects(kKept);
  for (const auto& payload : payloads)
    s.a.receives("x", payload);
  s.a.receives("x", "5");
}

CONFORMS_V5(TheSendQuotaStartsAnewWithEachConnection, "MQTT-4.9.0-1", "MQTT-4.9.0-2") {
  Cluster c;
  ConnectOptions options = kKept;
  options.receive_maximum = 2;
  auto& a = c.client("a").manual().connects(options);
  a.subscribes("x", qos1);
  auto& b = c.client("b").connects();
  for (int at = 0; at < 5; ++at)
    b.publishes("x", "m", {.qos = 1});
  EXPECT_EQ(a.takes_messages().size(), 2U);
  a.drops();
  options.receive_maximum = 1;
  a.connects(options);
  EXPECT_EQ(a.takes_messages().size(), 1U);
  a.drops();
  options.receive_maximum = 65'535;
  a.connects(options);
  EXPECT_EQ(a.takes_messages().size(), 5U);
}

CONFORMS_V5(ARefusalGivesTheQuotaBack, "MQTT-4.9.0-2", "MQTT-4.9.0-3") {
  Cluster c;
  auto& a = c.client("a").manual().connects({.receive_maximum = 1});
  a.subscribes("x", qos2);
  auto& b = c.client("b").connects();
  for (const auto* payload : {"1", "2", "3"})
    b.publishes("x", payload, {.qos = 2});
  const auto first = a.receives("x", "1");
  a.receives_nothing();
  a.sends_ack(PacketType::pubrec, first.packet_id, unspecified_error);
  a.receives("x", "2");
  a.receives_nothing();
  a.pings();
}

}  // namespace linnet::test

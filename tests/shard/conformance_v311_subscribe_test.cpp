// MQTT 3.1.1, sections 3.8 to 3.14: SUBSCRIBE, UNSUBSCRIBE, PINGREQ and DISCONNECT.
#include "conformance_v311.hpp"

namespace linnet::test {

namespace {

/// The flags of the fixed header must be 2, whatever the body.
void wants_flags_0010(Client& bare, unsigned type, const std::string& body) {
  for (unsigned flags = 0; flags < 16; ++flags) {
    SCOPED_TRACE(flags);
    if (flags != 2) ends_link(bare, packet(type << 4 | flags, body));
  }
  keeps_link(bare, packet(type << 4 | 2, body));
}

}  // namespace

CONFORMS_V3(SubscribeFlags, "MQTT-3.8.1-1") {
  Cluster c;
  wants_flags_0010(c.client("a").v3(), 8, from_hex("0001 0001 78 00"));
}

CONFORMS_V3(UnsubscribeFlags, "MQTT-3.10.1-1") {
  Cluster c;
  wants_flags_0010(c.client("a").v3(), 10, from_hex("0001 0001 78"));
}

CONFORMS_V3(FiltersAreText, "MQTT-3.8.3-1", "MQTT-3.10.3-1") {
  Cluster c;
  auto& a = c.client("a").v3();
  for (const std::string bad : {"\xff", "x/\xed\xb0\x80", "\xc1\x81"}) {
    ends_link(a, subscribe_packet(k311, 1, {bad}, {}));
    ends_link(a, subscribe_packet(k311, 1, {"x", bad}, {}));
    ends_link(a, unsubscribe_packet(k311, 1, {bad}));
    ends_link(a, unsubscribe_packet(k311, 1, {"x", bad}));
  }
}

CONFORMS_V3(SubscribeNeedsAFilter, "MQTT-3.8.3-3") {
  Cluster c;
  auto& a = c.client("a").v3();
  ends_link(a, from_hex("82 02 0001"));
  ends_link(a, from_hex("82 05 0001 0001 78"));          // no QoS beside it
  ends_link(a, from_hex("82 08 0001 0001 78 00 0001"));  // half a second one
}

CONFORMS_V3(UnsubscribeNeedsAFilter, "MQTT-3.10.3-2") {
  Cluster c;
  auto& a = c.client("a").v3();
  ends_link(a, from_hex("a2 02 0001"));
  ends_link(a, from_hex("a2 04 0001 0001"));
}

CONFORMS_V3(ReservedBitsBesideAFilter, "MQTT-3.8.3-4") {
  Cluster c;
  auto& a = c.client("a").v3();
  for (unsigned options = 0; options < 256; ++options) {
    SCOPED_TRACE(options);
    const auto bytes = packet(0x82, Bytes().u16(1).text("x").u8(0).text("y").u8(options).str());
    if (options <= 2) {
      keeps_link(a, bytes);
    } else {
      ends_link(a, bytes);
    }
  }
}

CONFORMS_V3(SubscribeIsAnswered, "MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-5") {
  Cluster c{{.shards = 4}};
  auto& a = c.client("a").v3().connects();
  a.gets_hex(kConnackBytes);
  a.sends_hex("82 06 ffff 0001 78 00  82 06 0101 0001 79 02");
  a.gets_hex("90 03 ffff 00  90 03 0101 02");
}

CONFORMS_V3(TheSameFilterReplacesTheSubscription, "MQTT-3.8.4-3") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "kept", {.qos = 2, .retain = true});
  auto& a = c.client("a").v3().connects();
  EXPECT_EQ(a.subscribes("x", qos2).receives("x", "kept").qos, 2U);
  const Packet again = a.subscribes("x", qos1).receives("x", "kept");
  EXPECT_TRUE(again.retain);
  EXPECT_EQ(again.qos, 1U);
  p.publishes("x", "live", {.qos = 2});
  EXPECT_EQ(a.receives("x", "live").qos, 1U);
  a.receives_nothing();
}

CONFORMS_V3(ReplacingDoesNotInterruptTheFlow, "MQTT-3.8.4-3") {
  Cluster c{{.shards = 2, .seed = 7}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos1);
  auto& p = c.client("p").v3().connects();
  for (std::uint16_t at = 1; at <= 20; ++at) {
    a.writes(subscribe_packet(k311, at, {"x"}, qos1));
    p.writes(publish_packet(k311, "x", std::to_string(at), {.qos = 1, .packet_id = at}));
  }
  c.settle();
  for (int at = 1; at <= 20; ++at)
    a.receives("x", std::to_string(at));
  a.receives_nothing();
}

CONFORMS_V3(ManyFiltersWorkLikeManySubscribes, "MQTT-3.8.4-4", "MQTT-3.8.4-5", "MQTT-3.9.3-1") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  p.publishes("z", "kept", {.retain = true});
  auto& a = c.client("a").v3().connects();
  a.gets_hex(kConnackBytes);
  a.sends_hex("82 12 0007  0001 78 00  0001 79 02  0001 77 01  0001 76 02")
      .gets_hex("90 06 0007 00 02 01 02");
  for (const char* topic : {"v", "w", "x", "y"})
    p.publishes(topic, "1", {.qos = 2});
  EXPECT_EQ(a.receives("v", "1").qos, 2U);
  EXPECT_EQ(a.receives("w", "1").qos, 1U);
  EXPECT_EQ(a.receives("x", "1").qos, 0U);
  EXPECT_EQ(a.receives("y", "1").qos, 2U);
  a.sends_subscribe({"none", "z"});
  a.gets(PacketType::suback);
  a.receives("z", "kept");
}

CONFORMS_V3(SubackHasACodeForEachFilter, "MQTT-3.8.4-5", "MQTT-3.9.3-1", "MQTT-3.9.3-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects();
  a.sends_subscribe({"ok", "bad/#/x", "x+", "fine/+", "#"}, qos1);
  a.gets_suback({ReasonCode::granted_qos_1, kRefused, kRefused, ReasonCode::granted_qos_1,
                 ReasonCode::granted_qos_1});
  a.is_open();
}

CONFORMS_V3(SubackKnowsFourCodes, "MQTT-3.9.3-2") {
  Config config;
  config.limits.subscriptions_max = 1;
  Cluster c{{.shards = 2, .config = config}};
  auto& a = c.client("a").v3().connects(kKept);
  for (const auto& options : {qos0, qos1, qos2}) {
    a.sends_subscribe({"x"}, options);
    a.gets_suback({static_cast<ReasonCode>(options.qos)});
  }
  a.sends_subscribe({"y", "", "$share//x"}, qos1);
  a.gets_suback({kRefused, kRefused, kRefused});
  c.store().refuse(1);
  a.sends_subscribe({"x"}, qos1);
  a.gets_suback({kRefused});
}

CONFORMS_V3(DeliveryIsAtTheLowerQos, "MQTT-3.8.4-6") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  auto& a = c.client("a").v3().connects();
  for (const auto& granted : {qos0, qos1, qos2}) {
    a.subscribes("x", granted);
    for (unsigned sent = 0; sent <= 2; ++sent) {
      p.publishes("x", "m", {.qos = sent});
      EXPECT_EQ(a.receives("x", "m").qos, std::min(granted.qos, sent));
      a.receives_nothing();
    }
  }
}

CONFORMS_V3(UnsubscribeRemovesTheEqualFilter, "MQTT-3.10.4-1", "MQTT-3.10.4-2") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  auto& a = c.client("a").v3().connects().subscribes("x/y", qos1);
  for (const char* other : {"x/#", "x/+", "#", "X/y", "x/y/", "/x/y", "x"})
    a.unsubscribes(other);
  p.publishes("x/y", "1", {.qos = 1});
  a.receives("x/y", "1");
  a.unsubscribes("x/y");
  p.publishes("x/y", "2", {.qos = 1});
  a.receives_nothing();
}

CONFORMS_V3(UnsubscribeLeavesOverlappingFilters, "MQTT-3.10.4-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x/#", qos1).subscribes("x/y", qos2);
  a.unsubscribes("x/y");
  c.client("p").v3().connects().publishes("x/y", "1", {.qos = 2});
  EXPECT_EQ(a.receives("x/y", "1").qos, 1U);
  a.receives_nothing();
}

CONFORMS_V3(UnsubscribeIsForTheKeptSessionToo, "MQTT-3.10.4-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1).unsubscribes("x");
  a.drops();
  c.client("p").v3().connects().publishes("x", "1", {.qos = 1});
  a.connects(kKept).gets_nothing();
}

CONFORMS_V3(DeliveriesThatHaveBegunAreFinished, "MQTT-3.10.4-3") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2).manual();
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  a.receives("x", "1");
  const Packet second = a.receives("x", "2");
  a.unsubscribes("x");
  a.acks(second).gets_ack(PacketType::pubrel, second.packet_id);
  a.drops().connects(kKept);
  const Packet first = a.receives("x", "1");
  a.acks(first).gets_ack(PacketType::pubrel, second.packet_id);
  a.sends_ack(PacketType::pubcomp, second.packet_id);
  a.drops().connects(kKept).gets_nothing();
}

CONFORMS_V3(UnsubackComesForAnUnknownFilter, "MQTT-3.10.4-4", "MQTT-3.10.4-5") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects();
  a.gets_hex(kConnackBytes);
  a.sends_hex("a2 05 0102 0001 78").gets_hex("b0 02 0102");
  a.sends_hex("a2 08 0103 0001 78 0001 79").gets_hex("b0 02 0103");
}

CONFORMS_V3(ManyFiltersInAnUnsubscribe, "MQTT-3.10.4-6") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects();
  a.subscribes("x").subscribes("y").subscribes("z");
  a.gets_hex("20 02 00 00  90 03 0001 00  90 03 0002 00  90 03 0003 00");
  a.sends_unsubscribe({"x", "none", "z"});
  a.gets_hex("b0 02 0004");
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1").publishes("y", "1").publishes("z", "1");
  a.receives("y", "1");
  a.receives_nothing();
}

CONFORMS_V3(PingreqIsAnswered, "MQTT-3.12.4-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects();
  a.gets_hex(kConnackBytes);
  a.sends_hex("c0 00").gets_hex("d0 00");
  a.sends_hex("c0 00 c0 00").gets_hex("d0 00 d0 00");
  ends_link(a, from_hex("c0 01 00"));
}

CONFORMS_V3(DisconnectWithReservedFlagsIsNone, "MQTT-3.14.1-1") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  auto& a = c.client("a").v3();
  for (unsigned flags = 1; flags < 16; ++flags) {
    a.connects({.will = WillOptions{.topic = "w", .payload = "gone"}});
    a.sends(packet(0xE0 | flags, "")).is_closed();
    watcher.receives("w", "gone");  // not an orderly end
  }
}

CONFORMS_V3(WhatFollowsDisconnectIsNotProcessed, "MQTT-3.14.4-2") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3().connects();
  a.sends(from_hex("e0 00") + publish_packet(k311, "x", "1", {.qos = 1, .packet_id = 1}));
  a.is_closed().gets_hex(kConnackBytes);
  watcher.receives_nothing();
}

CONFORMS_V3(DisconnectEndsTheWillInEverySession, "MQTT-3.14.4-3") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  const WillOptions will{.topic = "w", .payload = "gone", .qos = 2, .retain = true};
  c.client("a").v3().connects({.will = will}).disconnects();
  c.client("b").v3().connects({.clean_start = false, .will = will}).disconnects();
  c.after(1h);
  watcher.receives_nothing();
  c.client("late").v3().connects().subscribes("w").receives_nothing();
}

}  // namespace linnet::test

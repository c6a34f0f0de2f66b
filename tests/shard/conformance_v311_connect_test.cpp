// MQTT 3.1.1, sections 3.1.0 and 3.1.2: the head of CONNECT, Clean Session and Keep Alive.
#include "conformance_v311.hpp"

namespace linnet::test {

CONFORMS_V3(ConnectComesFirst, "MQTT-3.1.0-1") {
  Cluster c;
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3();
  gets_no_connack(a, publish_packet(k311, "x", "1", {}));
  gets_no_connack(a, subscribe_packet(k311, 1, {"x"}, {}));
  gets_no_connack(a, from_hex("c0 00"));
  gets_no_connack(a, from_hex("e0 00"));
  gets_no_connack(a, from_hex("40 02 00 01"));
  watcher.receives_nothing();
}

CONFORMS_V3(ASecondConnectEndsTheLink, "MQTT-3.1.0-2") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3();
  ends_link(a, connect_packet(k311, "a", {}));
  ends_link(a, connect_packet(k311, "another", {}));
  a.connects({.will = WillOptions{.topic = "w", .payload = "gone"}});
  a.sends(connect_packet(k311, "a", {})).is_closed();
  watcher.receives("w", "gone");
}

CONFORMS_V3(AWrongProtocolNameIsNotServed, "MQTT-3.1.2-1") {
  Cluster c;
  auto& a = c.client("a").v3();
  for (const char* name : {"MQTX", "mqtt", "MQT", "MQTTT", "", "HTTP"}) {
    SCOPED_TRACE(name);
    gets_no_connack(a, packet(0x10, Bytes().text(name).u8(4).u8(2).u16(0).text("a").str()));
  }
  a.opens().sends(packet(0x10, Bytes().text("MQTT").u8(4).u8(2).u16(0).text("a").str()));
  a.gets_hex(kConnackBytes);
}

CONFORMS_V3(AnUnknownLevelGetsReturnCodeOne, "MQTT-3.1.2-2", "MQTT-3.2.2-5") {
  Cluster c;
  auto& a = c.client("a").v3();
  for (const unsigned level : {0U, 1U, 2U, 3U, 0x83U, 0x84U}) {
    SCOPED_TRACE(level);
    a.opens().sends(packet(0x10, Bytes().text("MQTT").u8(level).u8(2).u16(0).text("a").str()));
    a.is_closed().gets_hex("20 02 00 01");
  }
}

CONFORMS_V3(TheReservedConnectFlagIsZero, "MQTT-3.1.2-3") {
  Cluster c;
  auto& a = c.client("a").v3();
  gets_no_connack(a, connect_with(0x03, Bytes().text("a")));
  gets_no_connack(a, connect_with(0x01, Bytes().text("a")));
  a.opens().sends(connect_with(0x02, Bytes().text("a"))).gets_hex(kConnackBytes);
}

CONFORMS_V3(CleanSessionZeroContinuesTheSession, "MQTT-3.1.2-4", "MQTT-3.1.2-5", "MQTT-4.5.0-1",
            "MQTT-3.1.4-3") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2);
  EXPECT_FALSE(a.connack().session_present);
  a.disconnects();
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2}).publishes("y", "3", {.qos = 1});
  a.connects(kKept);
  EXPECT_TRUE(a.connack().session_present);
  EXPECT_EQ(a.receives("x", "1").qos, 1U);
  EXPECT_EQ(a.receives("x", "2").qos, 2U);
  p.publishes("x", "4");
  a.receives("x", "4");
  a.receives_nothing();
}

CONFORMS_V3(AKeptSessionOutlivesACutWire, "MQTT-3.1.2-4", "MQTT-3.1.2-5", "MQTT-4.1.0-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x/+", qos1);
  a.drops();
  c.after(24h);
  c.client("p").v3().connects().publishes("x/y", "1", {.qos = 2});
  c.after(24h);
  a.connects(kKept);
  EXPECT_EQ(a.receives("x/y", "1").qos, 1U);
}

CONFORMS_V3(CleanSessionDropsTheOldSession, "MQTT-3.1.2-6", "MQTT-3.1.4-3") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1);
  a.disconnects();
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 1});
  a.connects();
  EXPECT_FALSE(a.connack().session_present);
  p.publishes("x", "2", {.qos = 1});
  a.gets_nothing();
}

CONFORMS_V3(ACleanSessionEndsWithItsLink, "MQTT-3.1.2-6") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos1);
  a.drops();
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 1});
  a.connects(kKept);
  EXPECT_FALSE(a.connack().session_present);
  p.publishes("x", "2", {.qos = 1});
  a.gets_nothing();
}

CONFORMS_V3(RetainedMessagesOutliveTheSession, "MQTT-3.1.2-7") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects();
  a.publishes("x", "clean", {.retain = true}).drops();
  auto& b = c.client("b").v3().connects(kKept);
  b.publishes("y", "kept", {.qos = 1, .retain = true}).disconnects();
  b.connects().disconnects();
  auto& late = c.client("late").v3().connects();
  late.subscribes("x").receives("x", "clean");
  late.subscribes("y").receives("y", "kept");
}

CONFORMS_V3(KeepAliveEndsASilentLink, "MQTT-3.1.2-24") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  auto& a = c.client("a").v3();
  a.connects({.keep_alive_s = 10, .will = WillOptions{.topic = "w", .payload = "gone"}});
  c.after(14'500ms);
  a.is_open();
  watcher.receives_nothing();
  c.after(1s);
  a.is_closed().gets_hex(kConnackBytes);
  watcher.receives("w", "gone");  // as if its network had failed
}

CONFORMS_V3(AnyPacketCountsForKeepAlive, "MQTT-3.1.2-24", "MQTT-3.12.4-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects({.keep_alive_s = 10});
  for (int at = 0; at < 5; ++at) {
    c.after(14s);
    a.pings();
    c.after(14s);
    a.publishes("x", "1");
  }
  c.after(16s);
  a.is_closed();
}

CONFORMS_V3(KeepAliveZeroIsOff, "MQTT-3.1.2-24") {
  Cluster c;
  auto& a = c.client("a").v3().connects({.keep_alive_s = 0});
  c.after(24h);
  a.is_open().pings();
}

}  // namespace linnet::test

// MQTT 3.1.1, sections 3.1.3, 3.1.4 and 3.2: the payload of CONNECT, and its answer.
#include "conformance_v311.hpp"

namespace linnet::test {

CONFORMS_V3(TheOrderOfThePayload, "MQTT-3.1.3-1") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3();
  // Bytes that are no text show that the Will Message is third and the password last.
  a.opens().sends(
      connect_with(0xC4, Bytes().text("kept").text("w/t").text("\xff").text("user").text("\xfe")));
  a.gets_hex(kConnackBytes).drops();
  watcher.receives("w/t", "\xff");
  c.client("kept").v3().connects(kKept);
  EXPECT_TRUE(c.client("kept").connack().session_present);
}

CONFORMS_V3(EachClientIdHasItsOwnSession, "MQTT-3.1.3-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1);
  auto& b = c.client("b").v3().connects(kKept).subscribes("y", qos1);
  a.drops();
  b.drops();
  c.client("p").v3().connects().publishes("x", "1", {.qos = 1}).publishes("y", "2", {.qos = 1});
  auto& other = c.client("A").v3().connects(kKept);
  EXPECT_FALSE(other.connack().session_present);
  other.gets_nothing();
  b.connects(kKept).receives("y", "2");
  b.receives_nothing();
  a.connects(kKept).receives("x", "1");
  a.receives_nothing();
}

CONFORMS_V3(TheClientIdIsAlwaysThere, "MQTT-3.1.3-3") {
  Cluster c;
  auto& a = c.client("a").v3();
  gets_no_connack(a, connect_with(0x02, Bytes()));
  gets_no_connack(a, connect_with(0x02, Bytes().u8(0)));
  gets_no_connack(a, connect_with(0x02, Bytes().u16(2).raw("a")));
}

CONFORMS_V3(TextInConnectIsUtf8, "MQTT-3.1.3-4", "MQTT-3.1.3-10", "MQTT-3.1.3-11") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3();
  for (const auto& bytes : connects_with("a\xc3("))
    gets_no_connack(a, bytes);
  for (const auto& bytes : connects_with("\xc3\xa9")) {
    a.opens().sends(bytes).is_open().gets_hex(kConnackBytes);
  }
}

CONFORMS_V3(ShortPlainClientIds, "MQTT-3.1.3-5") {
  Cluster c{{.shards = 2}};
  for (const char* id :
       {"0", "Z", "0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ"}) {
    auto& a = c.client(id).v3().connects(kKept).disconnects();
    EXPECT_TRUE(a.connects(kKept).connack().session_present) << id;
  }
}

CONFORMS_V3(AnEmptyClientIdIsGivenAUniqueOne, "MQTT-3.1.3-6") {
  Cluster c{{.shards = 2}};
  auto& a = c.another("").v3().connects().subscribes("x");
  auto& b = c.another("").v3().connects().subscribes("x");
  auto& d = c.another("").v3().connects();
  d.publishes("x", "1");
  a.is_open().receives("x", "1");
  b.is_open().receives("x", "1");
}

CONFORMS_V3(AnEmptyClientIdNeedsACleanSession, "MQTT-3.1.3-7", "MQTT-3.1.3-8", "MQTT-3.1.3-9") {
  Cluster c{{.shards = 2}};
  auto& a = c.another("").v3();
  a.sends_connect(kKept).is_closed().gets_hex("20 02 00 02");
  a.connects().is_open();
}

CONFORMS_V3(AMalformedConnectGetsNoConnack, "MQTT-3.1.4-1") {
  Cluster c;
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3();
  const std::string whole = connect_packet(
      k311, "a", {.will = WillOptions{.topic = "w", .payload = "gone"}, .user_name = "user"});
  for (std::size_t size = 2; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    gets_no_connack(a, packet(0x10, std::string_view(whole).substr(2, size - 2)));
  }
  gets_no_connack(a, packet(0x10, whole.substr(2) + "?"));
  gets_no_connack(a, connect_packet(k311, "a", {.will = WillOptions{.topic = "", .payload = ""}}));
  gets_no_connack(a, connect_packet(k311, "a", {.will = WillOptions{.topic = "#", .payload = ""}}));
  watcher.receives_nothing();
  a.opens().sends(whole).gets_hex(kConnackBytes);
}

CONFORMS_V3(ASecondConnectionTakesOver, "MQTT-3.1.4-2") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  for (std::uint32_t shard = 0; shard < c.shards(); ++shard) {
    auto& first = c.another("a").v3().at(shard);
    first.connects({.will = WillOptions{.topic = "w", .payload = "gone"}});
    auto& second = c.another("a").v3().at(1 - shard).connects();
    first.is_closed().gets_hex(kConnackBytes);
    second.is_open().pings();
    watcher.receives("w", "gone");
    second.disconnects();
  }
}

CONFORMS_V3(AKeptSessionIsTakenOver, "MQTT-3.1.4-2", "MQTT-3.1.4-3") {
  Cluster c{{.shards = 2}};
  auto& first = c.client("a").v3().connects(kKept).subscribes("x", qos1);
  auto& second = c.another("a").v3().connects(kKept);
  first.is_closed();
  EXPECT_TRUE(second.connack().session_present);
  c.client("p").v3().connects().publishes("x", "1", {.qos = 1});
  second.receives("x", "1");
  first.receives_nothing();
}

CONFORMS_V3(AValidConnectGetsReturnCodeZero, "MQTT-3.1.4-4", "MQTT-3.2.0-1") {
  Cluster c{{.shards = 2}};
  for (std::uint32_t shard = 0; shard < c.shards(); ++shard) {
    auto& a = c.client(c.name_at(shard)).v3().at(0);
    a.sends_connect().is_open().gets_hex("20 02 00 00");
  }
}

CONFORMS_V3(NothingAfterARefusedConnectIsProcessed, "MQTT-3.1.4-5") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.another("").v3();
  const std::string more = publish_packet(k311, "x", "1", {.retain = true});
  a.opens().sends(connect_packet(k311, "", kKept) + more).is_closed().gets_hex("20 02 00 02");
  a.opens().sends(connect_packet(static_cast<Version>(1), "a", {}) + more).is_closed();
  gets_no_connack(a, connect_with(0x03, Bytes().text("a")) + more);
  watcher.receives_nothing();
  c.client("late").v3().connects().subscribes("x").receives_nothing();
}

CONFORMS_V3(WhatFollowsAnAcceptedConnectIsProcessed, "MQTT-3.1.4-5", "MQTT-3.2.0-1") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("x");
  auto& a = c.client(c.name_at(1)).v3().at(0);
  a.opens().sends(connect_packet(k311, a.id(), {}) + publish_packet(k311, "x", "1", {}) +
                  from_hex("82 06 0001 0001 78 00"));
  a.gets_hex("20 02 00 00  90 03 0001 00");
  watcher.receives("x", "1");
}

CONFORMS_V3(ConnackIsTheFirstPacket, "MQTT-3.2.0-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1).disconnects();
  c.client("p").v3().connects().publishes("x", "1", {.qos = 1});
  a.sends_connect(kKept);
  EXPECT_EQ(a.next().type, PacketType::connack);
  EXPECT_EQ(a.next().type, PacketType::publish);
}

CONFORMS_V3(ConnackWaitsAheadOfMessages, "MQTT-3.2.0-1") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1).disconnects();
  c.store().hold();
  a.sends_connect(kKept).gets_nothing();
  p.publishes("x", "0");
  a.gets_nothing();
  c.store().release_all();
  c.settle();
  EXPECT_EQ(a.next().type, PacketType::connack);
}

CONFORMS_V3(SessionPresentOfACleanSession, "MQTT-3.2.2-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3();
  a.sends_connect().gets_hex("20 02 00 00");
  a.connects(kKept).disconnects();
  a.sends_connect().gets_hex("20 02 00 00");
}

CONFORMS_V3(SessionPresentOfAKeptSession, "MQTT-3.2.2-2", "MQTT-3.2.2-3") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3();
  a.sends_connect(kKept).gets_hex("20 02 00 00");
  a.sends_connect(kKept).gets_hex("20 02 01 00");
  a.disconnects().sends_connect(kKept).gets_hex("20 02 01 00");
  a.connects().disconnects();
  a.sends_connect(kKept).gets_hex("20 02 00 00");
}

CONFORMS_V3(ARefusalHasNoSessionPresent, "MQTT-3.2.2-4", "MQTT-3.2.2-5") {
  Config config;
  config.limits.connections_max = 1;
  Cluster c{{.shards = 1, .config = config}};
  auto& a = c.client("a").v3().connects(kKept).disconnects();
  c.client("b").v3().connects();
  a.sends_connect(kKept).is_closed().gets_hex("20 02 00 03");
  c.client("b").disconnects();
  a.sends_connect(kKept).is_open().gets_hex("20 02 01 00");
}

}  // namespace linnet::test

// MQTT 3.1.1, section 3.1.2.5 to 3.1.2.9: the Will, user name and password.
#include "conformance_v311.hpp"

namespace linnet::test {

namespace {

ConnectOptions with_will(unsigned qos = 0, bool retain = false) {
  return {.will = WillOptions{.topic = "w", .payload = "gone", .qos = qos, .retain = retain}};
}

}  // namespace

CONFORMS_V3(AWillIsPublishedWhenTheWireIsCut, "MQTT-3.1.2-8") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  auto& a = c.client("a").v3().connects(with_will());
  watcher.receives_nothing();
  a.drops();
  watcher.receives("w", "gone");
  watcher.gets_nothing();
}

CONFORMS_V3(AWillIsPublishedAfterAProtocolError, "MQTT-3.1.2-8") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  c.client("a").v3().connects(with_will()).sends_hex("f0 00").is_closed();
  watcher.receives("w", "gone");
}

CONFORMS_V3(AWillOfAKeptSessionIsPublishedAtOnce, "MQTT-3.1.2-8") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  ConnectOptions options = with_will();
  options.clean_start = false;
  c.client("a").v3().connects(options).drops();
  watcher.receives("w", "gone");
}

CONFORMS_V3(AWillHasItsQosAndRetain, "MQTT-3.1.2-9", "MQTT-3.1.2-14") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w", qos2);
  for (unsigned qos = 0; qos <= 2; ++qos) {
    c.client("a").v3().connects(with_will(qos, true)).drops();
    EXPECT_EQ(watcher.receives("w", "gone").qos, qos);
    auto& late = c.client("late").v3().connects().subscribes("w", qos2);
    const Packet retained = late.receives("w", "gone");
    EXPECT_EQ(retained.qos, qos);
    EXPECT_TRUE(retained.retain);
  }
}

CONFORMS_V3(WillFieldsMustBeThere, "MQTT-3.1.2-9") {
  Cluster c;
  auto& a = c.client("a").v3();
  gets_no_connack(a, connect_with(0x06, Bytes().text("a")));
  gets_no_connack(a, connect_with(0x06, Bytes().text("a").text("w")));
  a.opens().sends(connect_with(0x06, Bytes().text("a").text("w").text(""))).gets_hex(kConnackBytes);
}

CONFORMS_V3(AWillIsPublishedOnce, "MQTT-3.1.2-10") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  ConnectOptions options = with_will();
  options.clean_start = false;
  auto& a = c.client("a").v3().connects(options).drops();
  watcher.receives("w", "gone");
  a.connects(kKept).drops();
  c.after(1h);
  watcher.receives_nothing();
}

CONFORMS_V3(DisconnectDropsTheWill, "MQTT-3.1.2-10", "MQTT-3.14.4-3") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  ConnectOptions options = with_will();
  auto& a = c.client("a").v3().connects(options).disconnects();
  options.clean_start = false;
  a.connects(options).disconnects();
  a.connects(kKept).drops();
  c.after(1h);
  watcher.receives_nothing();
}

CONFORMS_V3(NoWillFlagNoWillFields, "MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.2-15") {
  Cluster c;
  auto& a = c.client("a").v3();
  for (const unsigned flags : {0x08U, 0x10U, 0x18U, 0x20U, 0x28U}) {
    SCOPED_TRACE(flags);
    gets_no_connack(a, connect_with(0x02 | flags, Bytes().text("a")));
    gets_no_connack(a, connect_with(0x02 | flags, Bytes().text("a").text("w").text("gone")));
  }
  gets_no_connack(a, connect_with(0x02, Bytes().text("a").text("w").text("gone")));
}

CONFORMS_V3(WithoutAWillNothingIsPublished, "MQTT-3.1.2-12") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3();
  a.connects().drops();
  a.connects(kKept).drops();
  a.connects({.keep_alive_s = 1});
  c.after(2s);
  a.is_closed();
  watcher.receives_nothing();
}

CONFORMS_V3(WillQosThreeIsRefused, "MQTT-3.1.2-14") {
  Cluster c;
  gets_no_connack(c.client("a").v3(), connect_packet(k311, "a", with_will(3)));
}

CONFORMS_V3(AWillWithoutRetainIsNotRetained, "MQTT-3.1.2-16") {
  Cluster c{{.shards = 2}};
  c.client("p").v3().connects().publishes("w", "before", {.retain = true});
  auto& watcher = c.client("watcher").v3().connects().subscribes("w");
  watcher.receives("w", "before");
  c.client("a").v3().connects(with_will(1)).drops();
  EXPECT_FALSE(watcher.receives("w", "gone").retain);
  c.client("late").v3().connects().subscribes("w").receives("w", "before");
}

CONFORMS_V3(AWillWithRetainIsRetained, "MQTT-3.1.2-17") {
  Cluster c{{.shards = 2}};
  c.client("p").v3().connects().publishes("w", "before", {.retain = true});
  c.client("a").v3().connects(with_will(1, true)).drops();
  auto& late = c.client("late").v3().connects().subscribes("w", qos2);
  const Packet retained = late.receives("w", "gone");
  EXPECT_TRUE(retained.retain);
  EXPECT_EQ(retained.qos, 1U);
}

CONFORMS_V3(UserNameAndItsFlag, "MQTT-3.1.2-18", "MQTT-3.1.2-19") {
  Cluster c;
  auto& a = c.client("a").v3();
  gets_no_connack(a, connect_with(0x02, Bytes().text("a").text("user")));
  gets_no_connack(a, connect_with(0x82, Bytes().text("a")));
  a.opens().sends(connect_with(0x82, Bytes().text("a").text("user"))).gets_hex(kConnackBytes);
}

CONFORMS_V3(PasswordAndItsFlag, "MQTT-3.1.2-20", "MQTT-3.1.2-21", "MQTT-3.1.2-22") {
  Cluster c;
  auto& a = c.client("a").v3();
  const Bytes both = Bytes().text("a").text("user").text("word");
  const Bytes one = Bytes().text("a").text("user");
  gets_no_connack(a, connect_with(0x82, both));
  gets_no_connack(a, connect_with(0xC2, one));
  gets_no_connack(a, connect_with(0x42, one));
  gets_no_connack(a, connect_with(0x42, both));
  a.opens().sends(connect_with(0xC2, both)).gets_hex(kConnackBytes);
}

}  // namespace linnet::test

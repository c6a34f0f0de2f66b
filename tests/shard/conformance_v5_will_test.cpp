// MQTT 5.0, section 3.1: the Will Message.
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

namespace {

/// A cluster with somebody who hears every will.
struct Stage {
  explicit Stage(const Config& config = {}) : c{{.shards = 2, .config = config}} {
    witness.connects().subscribes("will/#", {.qos = 2, .retain_as_published = true});
  }
  Client& dies(const WillOptions& will, std::uint32_t expiry_s = 0) {
    return c.client("a").connects({.expiry_s = expiry_s, .will = will}).drops();
  }

  Cluster c;
  Client& witness = c.client("witness");
};

const WillOptions kDelayed{.topic = "will/a", .payload = "gone", .delay_s = 10};

}  // namespace

CONFORMS_V5(TheWillStaysWithTheSession, "MQTT-3.1.2-7", "MQTT-3.1.2-8") {
  Stage s;
  s.dies(kDelayed, 100);
  s.c.after(9s);
  s.witness.receives_nothing();
  s.c.after(2s);
  s.witness.receives("will/a", "gone");
}

CONFORMS_V5(TheWillComesAtTheSessionsEnd, "MQTT-3.1.2-8") {
  Stage s;
  s.dies(kDelayed, 5);
  s.c.after(4s);
  s.witness.receives_nothing();
  s.c.after(2s);
  s.witness.receives("will/a", "gone");
  s.c.after(60s);
  s.witness.receives_nothing();
}

CONFORMS_V5(TheWillComesWithANewSession, "MQTT-3.1.2-8") {
  Stage s;
  s.dies(kDelayed, 100).connects({.clean_start = true});
  s.witness.receives("will/a", "gone");
}

CONFORMS_V5(TheWillComesForEveryOtherEnd, "MQTT-3.1.2-8") {
  const WillOptions will{.topic = "will/a", .payload = "gone"};
  Stage s;
  auto& a = s.c.client("a");
  a.connects({.will = will}).drops();
  s.witness.receives("will/a", "gone");
  a.connects({.will = will}).disconnects(disconnect_with_will);
  s.witness.receives("will/a", "gone");
  a.connects({.will = will}).sends_hex("c1 00").is_closed();
  s.witness.receives("will/a", "gone");
  a.connects({.will = will});
  s.c.another("a").connects();
  s.witness.receives("will/a", "gone");
}

CONFORMS_V5(ADisconnectCallsTheWillOff, "MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.14.4-3") {
  Stage s;
  auto& a = s.c.client("a");
  a.connects({.will = WillOptions{.topic = "will/a", .payload = "gone"}}).disconnects();
  a.connects({.expiry_s = 20, .will = kDelayed}).disconnects();
  s.c.after(60s);
  s.witness.receives_nothing();
}

CONFORMS_V5(APublishedWillIsForgotten, "MQTT-3.1.2-10") {
  Stage s;
  s.dies({.topic = "will/a", .payload = "gone"}, 100);
  s.witness.receives("will/a", "gone");
  s.c.client("a").connects({.clean_start = false, .expiry_s = 1}).drops();
  s.c.after(60s);
  s.witness.receives_nothing();
}

CONFORMS_V5(WillFlagsWithoutAWillAreRefused, "MQTT-3.1.2-11", "MQTT-3.1.2-13") {
  refuses(raw_connect(0x0a, field("a")), malformed_packet);
  refuses(raw_connect(0x12, field("a")), malformed_packet);
  refuses(raw_connect(0x1a, field("a")), malformed_packet);
  refuses(raw_connect(0x22, field("a")), malformed_packet);
}

CONFORMS_V5(TheWillHasAQos, "MQTT-3.1.2-12") {
  Stage s;
  for (const unsigned qos : {0U, 1U, 2U}) {
    s.dies({.topic = "will/a", .payload = "gone", .qos = qos});
    EXPECT_EQ(s.witness.receives("will/a", "gone").qos, qos);
  }
  const std::string no_properties(1, '\0');
  refuses(raw_connect(0x1e, field("a") + no_properties + field("will") + field("")),
          malformed_packet);
}

CONFORMS_V5(AWillIsNotRetainedUnlessAsked, "MQTT-3.1.2-14") {
  Stage s;
  s.dies({.topic = "will/a", .payload = "gone"});
  EXPECT_FALSE(s.witness.receives("will/a", "gone").retain);
  s.witness.subscribes("will/#").receives_nothing();
}

CONFORMS_V5(ARetainedWillIsRetained, "MQTT-3.1.2-15") {
  Stage s;
  s.c.client("b").connects().publishes("will/a", "here", {.retain = true});
  s.witness.receives("will/a", "here");
  s.dies({.topic = "will/a", .payload = "gone", .retain = true});
  EXPECT_TRUE(s.witness.receives("will/a", "gone").retain);
  s.witness.subscribes("will/#");
  EXPECT_TRUE(s.witness.receives("will/a", "gone").retain);
  s.witness.receives_nothing();
}

CONFORMS_V5(NoWillWhenTheClientIsBackInTime, "MQTT-3.1.3-9") {
  Stage s;
  auto& a = s.dies(kDelayed, 100);
  s.c.after(9s);
  a.connects({.clean_start = false, .expiry_s = 100});
  EXPECT_TRUE(a.connack().session_present);
  s.c.after(60s);
  a.disconnects();
  s.c.after(200s);
  s.witness.receives_nothing();
}

CONFORMS_V5(AWillKeepsItsUserPropertiesInOrder, "MQTT-3.1.3-10") {
  Stage s;
  WillOptions will = kDelayed;
  will.properties.user("k", "1").user("j", "2").user("k", "3").user("a", "4");
  s.dies(will);
  const auto packet = s.witness.receives("will/a", "gone");
  std::string order;
  for (const auto& property : packet.properties)
    order += property.text + property.second + " ";
  EXPECT_EQ(order, "k1 j2 k3 a4 ");
}

CONFORMS_V5(AWillTopicIsText, "MQTT-3.1.3-11") {
  for (const auto topic : {kIllFormed, kWithNul}) {
    refuses(connect_packet(Version::v5, "a",
                           {.will = WillOptions{.topic = std::string(topic), .payload = ""}}),
            malformed_packet);
  }
}

CONFORMS_V5(AWillBeyondTheMaximumQosIsRefused, "MQTT-3.2.2-12") {
  Config config;
  config.limits.qos_max = Qos::at_least_once;
  Stage s(config);
  auto& a = s.c.client("a");
  a.sends_connect({.will = WillOptions{.topic = "will/a", .payload = "", .qos = 2}})
      .is_refused(qos_not_supported);
  a.connects({.will = WillOptions{.topic = "will/a", .payload = "", .qos = 1}});
}

CONFORMS_V5(ARetainedWillIsRefusedWhereNothingIsRetained, "MQTT-3.2.2-13") {
  Config config;
  config.limits.retain_available = false;
  Stage s(config);
  auto& a = s.c.client("a");
  a.sends_connect({.will = WillOptions{.topic = "will/a", .payload = "", .retain = true}});
  a.is_refused(retain_not_supported);
  EXPECT_EQ(a.connack().number(Property::retain_available).value_or(0), 0U);
}

}  // namespace linnet::test

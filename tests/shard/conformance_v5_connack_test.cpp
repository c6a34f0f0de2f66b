// MQTT 5.0, section 3.2: CONNACK, and what it announces.
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

namespace {

Config with(Limits limits) {
  Config config;
  config.limits = limits;
  return config;
}

const ConnectOptions kResumes{.clean_start = false, .expiry_s = 100};

}  // namespace

CONFORMS_V5(ConnackGoesFirst, "MQTT-3.2.0-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects(kResumes);
  a.subscribes("x", qos1).drops();
  c.client("b").connects().publishes("x", "owed", {.qos = 1});
  c.store().hold();
  a.sends_connect(kResumes);
  c.client("b").publishes("x", "zero").sends_publish("x", "live", {.qos = 1});
  a.gets_nothing();
  c.store().release_all();
  c.settle();
  EXPECT_EQ(a.next().type, PacketType::connack);
  a.receives("x", "owed");
}

CONFORMS_V5(ConnackComesOnce, "MQTT-3.2.0-2") {
  Cluster c;
  auto& a = c.client("a").connects(kResumes);
  a.subscribes("x").publishes("x", "1");
  a.sends(connect_packet(Version::v5, "a", kResumes)).is_closed();
  for (const auto& packet : a.inbox())
    EXPECT_NE(packet.type, PacketType::connack);
}

CONFORMS_V5(TheAcknowledgeFlagsAre0Or1, "MQTT-3.2.2-1") {
  Cluster c;
  auto& a = c.client("a").connects(kResumes);
  EXPECT_EQ(a.connack().bytes.at(2), 0);
  a.connects(kResumes);
  EXPECT_EQ(a.connack().bytes.at(2), 1);
  a.opens().sends(raw_connect(0x03, field("a"))).is_refused(malformed_packet);
  EXPECT_EQ(a.connack().bytes.at(2), 0);
}

CONFORMS_V5(NoSessionIsPresentInARefusal, "MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-4.13.2-1") {
  Cluster c;
  c.client("a").connects(kResumes).drops();
  ConnectOptions options = kResumes;
  options.properties.text(Property::authentication_method, "x");
  auto& a = c.client("a").sends_connect(options).is_refused(bad_authentication_method);
  EXPECT_FALSE(a.connack().session_present);
  a.connects(kResumes);
  EXPECT_TRUE(a.connack().session_present);
}

CONFORMS_V5(TheReasonOfConnackIsOneOfItsTable, "MQTT-3.2.2-8") {
  const std::set<unsigned> table{0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
                                 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F};
  const std::string no_properties(1, '\0');
  const std::vector<std::string> connects{
      raw_connect(0x02, field("a")),
      raw_connect(0x03, field("a")),
      raw_connect(0x02, field("a"), 9),
      raw_connect(0x02, field(kIllFormed)),
      raw_connect(0x06, field("a") + no_properties + field("a/#") + field("")),
      connect_packet(Version::v5, "a", {.receive_maximum = 0}),
      connect_packet(Version::v5, "a", {.user_name = std::string(65'535, 'n')}),
      from_hex("10 ff ff ff 7f")};
  std::size_t answers = 0;
  for (const auto& bytes : connects) {
    Cluster c;
    auto& a = c.client("a").opens().sends(bytes);
    for (; !a.inbox().empty(); ++answers) {
      const auto packet = a.next();
      EXPECT_EQ(packet.type, PacketType::connack);
      EXPECT_TRUE(table.contains(static_cast<unsigned>(packet.reason))) << packet.dump();
    }
  }
  EXPECT_GE(answers, connects.size() - 1);
}

CONFORMS_V5(MaximumQosIsAnnounced, "MQTT-3.2.2-9", "MQTT-3.2.2-10", "MQTT-3.2.2-11") {
  for (const unsigned qos_max : {0U, 1U}) {
    Cluster c{{.config = with({.qos_max = static_cast<Qos>(qos_max)})}};
    auto& a = c.client("a").connects();
    EXPECT_EQ(a.connack().number(Property::maximum_qos), qos_max);
    a.sends_subscribe({"x"}, qos2);
    a.gets_suback({static_cast<ReasonCode>(qos_max)});
    a.publishes("x", "fits", {.qos = qos_max});
    EXPECT_EQ(a.receives("x", "fits").qos, qos_max);
    a.sends_publish("x", "does not", {.qos = qos_max + 1});
    a.gets_disconnect(qos_not_supported).receives_nothing();
  }
  Cluster c;
  EXPECT_FALSE(c.client("a").connects().connack().has(Property::maximum_qos));
}

CONFORMS_V5(RetainIsRefusedWhereItIsNotAvailable, "MQTT-3.2.2-14") {
  Cluster c{{.config = with({.retain_available = false})}};
  auto& a = c.client("a").connects();
  EXPECT_EQ(a.connack().number(Property::retain_available), 0U);
  a.subscribes("x", {.retain_as_published = true});
  a.publishes("x", "live");
  EXPECT_FALSE(a.receives("x", "live").retain);
  a.sends_publish("x", "kept", {.retain = true});
  a.gets_disconnect(retain_not_supported).receives_nothing();
}

CONFORMS_V5(PacketsBeyondTheMaximumAreRefused, "MQTT-3.2.2-15") {
  Cluster c{{.config = with({.packet_size_max = 100})}};
  auto& a = c.client("a").connects();
  EXPECT_EQ(a.connack().number(Property::maximum_packet_size), 100U);
  // Fixed header 2, topic 3, property length 1.
  a.publishes("x", std::string(94, 'p')).pings();
  a.publishes("x", std::string(95, 'p')).gets_disconnect(packet_too_large);
}

CONFORMS_V5(AliasesBeyondTheMaximumAreRefused, "MQTT-3.2.2-17", "MQTT-3.3.2-9") {
  Cluster c{{.config = with({.topic_alias_max = 3})}};
  auto& a = c.client("a").connects();
  EXPECT_EQ(a.connack().number(Property::topic_alias_maximum), 3U);
  a.publishes("x", "", {.alias = 3}).pings();
  a.publishes("x", "", {.alias = 4}).gets_disconnect(topic_alias_invalid);
}

CONFORMS_V5(AliasesAreRefusedWhereThereAreNone, "MQTT-3.2.2-18") {
  Cluster c{{.config = with({.topic_alias_max = 0})}};
  auto& a = c.client("a").connects();
  EXPECT_EQ(a.connack().number(Property::topic_alias_maximum).value_or(0), 0U);
  a.publishes("x", "", {.alias = 1}).gets_disconnect(topic_alias_invalid);
}

CONFORMS_V5(ARefusalThatIsTooLargeGoesWithoutItsReasonString, "MQTT-3.2.2-19", "MQTT-3.1.2-24") {
  Cluster c;
  ConnectOptions options;
  options.properties.text(Property::authentication_method, "x");
  auto& a = c.client("a").sends_connect(options).is_refused(bad_authentication_method);
  ASSERT_TRUE(a.connack().has(Property::reason_string));
  const auto size = static_cast<std::uint32_t>(a.connack().bytes.size());
  options.packet_size_max = size;
  a.sends_connect(options).is_refused(bad_authentication_method);
  EXPECT_TRUE(a.connack().has(Property::reason_string));
  options.packet_size_max = size - 1;
  a.sends_connect(options).is_refused(bad_authentication_method);
  EXPECT_FALSE(a.connack().has(Property::reason_string));
}

CONFORMS_V5(AConnackThatIsTooLargeIsNotSent, "MQTT-3.1.2-24") {
  Cluster c;
  auto& a = c.client("a").connects();
  const auto size = static_cast<std::uint32_t>(a.connack().bytes.size());
  const auto ask = Properties().number(Property::request_response_information, 1);
  a.connects({.packet_size_max = size, .properties = ask});
  EXPECT_EQ(a.connack().bytes.size(), size);
  a.sends_connect({.packet_size_max = size - 1}).is_closed();
  for (const auto& packet : a.inbox())
    EXPECT_LT(packet.bytes.size(), size) << packet.dump();
}

}  // namespace linnet::test

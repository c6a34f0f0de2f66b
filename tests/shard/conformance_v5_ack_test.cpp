// MQTT 5.0, sections 3.4 to 3.7 and 3.12 to 3.15: acknowledgements, PINGREQ, DISCONNECT, AUTH.
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

namespace {

/// An acknowledgement from a client with this reason code, whatever it is.
std::string ack(PacketType type, unsigned reason) {
  return ack_packet(Version::v5, type, 1, static_cast<ReasonCode>(reason));
}

/// Refuses every reason code but these; `type` is one of the four acknowledgements.
void takes_only(PacketType type, const std::set<unsigned>& allowed) {
  for (unsigned reason = 1; reason < 256; ++reason) {
    Cluster c;
    auto& a = c.client("a").connects().sends(ack(type, reason));
    if (allowed.contains(reason)) {
      a.is_open();
    } else {
      a.gets_disconnect(protocol_error);
    }
  }
}

Config strict() {
  Config config;
  config.check_payload_format = true;
  return config;
}

/// The answers to messages that are accepted, wanted by nobody, and refused for two reasons.
void answers(unsigned qos, PacketType type) {
  Cluster c{{.config = strict()}};
  auto& a = c.client("a").manual().connects();
  a.subscribes("x");
  const auto text = Properties().number(Property::payload_format_indicator, 1);
  a.sends_publish("x", "", {.qos = qos, .packet_id = 1});
  a.gets_ack(type, 1, success);
  a.sends_publish("nobody", "", {.qos = qos, .packet_id = 2});
  a.gets_ack(type, 2, no_matching_subscribers);
  a.sends_publish("$SYS/x", "", {.qos = qos, .packet_id = 3});
  a.gets_ack(type, 3, not_authorized);
  a.sends_publish("x", "\xFF", {.qos = qos, .properties = text, .packet_id = 4});
  a.gets_ack(type, 4, payload_format_invalid);
  c.store().set_full(true);
  a.sends_publish("x", "", {.qos = qos, .retain = true, .packet_id = 5});
  c.after(60s);
  a.gets_ack(type, 5, quota_exceeded);
}

}  // namespace

CONFORMS_V5(ReasonsOfPuback, "MQTT-3.4.2-1") {
  answers(1, PacketType::puback);
  takes_only(PacketType::puback, {0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99});
}

CONFORMS_V5(ReasonsOfPubrec, "MQTT-3.5.2-1") {
  answers(2, PacketType::pubrec);
  takes_only(PacketType::pubrec, {0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99});
}

CONFORMS_V5(ReasonsOfPubrel, "MQTT-3.6.2-1") {
  Cluster c;
  auto& a = c.client("a").manual().connects();
  a.sends_ack(PacketType::pubrec, 9);
  a.gets_ack(PacketType::pubrel, 9, packet_identifier_not_found);
  takes_only(PacketType::pubrel, {0x92});
}

CONFORMS_V5(ReasonsOfPubcomp, "MQTT-3.7.2-1") {
  Cluster c;
  auto& a = c.client("a").manual().connects();
  a.sends_ack(PacketType::pubrel, 9);
  a.gets_ack(PacketType::pubcomp, 9, packet_identifier_not_found);
  takes_only(PacketType::pubcomp, {0x92});
}

CONFORMS_V5(PubrelHasTheFlags2, "MQTT-3.6.1-1") {
  for (const auto* bytes : {"60 02 00 01", "61 02 00 01", "64 02 00 01", "6a 02 00 01"}) {
    breaks(from_hex(bytes), malformed_packet);
  }
}

CONFORMS_V5(PingreqIsAnswered, "MQTT-3.12.4-1") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.gets_hex(to_hex(a.connack().bytes));
  a.sends_hex("c0 00 c0 00").gets_hex("d0 00 d0 00");
}

CONFORMS_V5(NoDisconnectBeforeConnack, "MQTT-3.14.0-1") {
  Cluster c;
  auto& refused = c.client("a").opens();
  refused.sends(raw_connect(0x03, field("a"))).is_refused(malformed_packet).gets_nothing();
  c.store().hold();
  auto& taken = c.client("b").sends_connect({.expiry_s = 10});
  auto& second = c.another("b").sends_connect({.expiry_s = 10});
  taken.is_closed().gets_nothing();
  c.store().release_all();
  c.settle();
  EXPECT_EQ(second.next().type, PacketType::connack);
}

CONFORMS_V5(ACrowdedLinkIsToldNothingBeforeConnack, "MQTT-3.14.0-1") {
  Cluster c;
  c.store().hold();
  auto& a = c.client("a").sends_connect({.expiry_s = 10});
  a.sends_hex("00 00").is_closed().gets_nothing();
  c.client("b").opens().sends_hex("00 00").is_closed().gets_nothing();
}

CONFORMS_V5(DisconnectHasNoFlags, "MQTT-3.14.1-1") {
  breaks(from_hex("e1 00"), malformed_packet);
  breaks(from_hex("e2 00"), malformed_packet);
  breaks(from_hex("e8 00"), malformed_packet);
}

CONFORMS_V5(ReasonsOfDisconnect, "MQTT-3.14.2-1") {
  const std::set<unsigned> of_client{0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93,
                                     0x94, 0x95, 0x96, 0x97, 0x98, 0x99};
  for (unsigned reason = 1; reason < 256; ++reason) {
    Cluster c;
    auto& a = c.client("a").connects();
    a.sends(disconnect_packet(Version::v5, static_cast<ReasonCode>(reason))).is_closed();
    if (of_client.contains(reason)) {
      a.gets_nothing();
    } else {
      a.gets_disconnect(protocol_error);
    }
  }
}

CONFORMS_V5(DisconnectOfTheBrokerHasNoExpiry, "MQTT-3.14.2-2") {
  Cluster c;
  auto& a = c.client("a").connects({.expiry_s = 10});
  c.another("a").connects({.expiry_s = 20});
  EXPECT_FALSE(a.gets(PacketType::disconnect).has(Property::session_expiry_interval));
  auto& b = c.client("b").connects({.expiry_s = 10});
  b.sends_hex("00 00");
  EXPECT_FALSE(b.gets(PacketType::disconnect).has(Property::session_expiry_interval));
}

CONFORMS_V5(DisconnectThatIsTooLargeGoesWithoutItsReasonString, "MQTT-3.14.2-3", "MQTT-3.1.2-24") {
  Cluster c;
  auto& a = c.client("a").connects().sends_hex("00 00");
  const auto whole = a.gets(PacketType::disconnect);
  ASSERT_TRUE(whole.has(Property::reason_string));
  const auto size = static_cast<std::uint32_t>(whole.bytes.size());
  a.connects({.packet_size_max = size}).sends_hex("00 00");
  EXPECT_EQ(a.gets(PacketType::disconnect).bytes, whole.bytes);
  a.connects({.packet_size_max = size - 1}).sends_hex("00 00");
  const auto bare = a.gets(PacketType::disconnect);
  EXPECT_EQ(bare.reason, whole.reason);
  EXPECT_FALSE(bare.has(Property::reason_string));
}

CONFORMS_V5(NothingFollowsTheBrokersDisconnect, "MQTT-3.14.4-1", "MQTT-3.14.4-2") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x");
  a.sends(from_hex("e1 00 c0 00") + publish_packet(Version::v5, "x", "late", {}));
  a.gets_disconnect(malformed_packet).gets_nothing();
  c.client("b").connects().publishes("x", "later");
  a.gets_nothing();
}

CONFORMS_V5(NothingFollowsTheClientsDisconnect, "MQTT-3.14.4-1", "MQTT-3.14.4-2") {
  Cluster c;
  auto& witness = c.client("witness").connects();
  witness.subscribes("x");
  auto& a = c.client("a").connects();
  a.sends(from_hex("e0 00") + publish_packet(Version::v5, "x", "late", {})).is_closed();
  a.gets_nothing();
  witness.receives_nothing();
}

CONFORMS_V5(AuthHasNoFlags, "MQTT-3.15.1-1") {
  breaks(from_hex("f1 00"), malformed_packet);
  breaks(from_hex("f2 07 18 05 15 00 02 78 78"), malformed_packet);
}

CONFORMS_V5(ReasonsOfAuth, "MQTT-3.15.2-1") {
  for (unsigned reason = 0; reason < 256; ++reason) {
    Bytes body;
    body.u8(reason).u8(4).u8(0x15).text("x");
    breaks(packet(0xf0, body.str()), protocol_error);
  }
}

CONFORMS_V5(NoAuthWithoutAMethod, "MQTT-4.12.0-6", "MQTT-4.12.0-7") {
  Cluster c;
  auto& a = c.client("a").connects();
  EXPECT_FALSE(a.connack().has(Property::authentication_method));
  a.gets_nothing();
  for (const auto* bytes : {"f0 00", "f0 06 18 04 15 00 01 78", "f0 06 19 04 15 00 01 78"}) {
    breaks(from_hex(bytes), protocol_error);
  }
}

CONFORMS_V5(AnUnknownMethodIsRefused, "MQTT-4.12.0-1") {
  const auto method = Properties().text(Property::authentication_method, "SCRAM-SHA-256");
  refuses(connect_packet(Version::v5, "a", {.properties = method}), bad_authentication_method);
}

CONFORMS_V5(FaultsCloseTheConnection, "MQTT-4.13.1-1", "MQTT-4.13.2-1") {
  breaks(from_hex("00 00"), malformed_packet);
  breaks(from_hex("c0 01 00"), malformed_packet);
  breaks(from_hex("20 03 00 00 00"), protocol_error);
  breaks(from_hex("d0 00"), protocol_error);
  breaks(from_hex("30 ff ff ff 7f"), packet_too_large);
  breaks(from_hex("30 ff ff ff ff 01"), malformed_packet);
  breaks(from_hex("30 08 00 01 78 04 01 01 01 01"), protocol_error);
  breaks(from_hex("30 07 00 01 78 03 21 00 01"), malformed_packet);
  breaks(from_hex("e0 07 00 05 11 00 00 00 09"), protocol_error);
  breaks(publish_packet(Version::v5, "", "", {.alias = 1}), protocol_error);
}

}  // namespace linnet::test

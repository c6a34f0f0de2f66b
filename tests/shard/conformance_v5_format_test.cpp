// MQTT 5.0, chapters 1 and 2: data, fixed headers, packet identifiers, properties.
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

CONFORMS_V5(IllFormedUtf8IsRefused, "MQTT-1.5.4-1") {
  for (const std::string text : {"\xC0\x80", "\xED\xA0\x80", "\xED\xBF\xBF", "a\xE2\x82", "\xFF",
                                 "\xF4\x90\x80\x80", "\x80"}) {
    breaks(publish_packet(Version::v5, text, "", {}), malformed_packet);
    breaks(publish_with(Properties().user("k", text)), malformed_packet);
  }
  Cluster c;
  c.client("a").connects().publishes("\xF0\x9F\x90\xA6", "").is_open();
}

CONFORMS_V5(NulIsRefused, "MQTT-1.5.4-2") {
  breaks(publish_packet(Version::v5, kWithNul, "", {}), malformed_packet);
  breaks(subscribe_packet(Version::v5, 1, {std::string(kWithNul)}, {}), malformed_packet);
  breaks(publish_with(Properties().text(Property::content_type, kWithNul)), malformed_packet);
  refuses(raw_connect(2, field(kWithNul)), malformed_packet);
}

CONFORMS_V5(ByteOrderMarkIsACharacter, "MQTT-1.5.4-3") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x");
  a.subscribes("\xEF\xBB\xBFx");
  const auto properties = Properties().user("\xEF\xBB\xBF", "\xEF\xBB\xBF");
  a.publishes("\xEF\xBB\xBFx", "marked", {.properties = properties});
  EXPECT_EQ(a.receives("\xEF\xBB\xBFx", "marked").user("\xEF\xBB\xBF"), "\xEF\xBB\xBF");
  a.receives_nothing();
}

CONFORMS_V5(LongFormOfAVariableByteIntegerIsRefused, "MQTT-1.5.5-1") {
  breaks(from_hex("c0 80 00"), malformed_packet);
  breaks(from_hex("30 84 00 00 01 78 00"), malformed_packet);
  breaks(from_hex("30 05 00 01 78 80 00"), malformed_packet);
  breaks(from_hex("82 0a 00 01 03 0b 81 00 00 01 78 00"), malformed_packet);
}

CONFORMS_V5(VariableByteIntegersLeaveInTheirShortestForm, "MQTT-1.5.5-1") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x", {.id = 128});
  for (const unsigned size : {100U, 122U, 16'300U, 17'000U}) {
    a.publishes("x", std::string(size, 'p'));
    const Packet packet = a.receives("x", std::string(size, 'p'));
    // The topic, property length 3, a Subscription Identifier of two bytes.
    const unsigned length = 3 + 1 + 3 + size;
    Bytes head;
    head.u8(0x30).varint(length).text("x").u8(3).u8(0x0b).u8(0x80).u8(0x01);
    EXPECT_EQ(to_hex(packet.bytes.substr(0, head.str().size())), to_hex(head.str()));
  }
}

CONFORMS_V5(BothStringsOfAPairAreStrings, "MQTT-1.5.7-1") {
  breaks(publish_with(Properties().user(kIllFormed, "value")), malformed_packet);
  breaks(publish_with(Properties().user("name", kIllFormed)), malformed_packet);
  breaks(publish_with(Properties().user(kWithNul, "value")), malformed_packet);
  breaks(publish_with(Properties().user("name", kWithNul)), malformed_packet);
}

CONFORMS_V5(ReservedFlagsAreRefused, "MQTT-2.1.3-1") {
  for (const auto type : {PacketType::puback, PacketType::pubrec, PacketType::pubcomp,
                          PacketType::pingreq, PacketType::disconnect, PacketType::auth}) {
    for (unsigned flags = 1; flags < 16; ++flags) {
      breaks(packet((static_cast<unsigned>(type) << 4) | flags, {}), malformed_packet);
    }
  }
  for (unsigned flags = 0; flags < 16; ++flags) {
    if (flags == 2) continue;
    breaks(packet(0x60 | flags, from_hex("00 01")), malformed_packet);
    breaks(packet(0x80 | flags, from_hex("00 01 00 00 01 78 00")), malformed_packet);
    breaks(packet(0xa0 | flags, from_hex("00 01 00 00 01 78")), malformed_packet);
  }
}

CONFORMS_V5(ReservedFlagsOfConnectAreRefused, "MQTT-2.1.3-1") {
  for (unsigned flags = 1; flags < 16; ++flags) {
    Cluster c;
    auto& a = c.client("a").opens();
    std::string bytes = raw_connect(2, field("a"));
    bytes[0] = static_cast<char>(0x10 | flags);
    a.sends(bytes).is_closed();
    EXPECT_EQ(c.counters().connections_total, 0U);
  }
}

CONFORMS_V5(FlagsThatTheBrokerSends, "MQTT-2.1.3-1") {
  Cluster c;
  auto& a = c.client("a").manual().connects();
  EXPECT_EQ(a.connack().bytes[0], 0x20);
  a.gets_hex(to_hex(a.connack().bytes));
  a.sends_hex("82 07 00 01 00 00 01 78 02").gets_hex("90 04 00 01 00 02");
  a.sends_hex("34 07 00 01 78 00 09 00 31").gets_hex("34 07 00 01 78 00 01 00 31 50 02 00 09");
  a.sends_hex("50 02 00 01 62 02 00 09").gets_hex("62 02 00 01 70 02 00 09");
  a.sends_hex("a2 06 00 02 00 00 01 78").gets_hex("b0 04 00 02 00 00");
}

CONFORMS_V5(NoPacketIdentifierAtQos0, "MQTT-2.2.1-2", "MQTT-2.2.2-1") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x", qos2);
  a.gets_hex(to_hex(a.connack().bytes) + " 90 04 00 01 00 02");
  a.sends_hex("30 06 00 01 78 00 41 42").gets_hex("30 06 00 01 78 00 41 42");
}

CONFORMS_V5(PacketIdentifier0IsRefused, "MQTT-2.2.1-3") {
  breaks(from_hex("82 07 00 00 00 00 01 78 00"), protocol_error);
  breaks(from_hex("a2 06 00 00 00 00 01 78"), protocol_error);
  breaks(from_hex("32 06 00 01 78 00 00 00"), protocol_error);
  breaks(from_hex("34 06 00 01 78 00 00 00"), protocol_error);
}

CONFORMS_V5(TheBrokersIdentifiersAreFree, "MQTT-2.2.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1") {
  Cluster c;
  auto& a = c.client("a").manual().connects();
  a.subscribes("x", qos2);
  auto& b = c.client("b").connects();
  std::set<unsigned> open;
  std::vector<Packet> packets;
  for (unsigned at = 0; at < 6; ++at) {
    b.publishes("x", "m", {.qos = 1 + at % 2});
    packets.push_back(a.receives("x", "m"));
    EXPECT_NE(packets.back().packet_id, 0U);
    EXPECT_TRUE(open.insert(packets.back().packet_id).second);
  }
  a.acks(packets[0]);
  open.erase(packets[0].packet_id);
  b.publishes("x", "again", {.qos = 1});
  EXPECT_TRUE(open.insert(a.receives("x", "again").packet_id).second);
}

CONFORMS_V5(IdentifiersOpenInOneDirectionAreFreeInTheOther, "MQTT-2.2.1-4") {
  Cluster c;
  auto& a = c.client("a").manual().connects();
  a.subscribes("x", qos2);
  a.sends_publish("x", "same", {.qos = 2, .packet_id = 1});
  a.gets_ack(PacketType::pubrec, 1);
  const auto message = a.receives("x", "same");
  EXPECT_EQ(message.packet_id, 1U);
  a.acks(message).gets_ack(PacketType::pubrel, 1);
  a.sends_ack(PacketType::pubrel, 1).gets_ack(PacketType::pubcomp, 1);
}

CONFORMS_V5(AcknowledgementsRepeatTheIdentifier, "MQTT-2.2.1-5") {
  Cluster c;
  c.client("b").connects().subscribes("x", qos2);
  auto& a = c.client("a").manual().connects();
  a.sends_publish("x", "1", {.qos = 1, .packet_id = 0x1234});
  a.gets_ack(PacketType::puback, 0x1234);
  a.sends_publish("x", "2", {.qos = 2, .packet_id = 0xffff});
  a.gets_ack(PacketType::pubrec, 0xffff);
  a.sends_ack(PacketType::pubrel, 0xffff).gets_ack(PacketType::pubcomp, 0xffff);
  a.subscribes("x", qos2);
  a.sends_publish("x", "3", {.qos = 2, .packet_id = 77});
  const auto message = a.receives("x", "3");
  a.acks(message).gets_ack(PacketType::pubrel, message.packet_id);
}

CONFORMS_V5(SubackAndUnsubackRepeatTheIdentifier, "MQTT-2.2.1-6", "MQTT-3.8.4-2", "MQTT-3.10.4-5") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.sends(subscribe_packet(Version::v5, 0xabcd, {"x"}, {}));
  a.gets_ack(PacketType::suback, 0xabcd);
  a.sends(unsubscribe_packet(Version::v5, 0x4321, {"never"}));
  a.gets_ack(PacketType::unsuback, 0x4321);
}

CONFORMS_V5(APacketWithoutPropertyLengthIsRefused, "MQTT-2.2.2-1") {
  breaks(from_hex("82 05 00 01 00 01 78"), malformed_packet);
  breaks(from_hex("30 03 00 01 78"), malformed_packet);
  refuses(packet(0x10, from_hex("00 04 4d 51 54 54 05 02 00 00")), malformed_packet);
}

}  // namespace linnet::test

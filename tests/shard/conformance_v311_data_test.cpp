// MQTT 3.1.1, chapters 1 and 2: strings, flags of the fixed header, packet identifiers.
#include "conformance_v311.hpp"

namespace linnet::test {

namespace {

// Stray and missing continuation bytes, overlong forms, surrogates, beyond U+10FFFF.
const std::string kIllFormed[] = {"\xff",         "a\x80",           "\xc0\xaf",
                                  "\xe2\x82",     "\xe0\x80\x80",    "\xed\xa0\x80",
                                  "\xed\xbf\xbf", "\xf4\x90\x80\x80"};

}  // namespace

CONFORMS_V3(IllFormedTextEndsTheLink, "MQTT-1.5.3-1") {
  Cluster c;
  auto& a = c.client("a").v3();
  for (const std::string& text : kIllFormed) {
    SCOPED_TRACE(to_hex(text));
    for (const auto& bytes : packets_with(text))
      ends_link(a, bytes);
    for (const auto& bytes : connects_with(text))
      gets_no_connack(a, bytes);
  }
}

CONFORMS_V3(WellFormedTextOfAllLengthsIsTaken, "MQTT-1.5.3-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3();
  for (const std::string text : {"\x7f", "\xc3\xa9", "\xed\x9f\xbf", "\xee\x80\x80",
                                 "\xf0\x9f\x90\xa6", "\xf4\x8f\xbf\xbd"}) {
    SCOPED_TRACE(to_hex(text));
    a.connects().subscribes(text);
    a.publishes(text, "1").receives(text, "1");
  }
}

CONFORMS_V3(NulInTextEndsTheLink, "MQTT-1.5.3-2", "MQTT-4.7.3-2") {
  Cluster c;
  auto& a = c.client("a").v3();
  for (const std::string& text : {std::string(1, '\0'), std::string("a\0b", 3)}) {
    for (const auto& bytes : packets_with(text))
      ends_link(a, bytes);
    for (const auto& bytes : connects_with(text))
      gets_no_connack(a, bytes);
  }
}

CONFORMS_V3(AByteOrderMarkIsACharacter, "MQTT-1.5.3-3") {
  Cluster c{{.shards = 2}};
  auto& marked = c.client("marked").v3().connects().subscribes("\xef\xbb\xbfx");
  auto& plain = c.client("plain").v3().connects().subscribes("x");
  c.client("p").v3().connects().publishes("\xef\xbb\xbfx", "1");
  marked.receives("\xef\xbb\xbfx", "1");
  plain.receives_nothing();
  marked.gets_nothing();
}

CONFORMS_V3(ReservedFlagsFromTheServer, "MQTT-2.2.2-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().manual();
  a.sends_hex("82 06 0001 0001 78 02");  // SUBSCRIBE x
  a.sends_hex("32 05 0001 78 0002");     // PUBLISH, QoS 1
  a.sends_hex("62 02 0003");             // PUBREL
  a.sends_hex("c0 00").sends_hex("a2 05 0004 0001 78");
  a.gets_hex(
      "20 02 00 00  90 03 0001 02  32 05 0001 78 0001  40 02 0002  70 02 0003  d0 00"
      " b0 02 0004");
  a.sends_hex("34 05 0001 79 0005").gets_hex("50 02 0005");  // PUBLISH, QoS 2
}

CONFORMS_V3(WrongFlagsEndTheLink, "MQTT-2.2.2-1", "MQTT-2.2.2-2") {
  Cluster c;
  auto& a = c.client("a").v3();
  const std::string id("\0\1", 2);
  const std::string filter("\0\1\0\1x", 5);
  const struct {
    unsigned type;
    unsigned flags;
    std::string body;
  } packets[] = {{4, 0, id},      {5, 0, id},  {6, 2, id}, {7, 0, id}, {8, 2, filter + '\1'},
                 {10, 2, filter}, {12, 0, ""}, {14, 0, ""}};
  for (const auto& one : packets) {
    for (unsigned flags = 0; flags < 16; ++flags) {
      SCOPED_TRACE(to_hex(packet(one.type << 4 | flags, one.body)));
      if (flags != one.flags) {
        ends_link(a, packet(one.type << 4 | flags, one.body));
      } else if (one.type != 14) {
        keeps_link(a, packet(one.type << 4 | flags, one.body));
      }
    }
  }
}

CONFORMS_V3(WrongFlagsOfConnect, "MQTT-2.2.2-2") {
  Cluster c;
  auto& a = c.client("a").v3();
  for (unsigned flags = 1; flags < 16; ++flags) {
    std::string bytes = connect_packet(k311, "a", {});
    bytes[0] = static_cast<char>(0x10 | flags);
    gets_no_connack(a, bytes);
  }
}

CONFORMS_V3(PacketIdentifierZeroIsRefused, "MQTT-2.3.1-1") {
  Cluster c;
  auto& a = c.client("a").v3();
  ends_link(a, subscribe_packet(k311, 0, {"x"}, {}));
  ends_link(a, unsubscribe_packet(k311, 0, {"x"}));
  ends_link(a, publish_packet(k311, "x", "", {.qos = 1}));
  ends_link(a, publish_packet(k311, "x", "", {.qos = 2}));
  keeps_link(a, subscribe_packet(k311, 1, {"x"}, {}));
  keeps_link(a, publish_packet(k311, "x", "", {.qos = 1, .packet_id = 65'535}));
}

CONFORMS_V3(IdentifiersFromTheServerAreFreeOnes, "MQTT-2.3.1-1", "MQTT-2.3.1-4", "MQTT-4.3.2-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos2).manual();
  auto& p = c.client("p").v3().connects();
  for (int at = 0; at < 20; ++at)
    p.publishes("x", "m", {.qos = at % 2 == 0 ? 1U : 2U});
  std::set<unsigned> ids;
  for (const Packet& one : a.takes_messages())
    ids.insert(one.packet_id);
  EXPECT_EQ(ids.size(), 20U);
  EXPECT_FALSE(ids.contains(0));
}

CONFORMS_V3(AnIdentifierIsKeptUntilTheAnswer, "MQTT-2.3.1-4") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2).manual();
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  const auto id1 = a.receives("x", "1").packet_id;
  const auto id2 = a.receives("x", "2").packet_id;
  a.drops().connects(kKept);
  EXPECT_EQ(a.receives("x", "1").packet_id, id1);
  EXPECT_EQ(a.receives("x", "2").packet_id, id2);
  a.sends_ack(PacketType::pubrec, id2).gets_ack(PacketType::pubrel, id2);
  p.publishes("x", "3", {.qos = 2});
  EXPECT_NE(a.receives("x", "3").packet_id, id2);  // PUBCOMP has not come
}

CONFORMS_V3(NoIdentifierAtQosZero, "MQTT-2.3.1-5") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos2);
  a.gets_hex("20 02 00 00  90 03 0001 02");
  auto& p = c.client("p").v3().connects();
  p.sends_hex("30 05 0001 78 0007");  // what could be an identifier is the payload
  a.gets_hex("30 05 0001 78 0007");
}

CONFORMS_V3(AcknowledgementsRepeatTheIdentifier, "MQTT-2.3.1-6") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().manual();
  a.sends_hex("32 05 0001 78 1234").sends_hex("34 05 0001 78 fedc").sends_hex("62 02 fedc");
  a.gets_hex("20 02 00 00  40 02 1234  50 02 fedc  70 02 fedc");
}

CONFORMS_V3(PubrelRepeatsTheIdentifier, "MQTT-2.3.1-6") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos2).manual();
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 2}).publishes("x", "2", {.qos = 2});
  a.receives("x", "1");
  const Packet second = a.receives("x", "2");
  a.acks(second).gets_ack(PacketType::pubrel, second.packet_id);
}

CONFORMS_V3(SubackAndUnsubackRepeatTheIdentifier, "MQTT-2.3.1-7", "MQTT-3.8.4-1", "MQTT-3.8.4-2",
            "MQTT-3.10.4-4") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects();
  a.gets_hex(kConnackBytes);
  a.sends_hex("82 06 1234 0001 78 01").gets_hex("90 03 1234 01");
  a.sends_hex("a2 05 fedc 0001 78").gets_hex("b0 02 fedc");
}

}  // namespace linnet::test

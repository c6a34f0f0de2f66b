// MQTT 5.0, section 3.1: CONNECT, as far as the packet itself and the session go.
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

CONFORMS_V5(ConnectComesFirst, "MQTT-3.1.0-1") {
  const std::vector<std::string> others{
      from_hex("c0 00"), publish_packet(Version::v5, "x", "early", {.qos = 1, .packet_id = 1}),
      subscribe_packet(Version::v5, 1, {"x"}, {}), from_hex("e0 00"), from_hex("f0 00")};
  for (const auto& bytes : others) {
    Cluster c;
    auto& witness = c.client("witness").connects();
    witness.subscribes("#");
    auto& a = c.client("a").opens();
    a.sends(bytes + raw_connect(2, field("a"))).is_closed().gets_nothing();
    witness.receives_nothing();
  }
}

CONFORMS_V5(ASecondConnectIsAProtocolError, "MQTT-3.1.0-2", "MQTT-3.2.0-2") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.sends(connect_packet(Version::v5, "a", {})).gets_disconnect(protocol_error);
  a.gets_nothing();
}

CONFORMS_V5(AnotherProtocolNameIsRefused, "MQTT-3.1.2-1") {
  for (const auto* name : {"MQTX", "mqtt", "MQT", "MQTTT", ""}) {
    Cluster c;
    auto& a = c.client("a").opens();
    a.sends(raw_connect(2, field("a"), 5, name)).is_closed();
    EXPECT_EQ(c.counters().connections_total, 0U);
    while (!a.inbox().empty())
      EXPECT_EQ(a.next().reason, unsupported_protocol_version);
  }
}

CONFORMS_V5(AnotherProtocolVersionIsRefused, "MQTT-3.1.2-2") {
  refuses(raw_connect(2, field("a"), 6), unsupported_protocol_version);
  refuses(raw_connect(2, field("a"), 255), unsupported_protocol_version);
}

CONFORMS_V5(TheReservedConnectFlagIsRefused, "MQTT-3.1.2-3") {
  refuses(raw_connect(0x03, field("a")), malformed_packet);
  refuses(raw_connect(0x01, field("a")), malformed_packet);
}

CONFORMS_V5(CleanStartDropsTheOldSession, "MQTT-3.1.2-4", "MQTT-3.1.4-4", "MQTT-3.2.2-2") {
  Cluster c;
  auto& a = c.client("a").connects({.expiry_s = 100});
  a.subscribes("x", qos1).drops();
  auto& b = c.client("b").connects();
  b.publishes("x", "owed", {.qos = 1});
  a.connects({.clean_start = true, .expiry_s = 100});
  EXPECT_FALSE(a.connack().session_present);
  b.publishes("x", "new", {.qos = 1});
  a.receives_nothing();
}

CONFORMS_V5(WithoutCleanStartTheSessionGoesOn, "MQTT-3.1.2-5", "MQTT-3.2.2-3") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects({.expiry_s = 100});
  a.subscribes("x", qos1).drops();
  auto& b = c.client("b").connects();
  b.publishes("x", "owed", {.qos = 1});
  a.connects({.clean_start = false, .expiry_s = 100});
  EXPECT_TRUE(a.connack().session_present);
  a.receives("x", "owed");
  b.publishes("x", "new", {.qos = 1});
  a.receives("x", "new");
}

CONFORMS_V5(WithoutASessionThereIsANewOne, "MQTT-3.1.2-6", "MQTT-3.2.2-3") {
  Cluster c;
  auto& a = c.client("a").connects({.clean_start = false, .expiry_s = 100});
  EXPECT_FALSE(a.connack().session_present);
  a.subscribes("x", qos1).drops();
  a.connects({.clean_start = false});
  EXPECT_TRUE(a.connack().session_present);
}

CONFORMS_V5(UserNameAndPasswordAreAsTheirFlagsSay, "MQTT-3.1.2-16", "MQTT-3.1.2-17",
            "MQTT-3.1.2-18", "MQTT-3.1.2-19") {
  const auto id = field("a");
  refuses(raw_connect(0x02, id + field("user")), malformed_packet);
  refuses(raw_connect(0x82, id), malformed_packet);
  refuses(raw_connect(0x82, id + field("user") + field("password")), malformed_packet);
  refuses(raw_connect(0x42, id + field("user") + field("password")), malformed_packet);
  refuses(raw_connect(0xc2, id + field("user")), malformed_packet);
  refuses(raw_connect(0x42, id), malformed_packet);
  for (const unsigned flags : {0x82U, 0x42U}) {
    Cluster c;
    c.client("a").opens().sends(raw_connect(flags, id + field("one"))).is_open();
    EXPECT_EQ(c.counters().connections_total, 1U);
  }
}

CONFORMS_V5(SilenceEndsTheConnection, "MQTT-3.1.2-22") {
  Cluster c;
  auto& witness = c.client("witness").connects();
  witness.subscribes("will");
  auto& a = c.client("a").connects(
      {.keep_alive_s = 10, .will = WillOptions{.topic = "will", .payload = "gone"}});
  c.after(9s);
  a.pings();
  c.after(14s);
  a.is_open();
  witness.receives_nothing();
  c.after(2s);
  a.gets_disconnect(keep_alive_timeout);
  witness.receives("will", "gone");
}

CONFORMS_V5(WithoutServerKeepAliveTheClientsIsInForce, "MQTT-3.2.2-22", "MQTT-3.1.2-22") {
  Cluster c;
  auto& a = c.client("a").connects({.keep_alive_s = 40});
  auto& forever = c.client("forever").connects({.keep_alive_s = 0});
  EXPECT_FALSE(a.connack().has(Property::server_keep_alive));
  c.after(59s);
  a.is_open();
  c.after(2s);
  a.is_closed();
  c.after(100h);
  forever.is_open();
}

CONFORMS_V5(AKeptSessionOutlivesItsConnection, "MQTT-3.1.2-23") {
  Cluster c;
  auto& a = c.client("a").connects({.expiry_s = 100});
  a.subscribes("x", qos1).disconnects();
  c.after(99s);
  c.client("b").connects().publishes("x", "kept", {.qos = 1});
  a.connects({.clean_start = false});
  EXPECT_TRUE(a.connack().session_present);
  a.receives("x", "kept");
}

CONFORMS_V5(ResponseInformationOnlyOnRequest, "MQTT-3.1.2-28") {
  Cluster c;
  auto& a = c.client("a");
  EXPECT_FALSE(a.connects().connack().has(Property::response_information));
  const auto ask = [](std::uint32_t value) {
    return ConnectOptions{.properties =
                              Properties().number(Property::request_response_information, value)};
  };
  EXPECT_FALSE(a.connects(ask(0)).connack().has(Property::response_information));
  EXPECT_TRUE(a.connects(ask(1)).connack().has(Property::response_information));
}

CONFORMS_V5(WithoutProblemInformationAcksAreBare, "MQTT-3.1.2-29") {
  Cluster c;
  auto& a = c.client("a").manual().connects(
      {.properties = Properties().number(Property::request_problem_information, 0)});
  std::vector<Packet> answers;
  a.sends_publish("$SYS/x", "", {.qos = 1});
  answers.push_back(a.gets(PacketType::puback));
  a.sends_publish("$SYS/x", "", {.qos = 2});
  answers.push_back(a.gets(PacketType::pubrec));
  a.sends_ack(PacketType::pubrel, 99);
  answers.push_back(a.gets(PacketType::pubcomp));
  a.sends_ack(PacketType::pubrec, 99);
  answers.push_back(a.gets(PacketType::pubrel));
  a.sends_subscribe({"a#"});
  answers.push_back(a.gets(PacketType::suback));
  a.sends_unsubscribe({"a#"});
  answers.push_back(a.gets(PacketType::unsuback));
  for (const auto& answer : answers) {
    EXPECT_TRUE(failed(answer.reasons.empty() ? answer.reason : answer.reasons[0]))
        << answer.dump();
    EXPECT_TRUE(answer.properties.empty()) << answer.dump();
  }
}

CONFORMS_V5(ThePayloadHasAnOrder, "MQTT-3.1.3-1", "MQTT-3.1.2-9") {
  Cluster c;
  auto& witness = c.client("witness").connects();
  witness.subscribes("#");
  // All fields: Will with retain and QoS 1, user name, password.
  const std::string will_properties(1, '\0');
  const auto payload = field("a") + will_properties + field("topic") + field("payload") +
                       field("user") + field("password");
  auto& a = c.client("a").opens();
  a.sends(raw_connect(0xee, payload)).is_open();
  EXPECT_EQ(a.gets(PacketType::connack).reason, success);
  a.drops();
  witness.receives("topic", "payload");
}

CONFORMS_V5(AWillThatIsNotWholeIsRefused, "MQTT-3.1.2-9") {
  const auto id = field("a");
  const std::string no_properties(1, '\0');
  refuses(raw_connect(0x06, id), malformed_packet);
  refuses(raw_connect(0x06, id + no_properties), malformed_packet);
  refuses(raw_connect(0x06, id + no_properties + field("topic")), malformed_packet);
  refuses(raw_connect(0x02, id + no_properties + field("topic") + field("payload")),
          malformed_packet);
}

CONFORMS_V5(TheClientIdFindsTheSession, "MQTT-3.1.3-2") {
  Cluster c{{.shards = 2}};
  c.client("a").connects({.expiry_s = 100}).drops();
  c.client("b").connects({.clean_start = false});
  EXPECT_FALSE(c.client("b").connack().session_present);
  c.client("A").connects({.clean_start = false});
  EXPECT_FALSE(c.client("A").connack().session_present);
  c.client("a").connects({.clean_start = false});
  EXPECT_TRUE(c.client("a").connack().session_present);
}

CONFORMS_V5(TheClientIdIsThereAndText, "MQTT-3.1.3-3", "MQTT-3.1.3-4", "MQTT-3.1.3-8",
            "MQTT-3.1.4-1") {
  refuses(raw_connect(2, {}), malformed_packet);
  refuses(raw_connect(2, from_hex("00 05 61")), malformed_packet);
  refuses(raw_connect(2, field(kIllFormed)), malformed_packet);
}

CONFORMS_V5(PlainClientIdsAreAccepted, "MQTT-3.1.3-5") {
  Cluster c;
  for (const auto* id :
       {"0", "0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ"}) {
    auto& client = c.client(id).connects({.expiry_s = 10});
    EXPECT_FALSE(client.connack().has(Property::assigned_client_identifier));
    client.connects({.clean_start = false});
    EXPECT_TRUE(client.connack().session_present);
  }
}

CONFORMS_V5(AnEmptyClientIdIsReplaced, "MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16") {
  Cluster c{{.shards = 2}};
  std::set<std::string> ids;
  for (int at = 0; at < 10; ++at) {
    auto& a = c.another("").connects({.clean_start = at % 2 == 0, .expiry_s = 10});
    EXPECT_FALSE(a.connack().session_present);
    ids.insert(a.connack().text(Property::assigned_client_identifier));
    a.drops();
  }
  EXPECT_EQ(ids.size(), 10U);
  for (const auto& id : ids) {
    ASSERT_FALSE(id.empty());
    EXPECT_TRUE(c.client(id).connects({.clean_start = false}).connack().session_present);
  }
}

CONFORMS_V5(AUserNameIsText, "MQTT-3.1.3-12") {
  refuses(raw_connect(0x82, field("a") + field(kIllFormed)), malformed_packet);
  refuses(raw_connect(0x82, field("a") + field(kWithNul)), malformed_packet);
}

CONFORMS_V5(AMalformedConnectEndsTheLink, "MQTT-3.1.4-1") {
  refuses(raw_connect(2, field("a") + "more"), malformed_packet);
  const auto twice =
      Properties().number(Property::receive_maximum, 1).number(Property::receive_maximum, 1);
  refuses(connect_packet(Version::v5, "a", {.properties = twice}), protocol_error);
  refuses(connect_packet(Version::v5, "a", {.receive_maximum = 0}), protocol_error);
  refuses(connect_packet(Version::v5, "a", {.packet_size_max = 0}), protocol_error);
}

CONFORMS_V5(AConnectThatIsNotLetInEndsTheLink, "MQTT-3.1.4-2") {
  Config config;
  config.limits.sessions_max = 0;
  Cluster c{{.config = config}};
  c.client("a").sends_connect({.expiry_s = 1}).is_refused(quota_exceeded);
  refuses(connect_packet(Version::v5, "a",
                         {.properties = Properties().text(Property::authentication_method, "x")}),
          bad_authentication_method);
}

CONFORMS_V5(TheSecondConnectionTakesOver, "MQTT-3.1.4-3") {
  Cluster c{{.shards = 2}};
  auto& first = c.client("a").connects({.expiry_s = 10});
  auto& second = c.another("a").connects({.clean_start = false, .expiry_s = 10});
  first.gets_disconnect(session_taken_over);
  EXPECT_TRUE(second.connack().session_present);
  second.pings();
}

CONFORMS_V5(AConnectIsAnsweredByConnack, "MQTT-3.1.4-5", "MQTT-3.2.0-2") {
  Cluster c;
  auto& a = c.client("a").sends_connect();
  const auto connack = a.next();
  EXPECT_EQ(connack.type, PacketType::connack);
  EXPECT_EQ(connack.reason, success);
  a.pings().gets_nothing();
}

CONFORMS_V5(WhatFollowsARefusedConnectIsIgnored, "MQTT-3.1.4-6") {
  Cluster c;
  auto& witness = c.client("witness").connects();
  witness.subscribes("#");
  auto& a = c.client("a").opens();
  a.sends(raw_connect(0x03, field("a")) + publish_packet(Version::v5, "x", "sneaked in", {}));
  a.is_refused(malformed_packet).gets_nothing();
  witness.receives_nothing();
}

}  // namespace linnet::test

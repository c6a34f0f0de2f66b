// MQTT 5.0, section 3.3: PUBLISH, its flags and its properties.
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

CONFORMS_V5(DupIsSetWhenSentAgain, "MQTT-3.3.1-1", "MQTT-4.3.2-2", "MQTT-4.3.3-2") {
  Cluster c;
  auto& a = c.client("a").manual().connects({.expiry_s = 100});
  a.subscribes("x", qos2);
  auto& b = c.client("b").connects();
  b.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  EXPECT_FALSE(a.receives("x", "1").dup);
  EXPECT_FALSE(a.receives("x", "2").dup);
  a.drops().connects({.clean_start = false});
  EXPECT_TRUE(a.receives("x", "1").dup);
  EXPECT_TRUE(a.receives("x", "2").dup);
}

CONFORMS_V5(NoDupAtQos0, "MQTT-3.3.1-2", "MQTT-4.3.1-1") {
  breaks(from_hex("38 04 00 01 78 00"), malformed_packet);
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x", qos0);
  c.client("b").connects().publishes("x", "1", {.qos = 1, .dup = true});
  const auto packet = a.receives("x", "1");
  EXPECT_FALSE(packet.dup);
  EXPECT_EQ(packet.qos, 0U);
}

CONFORMS_V5(DupIsNotPassedOn, "MQTT-3.3.1-3") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x", qos2);
  auto& b = c.client("b").connects();
  b.publishes("x", "1", {.qos = 1, .dup = true}).publishes("x", "2", {.qos = 2, .dup = true});
  EXPECT_FALSE(a.receives("x", "1").dup);
  EXPECT_FALSE(a.receives("x", "2").dup);
}

CONFORMS_V5(Qos3IsRefused, "MQTT-3.3.1-4") {
  breaks(from_hex("36 06 00 01 78 00 01 00"), malformed_packet);
  breaks(from_hex("3e 06 00 01 78 00 01 00"), malformed_packet);
}

CONFORMS_V5(ATopicNameIsText, "MQTT-3.3.2-1") {
  breaks(publish_packet(Version::v5, kIllFormed, "", {}), malformed_packet);
  breaks(publish_packet(Version::v5, "", "", {}), protocol_error);
  breaks(from_hex("30 03 00 09 78"), malformed_packet);
}

CONFORMS_V5(ATopicNameHasNoWildcard, "MQTT-3.3.2-2", "MQTT-4.7.0-1") {
  for (const auto* topic : {"#", "+", "a/#", "a/+/b", "a+", "a#b"}) {
    breaks(publish_packet(Version::v5, topic, "", {}), topic_name_invalid);
  }
}

CONFORMS_V5(TheTopicMatchesTheFilter, "MQTT-3.3.2-3") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  a.subscribes("sport/+/ranking/#");
  auto& b = c.client("b").connects();
  for (const auto* topic : {"sport/tennis/score", "sport/ranking", "sports/a/ranking", "sport/a"}) {
    b.publishes(topic, "no");
  }
  b.publishes("sport/tennis/ranking/1", "yes").publishes("sport//ranking", "yes");
  a.receives("sport/tennis/ranking/1", "yes");
  a.receives("sport//ranking", "yes");
  a.receives_nothing();
}

CONFORMS_V5(PropertiesArePassedOnUnchanged, "MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16",
            "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20") {
  Cluster c{{.shards = 2}};
  Properties properties;
  properties.user("b", "1").number(Property::payload_format_indicator, 1).user("a", "2");
  properties.text(Property::response_topic, "answer/here");
  properties.text(Property::correlation_data, std::string_view("\0\xFF\1", 3)).user("b", "");
  properties.text(Property::content_type, "text/plain").user("b", "1");
  for (const auto* name : {"a", "b", "c"})
    c.client(name).connects().subscribes("x", qos2);
  auto& kept = c.client("kept").connects({.expiry_s = 100});
  kept.subscribes("x", qos1).drops();
  c.client("d").connects().publishes(
      "x", "1", {.qos = 2, .retain = true, .alias = 1, .properties = properties});
  c.client("late").connects().subscribes("x");
  kept.connects({.clean_start = false});
  for (const auto* name : {"a", "b", "c", "kept", "late"}) {
    const auto packet = c.client(name).receives("x", "1");
    EXPECT_EQ(packet.number(Property::payload_format_indicator), 1U);
    EXPECT_EQ(packet.text(Property::response_topic), "answer/here");
    EXPECT_EQ(packet.text(Property::correlation_data), std::string("\0\xFF\1", 3));
    EXPECT_EQ(packet.text(Property::content_type), "text/plain");
    std::string users;
    for (const auto& one : packet.properties) {
      if (one.id == Property::user_property) users += one.text + "=" + one.second + " ";
    }
    EXPECT_EQ(users, "b=1 a=2 b= b=1 ");
    EXPECT_FALSE(packet.has(Property::topic_alias));
  }
}

CONFORMS_V5(ThePayloadFormatIsPassedOnAsItWas, "MQTT-3.3.2-4") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x");
  const auto bytes = Properties().number(Property::payload_format_indicator, 0);
  a.publishes("x", "\xFF", {.properties = bytes}).publishes("x", "none");
  EXPECT_EQ(a.receives("x", "\xFF").number(Property::payload_format_indicator).value_or(0), 0U);
  EXPECT_FALSE(a.receives("x", "none").has(Property::payload_format_indicator));
}

CONFORMS_V5(AnExpiredMessageIsDeleted, "MQTT-3.3.2-5") {
  Cluster c;
  auto& a = c.client("a").connects({.expiry_s = 100});
  a.subscribes("x", qos1).drops();
  auto& b = c.client("b").connects();
  b.publishes("x", "short", {.qos = 1, .expiry_s = 5});
  b.publishes("x", "long", {.qos = 1, .expiry_s = 50});
  b.publishes("kept", "short", {.retain = true, .expiry_s = 5});
  c.after(6s);
  a.connects({.clean_start = false});
  a.receives("x", "long");
  a.subscribes("kept").receives_nothing();
}

CONFORMS_V5(TheExpiryShrinksWhileAMessageWaits, "MQTT-3.3.2-6") {
  Cluster c;
  auto& a = c.client("a").connects({.expiry_s = 100});
  a.subscribes("x", qos1).drops();
  auto& b = c.client("b").connects();
  b.publishes("x", "1", {.qos = 1, .retain = true, .expiry_s = 50});
  c.after(20s);
  a.connects({.clean_start = false});
  EXPECT_EQ(a.receives("x", "1").number(Property::message_expiry_interval), 30U);
  b.subscribes("x");
  EXPECT_EQ(b.receives("x", "1").number(Property::message_expiry_interval), 30U);
  b.publishes("x", "now", {.expiry_s = 7});
  EXPECT_EQ(b.receives("x", "now").number(Property::message_expiry_interval), 7U);
}

CONFORMS_V5(AliasesEndWithTheirConnection, "MQTT-3.3.2-7") {
  Cluster c;
  auto& a = c.client("a").connects({.expiry_s = 100});
  a.publishes("x", "1", {.alias = 5}).drops();
  a.connects({.clean_start = false, .expiry_s = 100});
  a.publishes("", "2", {.alias = 5}).gets_disconnect(protocol_error);
}

CONFORMS_V5(TheBrokersAliasesEndWithTheirConnection, "MQTT-3.3.2-7") {
  Cluster c;
  auto& b = c.client("b").connects();
  auto& a = c.client("a").connects({.expiry_s = 100, .topic_alias_max = 5});
  a.subscribes("a/long/topic", qos1);
  b.publishes("a/long/topic", "1").publishes("a/long/topic", "2");
  a.receives("a/long/topic", "1");
  EXPECT_EQ(a.receives("a/long/topic", "2").bytes.find("long"), std::string::npos);
  a.drops().connects({.clean_start = false, .topic_alias_max = 5});
  b.publishes("a/long/topic", "3");
  EXPECT_NE(a.receives("a/long/topic", "3").bytes.find("a/long/topic"), std::string::npos);
}

CONFORMS_V5(AnAliasIsNot0, "MQTT-3.3.2-8") {
  breaks(from_hex("30 07 00 01 78 03 23 00 00"), topic_alias_invalid);
}

CONFORMS_V5(TheBrokerKeepsTheClientsAliasMaximum, "MQTT-3.3.2-11", "MQTT-3.1.2-26",
            "MQTT-3.3.2-8") {
  Cluster c;
  auto& a = c.client("a").connects({.topic_alias_max = 2});
  a.subscribes("#");
  auto& b = c.client("b").connects();
  std::set<unsigned> aliases;
  for (int round = 0; round < 3; ++round) {
    for (const std::string topic : {"topic/one", "topic/two", "topic/three", "topic/four"}) {
      b.publishes(topic, "m");
      const auto alias = a.receives(topic, "m").number(Property::topic_alias);
      if (alias) aliases.insert(*alias);
    }
  }
  EXPECT_EQ(aliases, (std::set<unsigned>{1, 2}));
}

CONFORMS_V5(NoAliasForAClientThatWantsNone, "MQTT-3.1.2-27", "MQTT-3.3.2-11") {
  Cluster c;
  auto& a = c.client("a").connects({.topic_alias_max = 0});
  auto& b = c.client("b").connects();
  a.subscribes("a/long/topic");
  b.subscribes("a/long/topic");
  for (int round = 0; round < 5; ++round)
    b.publishes("a/long/topic", "m");
  for (auto* client : {&a, &b}) {
    const auto all = client->takes_messages();
    EXPECT_EQ(all.size(), 5U);
    for (const auto& packet : all)
      EXPECT_FALSE(packet.has(Property::topic_alias));
  }
}

CONFORMS_V5(TheBrokerTakesEachAlias, "MQTT-3.3.2-12") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  auto& b = c.client("b").connects();
  a.subscribes("#");
  const auto most = b.connack().number(Property::topic_alias_maximum).value_or(0);
  ASSERT_GT(most, 0U);
  for (std::uint16_t alias = 1; alias <= most; ++alias) {
    b.publishes("t/" + std::to_string(alias), "set", {.alias = alias});
    a.receives("t/" + std::to_string(alias), "set");
  }
  for (std::uint16_t alias = 1; alias <= most; ++alias) {
    b.publishes("", "used", {.alias = alias});
    a.receives("t/" + std::to_string(alias), "used");
  }
  b.publishes("other", "set anew", {.alias = 1}).publishes("", "used", {.qos = 1, .alias = 1});
  a.receives("other", "set anew");
  a.receives("other", "used");
}

CONFORMS_V5(AResponseTopicIsATopicName, "MQTT-3.3.2-13", "MQTT-3.3.2-14") {
  const auto with = [](std::string_view topic) {
    return publish_with(Properties().text(Property::response_topic, topic));
  };
  breaks(with(kIllFormed), malformed_packet);
  breaks(with("a/#"), protocol_error);
  breaks(with("+/a"), protocol_error);
}

CONFORMS_V5(AContentTypeIsText, "MQTT-3.3.2-19") {
  breaks(publish_with(Properties().text(Property::content_type, kIllFormed)), malformed_packet);
  breaks(publish_with(Properties().text(Property::content_type, kWithNul)), malformed_packet);
}

CONFORMS_V5(EachQosHasItsAnswer, "MQTT-3.3.4-1") {
  Cluster c;
  auto& a = c.client("a").manual().connects();
  a.sends_publish("x", "");
  a.gets_nothing();
  a.sends_publish("x", "", {.qos = 1, .packet_id = 7});
  EXPECT_EQ(a.next().type, PacketType::puback);
  a.gets_nothing();
  a.sends_publish("x", "", {.qos = 2, .packet_id = 7});
  EXPECT_EQ(a.next().type, PacketType::pubrec);
  a.gets_nothing();
}

CONFORMS_V5(OverlappingSubscriptionsMakeOneCopy, "MQTT-3.3.4-2", "MQTT-3.3.4-3", "MQTT-3.3.4-4") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x/#", {.qos = 0, .id = 10});
  a.subscribes("x/+", {.qos = 2, .id = 268'435'455});
  a.subscribes("x/y", {.qos = 1});
  a.subscribes("+/y", {.qos = 1, .id = 10});
  c.client("b").connects().publishes("x/y", "once", {.qos = 2});
  const auto packet = a.receives("x/y", "once");
  EXPECT_EQ(packet.qos, 2U);
  const auto ids = packet.subscription_ids();
  EXPECT_EQ(std::set<unsigned>(ids.begin(), ids.end()), (std::set<unsigned>{10, 268'435'455}));
  a.receives_nothing();
}

CONFORMS_V5(AClientSendsNoSubscriptionIdentifier, "MQTT-3.3.4-6") {
  breaks(from_hex("30 06 00 01 78 02 0b 01"), protocol_error);
}

CONFORMS_V5(TheReceiveMaximumOfTheBrokerIsKept, "MQTT-3.3.4-7") {
  Config config;
  config.limits.receive_maximum = 2;
  Cluster c{{.config = config}};
  auto& a = c.client("a").manual().connects();
  EXPECT_EQ(a.connack().number(Property::receive_maximum), 2U);
  a.sends_publish("x", "1", {.qos = 2, .packet_id = 1});
  a.sends_publish("x", "2", {.qos = 2, .packet_id = 2});
  a.sends_ack(PacketType::pubrel, 1).gets_ack(PacketType::pubcomp, 1);
  a.sends_publish("x", "3", {.qos = 2, .packet_id = 3});
  a.publishes("x", "zero").pings();
  a.sends_publish("x", "4", {.qos = 1, .packet_id = 4});
  a.gets_disconnect(receive_maximum_exceeded);
}

CONFORMS_V5(TheReceiveMaximumOfTheClientIsKept, "MQTT-3.3.4-9", "MQTT-4.9.0-1", "MQTT-4.9.0-2") {
  Cluster c;
  auto& a = c.client("a").manual().connects({.receive_maximum = 3});
  a.subscribes("x", qos2);
  auto& b = c.client("b").connects();
  for (unsigned at = 0; at < 6; ++at)
    b.publishes("x", "m", {.qos = 1 + at % 2});
  const auto first = a.takes_messages();
  ASSERT_EQ(first.size(), 3U);
  a.acks(first[1]).receives_nothing();  // QoS 2: still open after PUBREC
  a.acks(first[0]);
  EXPECT_EQ(a.takes_messages().size(), 1U);
  a.sends_ack(PacketType::pubcomp, first[1].packet_id);
  EXPECT_EQ(a.takes_messages().size(), 1U);
}

CONFORMS_V5(AtTheReceiveMaximumAllElseGoesOn, "MQTT-3.3.4-10", "MQTT-4.9.0-3") {
  Cluster c;
  auto& a = c.client("a").manual().connects({.receive_maximum = 1});
  a.subscribes("x", qos2);
  auto& b = c.client("b").connects();
  b.publishes("x", "1", {.qos = 2}).publishes("x", "2", {.qos = 2});
  const auto first = a.receives("x", "1");
  a.receives_nothing();
  a.pings().subscribes("y").unsubscribes("y");
  a.publishes("z", "", {.qos = 1});
  b.publishes("x", "zero");
  a.receives("x", "zero");
  a.acks(first).gets_ack(PacketType::pubrel, first.packet_id);
  a.receives_nothing();
  a.sends_ack(PacketType::pubcomp, first.packet_id).receives("x", "2");
}

}  // namespace linnet::test

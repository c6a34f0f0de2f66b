// MQTT 5.0, sections 3.8 to 3.11: SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK; and retained messages.
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

CONFORMS_V5(ANewRetainedMessageTakesThePlace, "MQTT-3.3.1-5") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  a.publishes("x", "old", {.qos = 1, .retain = true}).publishes("y", "other", {.retain = true});
  a.publishes("x", "new", {.qos = 2, .retain = true});
  auto& b = c.client("b").connects();
  b.subscribes("x", qos2);
  const auto packet = b.receives("x", "new");
  EXPECT_TRUE(packet.retain);
  EXPECT_EQ(packet.qos, 2U);
  b.receives_nothing();
}

CONFORMS_V5(AnEmptyRetainedMessageClears, "MQTT-3.3.1-6", "MQTT-3.3.1-7") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  a.publishes("x", "old", {.retain = true});
  auto& b = c.client("b").connects();
  b.subscribes("x");
  b.receives("x", "old");
  a.publishes("x", "", {.retain = true}).publishes("never/set", "", {.retain = true});
  b.receives("x", "");
  b.subscribes("#").receives_nothing();
  EXPECT_EQ(c.store().figures().retained_messages, 0U);
}

CONFORMS_V5(AMessageThatIsNotRetainedChangesNothing, "MQTT-3.3.1-8") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.publishes("x", "kept", {.retain = true}).publishes("x", "live").publishes("y", "live");
  a.publishes("x", "");
  a.subscribes("#");
  a.receives("x", "kept");
  a.receives_nothing();
}

CONFORMS_V5(RetainHandling0, "MQTT-3.3.1-9") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  a.publishes("x/1", "1", {.retain = true}).publishes("x/2", "2", {.retain = true});
  for (int round = 0; round < 2; ++round) {
    a.subscribes("x/+", {.retain_handling = 0});
    EXPECT_EQ(a.takes_messages().size(), 2U);
  }
}

CONFORMS_V5(RetainHandling1, "MQTT-3.3.1-10") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.publishes("x", "kept", {.retain = true});
  a.subscribes("x", {.retain_handling = 1}).receives("x", "kept");
  a.subscribes("x", {.qos = 2, .retain_handling = 1}).receives_nothing();
  a.unsubscribes("x").subscribes("x", {.retain_handling = 1}).receives("x", "kept");
}

CONFORMS_V5(RetainHandling2, "MQTT-3.3.1-11") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.publishes("x", "kept", {.retain = true});
  a.subscribes("x", {.retain_handling = 2}).receives_nothing();
  a.publishes("x", "live", {.retain = true}).receives("x", "live");
}

CONFORMS_V5(RetainAsPublished, "MQTT-3.3.1-12", "MQTT-3.3.1-13") {
  Cluster c;
  auto& plain = c.client("plain").connects();
  plain.subscribes("x");
  auto& as_published = c.client("as_published").connects();
  as_published.subscribes("x", {.retain_as_published = true});
  auto& b = c.client("b").connects();
  b.publishes("x", "kept", {.retain = true}).publishes("x", "live");
  EXPECT_FALSE(plain.receives("x", "kept").retain);
  EXPECT_FALSE(plain.receives("x", "live").retain);
  EXPECT_TRUE(as_published.receives("x", "kept").retain);
  EXPECT_FALSE(as_published.receives("x", "live").retain);
}

CONFORMS_V5(SubscribeHasTheFlags2, "MQTT-3.8.1-1") {
  for (const unsigned flags : {0U, 1U, 3U, 6U, 10U}) {
    breaks(packet(0x80 | flags, from_hex("00 01 00 00 01 78 00")), malformed_packet);
  }
}

CONFORMS_V5(AFilterIsText, "MQTT-3.8.3-1", "MQTT-3.10.3-1") {
  for (const auto text : {kIllFormed, kWithNul}) {
    breaks(subscribe_packet(Version::v5, 1, {"x", std::string(text)}, {}), malformed_packet);
    breaks(unsubscribe_packet(Version::v5, 1, {"x", std::string(text)}), malformed_packet);
  }
}

CONFORMS_V5(ThereIsAFilter, "MQTT-3.8.3-2", "MQTT-3.10.3-2") {
  breaks(subscribe_packet(Version::v5, 1, {}, {}), protocol_error);
  breaks(unsubscribe_packet(Version::v5, 1, {}), protocol_error);
}

CONFORMS_V5(NoLocalKeepsOwnMessagesAway, "MQTT-3.8.3-3") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects({.expiry_s = 10});
  a.subscribes("x", {.qos = 1, .no_local = true});
  auto& b = c.client("b").connects();
  a.publishes("x", "mine", {.qos = 1});
  b.publishes("x", "yours", {.qos = 1});
  a.receives("x", "yours");
  a.drops().connects({.clean_start = false});
  a.publishes("x", "still mine").receives_nothing();
  a.subscribes("x").publishes("x", "wanted").receives("x", "wanted");
}

CONFORMS_V5(NoLocalDoesNotGoWithShared, "MQTT-3.8.3-4") {
  breaks(subscribe_packet(Version::v5, 1, {"$share/g/x"}, {.no_local = true}), protocol_error);
}

CONFORMS_V5(ReservedSubscriptionOptionsAreRefused, "MQTT-3.8.3-5") {
  breaks(from_hex("82 07 00 01 00 00 01 78 40"), malformed_packet);
  breaks(from_hex("82 07 00 01 00 00 01 78 80"), malformed_packet);
  breaks(from_hex("82 0b 00 01 00 00 01 78 00 00 01 79 c1"), malformed_packet);
}

CONFORMS_V5(SubscribeIsAnswered, "MQTT-3.8.4-1", "MQTT-3.8.4-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  a.gets_hex(to_hex(a.connack().bytes));
  a.sends_hex("82 07 12 34 00 00 01 78 01").gets_hex("90 04 12 34 00 01");
}

CONFORMS_V5(TheSameFilterReplacesTheSubscription, "MQTT-3.8.4-3") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x", {.qos = 2, .retain_as_published = true, .id = 5});
  a.subscribes("x", {.qos = 1, .id = 6});
  auto& b = c.client("b").connects();
  b.publishes("x", "1", {.qos = 2, .retain = true});
  auto packet = a.receives("x", "1");
  EXPECT_EQ(packet.qos, 1U);
  EXPECT_FALSE(packet.retain);
  EXPECT_EQ(packet.subscription_ids(), std::vector<std::uint32_t>{6});
  a.receives_nothing();
  a.subscribes("x", {.qos = 1, .retain_handling = 2});
  b.publishes("x", "2", {.qos = 1});
  EXPECT_TRUE(a.receives("x", "2").subscription_ids().empty());
  a.unsubscribes("x");
  b.publishes("x", "3", {.qos = 1});
  a.receives_nothing();
}

CONFORMS_V5(ReplacingASubscriptionLosesNothing, "MQTT-3.8.4-4") {
  Cluster c;
  auto& b = c.client("b").connects();
  b.publishes("x", "kept", {.retain = true});
  auto& a = c.client("a").manual().connects({.receive_maximum = 1});
  a.subscribes("x", qos1);
  a.receives("x", "kept");
  for (const auto* payload : {"1", "2", "3"})
    b.publishes("x", payload, {.qos = 1});
  a.sends_subscribe({"x"}, qos1);
  std::vector<std::string> payloads;
  for (auto all = a.takes_messages(); !all.empty(); all = a.takes_messages()) {
    for (const auto& packet : all) {
      payloads.push_back(packet.payload);
      if (packet.qos == 1) a.acks(packet);
    }
  }
  std::multiset<std::string> sorted(payloads.begin(), payloads.end());
  EXPECT_EQ(sorted, (std::multiset<std::string>{"1", "2", "3", "kept"}));
  b.publishes("x", "4", {.qos = 1});
  a.receives("x", "4");
}

CONFORMS_V5(ManyFiltersHaveOneSuback, "MQTT-3.8.4-5", "MQTT-3.8.4-6", "MQTT-3.8.4-7",
            "MQTT-3.9.3-1", "MQTT-3.9.3-2") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.gets_hex(to_hex(a.connack().bytes));
  const auto filter = [](const char* text, unsigned options) {
    return field(text) + static_cast<char>(options);
  };
  const auto body = from_hex("00 07 00") + filter("x", 2) + filter("a#", 1) + filter("y", 0) +
                    filter("$share//x", 0) + filter("$share/g/z", 1);
  a.sends(packet(0x82, body)).gets_hex("90 08 00 07 00 02 8f 00 8f 01");
  auto& b = c.client("b").connects();
  for (const auto* topic : {"x", "y", "z", "a"})
    b.publishes(topic, "m", {.qos = 2});
  EXPECT_EQ(a.receives("x", "m").qos, 2U);
  EXPECT_EQ(a.receives("y", "m").qos, 0U);
  EXPECT_EQ(a.receives("z", "m").qos, 1U);
  a.receives_nothing();
}

CONFORMS_V5(AFullSessionRefusesFilters, "MQTT-3.8.4-7", "MQTT-3.9.3-2") {
  Config config;
  config.limits.subscriptions_max = 2;
  Cluster c{{.config = config}};
  auto& a = c.client("a").connects();
  a.sends_subscribe({"1", "2", "3"}, qos1);
  a.gets_suback({granted_qos_1, granted_qos_1, quota_exceeded});
  a.sends_subscribe({"2", "$share/g/3"}, qos2);
  a.gets_suback({granted_qos_2, quota_exceeded});
}

CONFORMS_V5(DeliveryIsAtTheLowerQos, "MQTT-3.8.4-8") {
  Cluster c;
  auto& b = c.client("b").connects();
  for (unsigned granted = 0; granted < 3; ++granted) {
    auto& a = c.client("a" + std::to_string(granted)).connects();
    a.subscribes("x", {.qos = granted, .retain_handling = 2});
    for (unsigned published = 0; published < 3; ++published) {
      b.publishes("x", "m", {.qos = published, .retain = true});
      EXPECT_EQ(a.receives("x", "m").qos, std::min(granted, published));
      auto& late = c.client("late").connects();
      late.subscribes("x", {.qos = granted});
      EXPECT_EQ(late.receives("x", "m").qos, std::min(granted, published));
    }
  }
}

CONFORMS_V5(UnsubscribeHasTheFlags2, "MQTT-3.10.1-1") {
  for (const unsigned flags : {0U, 1U, 3U, 6U, 10U}) {
    breaks(packet(0xa0 | flags, from_hex("00 01 00 00 01 78")), malformed_packet);
  }
}

CONFORMS_V5(UnsubscribeComparesCharacterByCharacter, "MQTT-3.10.4-1", "MQTT-3.11.3-1",
            "MQTT-3.11.3-2") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x/+", qos1);
  a.sends_unsubscribe({"X/+", "x/#", "x/", "x/y", "x/+/", "$share/g/x/+", "x/+#"});
  const auto none = no_subscription_existed;
  EXPECT_EQ(a.gets(PacketType::unsuback).reasons,
            (std::vector{none, none, none, none, none, none, topic_filter_invalid}));
  auto& b = c.client("b").connects();
  b.publishes("x/y", "1", {.qos = 1});
  a.receives("x/y", "1");
  a.unsubscribes("x/+");
  b.publishes("x/y", "2", {.qos = 1});
  a.receives_nothing();
}

CONFORMS_V5(AfterUnsubscribeNothingNewComes, "MQTT-3.10.4-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects({.expiry_s = 100});
  auto& b = c.client("b").connects();
  a.subscribes("x", qos2).unsubscribes("x");
  b.publishes("x", "live", {.qos = 2});
  a.drops();
  b.publishes("x", "away", {.qos = 2});
  a.connects({.clean_start = false}).receives_nothing();
}

CONFORMS_V5(DeliveriesUnderWayAreFinished, "MQTT-3.10.4-3") {
  Cluster c;
  auto& a = c.client("a").manual().connects({.expiry_s = 100});
  a.subscribes("x", qos2);
  auto& b = c.client("b").connects();
  b.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  a.unsubscribes("x");
  const auto first = a.receives("x", "1");
  const auto second = a.receives("x", "2");
  a.acks(first).acks(second).gets_ack(PacketType::pubrel, second.packet_id);
  a.drops().connects({.clean_start = false});
  a.gets_ack(PacketType::pubrel, second.packet_id);
  a.sends_ack(PacketType::pubcomp, second.packet_id).gets_nothing();
}

CONFORMS_V5(UnsubscribeIsAlwaysAnswered, "MQTT-3.10.4-4", "MQTT-3.10.4-5") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  a.gets_hex(to_hex(a.connack().bytes));
  a.sends_hex("a2 06 43 21 00 00 01 78").gets_hex("b0 04 43 21 00 11");
}

CONFORMS_V5(ManyFiltersHaveOneUnsuback, "MQTT-3.10.4-6", "MQTT-3.11.3-1") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("x").subscribes("y").subscribes("$share/g/z");
  a.sends_unsubscribe({"y", "none", "$share/g/z", "y"});
  const auto none = no_subscription_existed;
  EXPECT_EQ(a.gets(PacketType::unsuback).reasons, (std::vector{success, none, success, none}));
  a.gets_nothing();
  auto& b = c.client("b").connects();
  for (const auto* topic : {"y", "z", "x"})
    b.publishes(topic, "m");
  a.receives("x", "m");
  a.receives_nothing();
}

}  // namespace linnet::test

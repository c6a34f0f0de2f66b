// MQTT 3.1.1, sections 3.3 to 3.6: PUBLISH with its flags, its topic and its answers.
#include "conformance_v311.hpp"

namespace linnet::test {

CONFORMS_V3(AResentPublishHasDup, "MQTT-3.3.1-1", "MQTT-3.3.1-3") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2).manual();
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2});
  EXPECT_FALSE(a.receives("x", "1").dup);
  EXPECT_FALSE(a.receives("x", "2").dup);
  a.drops().connects(kKept);
  EXPECT_TRUE(a.receives("x", "1").dup);
  EXPECT_TRUE(a.receives("x", "2").dup);
}

CONFORMS_V3(ThePublishersDupIsNotPassedOn, "MQTT-3.3.1-3", "MQTT-4.3.1-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos2);
  auto& low = c.client("low").v3().connects().subscribes("x", qos0);
  auto& p = c.client("p").v3().connects();
  for (const unsigned qos : {1U, 2U}) {
    p.publishes("x", "again", {.qos = qos, .dup = true});
    EXPECT_FALSE(a.receives("x", "again").dup);
    EXPECT_FALSE(low.receives("x", "again").dup);
  }
}

CONFORMS_V3(QosZeroHasNoDup, "MQTT-3.3.1-2") {
  Cluster c;
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  ends_link(c.client("a").v3(), publish_packet(k311, "x", "1", {.dup = true}));
  watcher.receives_nothing();
}

CONFORMS_V3(QosThreeEndsTheLink, "MQTT-3.3.1-4") {
  Cluster c;
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3();
  ends_link(a, publish_packet(k311, "x", "1", {.qos = 3, .packet_id = 1}));
  ends_link(a, publish_packet(k311, "x", "1", {.qos = 3, .dup = true, .packet_id = 1}));
  watcher.receives_nothing();
}

CONFORMS_V3(RetainStoresTheMessageWithItsQos, "MQTT-3.3.1-5", "MQTT-3.3.1-8") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  auto& a = c.client("a").v3().connects();
  for (unsigned qos = 0; qos <= 2; ++qos) {
    const std::string topic = "x/" + std::to_string(qos);
    p.publishes(topic, "kept", {.qos = qos, .retain = true});
    const Packet got = a.subscribes(topic, qos2).receives(topic, "kept");
    EXPECT_EQ(got.qos, qos);
    EXPECT_TRUE(got.retain);
  }
}

CONFORMS_V3(RetainedMessagesOutliveTheirPublisher, "MQTT-3.3.1-5") {
  Cluster c{{.shards = 2}};
  c.client("p").v3().connects().publishes("x", "1", {.qos = 1, .retain = true}).disconnects();
  c.after(24h);
  c.client("a").v3().connects().subscribes("x").receives("x", "1");
}

CONFORMS_V3(ANewSubscriptionGetsEachMatchingTopic, "MQTT-3.3.1-6") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  for (const char* topic : {"x", "x/1", "x/2", "x/2/3", "y"}) {
    p.publishes(topic, "old", {.retain = true}).publishes(topic, "new", {.retain = true});
  }
  auto& a = c.client("a").v3().connects().subscribes("x/#");
  std::set<std::string> topics;
  for (const Packet& one : a.takes_messages()) {
    EXPECT_EQ(one.payload, "new");
    EXPECT_TRUE(topics.insert(one.topic).second);
  }
  EXPECT_EQ(topics, (std::set<std::string>{"x", "x/1", "x/2", "x/2/3"}));
}

CONFORMS_V3(ARetainedQosZeroMessageReplaces, "MQTT-3.3.1-7") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "old", {.qos = 2, .retain = true}).publishes("x", "new", {.retain = true});
  auto& a = c.client("a").v3().connects().subscribes("x", qos2);
  EXPECT_EQ(a.receives("x", "new").qos, 0U);
  a.receives_nothing();
}

CONFORMS_V3(AStandingSubscriptionGetsRetainZero, "MQTT-3.3.1-9") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos2);
  auto& p = c.client("p").v3().connects();
  for (unsigned qos = 0; qos <= 2; ++qos) {
    p.publishes("x", "1", {.qos = qos, .retain = true});
    EXPECT_FALSE(a.receives("x", "1").retain);
  }
}

CONFORMS_V3(AnEmptyRetainedMessageClears, "MQTT-3.3.1-10", "MQTT-3.3.1-11") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  auto& a = c.client("a").v3().connects().subscribes("x", qos1);
  for (unsigned qos = 0; qos <= 2; ++qos) {
    p.publishes("x", "1", {.retain = true});
    a.receives("x", "1");
    p.publishes("x", "", {.qos = qos, .retain = true});
    EXPECT_FALSE(a.receives("x", "").retain);
    auto& late = c.client("late").v3().connects().subscribes("x");
    late.receives_nothing();
  }
}

CONFORMS_V3(AnEmptyMessageIsNotStored, "MQTT-3.3.1-11") {
  Cluster c{{.shards = 2}};
  c.client("p").v3().connects().publishes("x", "", {.qos = 1, .retain = true});
  c.client("a").v3().connects().subscribes("#").receives_nothing();
  EXPECT_EQ(c.store().figures().retained_messages, 0U);
}

CONFORMS_V3(WithoutRetainNothingIsStored, "MQTT-3.3.1-12") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "kept", {.retain = true}).publishes("x", "passing", {.qos = 1});
  p.publishes("x", "").publishes("y", "passing", {.qos = 2});
  auto& a = c.client("a").v3().connects().subscribes("#");
  a.receives("x", "kept");
  a.receives_nothing();
}

CONFORMS_V3(TheTopicIsFirstAndIsText, "MQTT-3.3.2-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3();
  ends_link(a, packet(0x30, ""));
  ends_link(a, packet(0x30, std::string("\0", 1)));
  ends_link(a, packet(0x30, std::string("\0\3xy", 4)));
  ends_link(a, publish_packet(k311, "\xed\xa0\x80", "", {}));
  auto& watcher = c.client("watcher").v3().connects().subscribes("x/y");
  watcher.gets_hex("20 02 00 00  90 03 0001 00");
  keeps_link(a, from_hex("30 07 0003 782f79 6869"));
  watcher.gets_hex("30 07 0003 782f79 6869");
}

CONFORMS_V3(ATopicNameHasNoWildcards, "MQTT-3.3.2-2", "MQTT-4.7.1-1") {
  Cluster c;
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3();
  for (const char* topic : {"#", "+", "x/#", "x/+/y", "x+", "x#y"}) {
    SCOPED_TRACE(topic);
    for (unsigned qos = 0; qos <= 2; ++qos) {
      ends_link(a, publish_packet(k311, topic, "1", {.qos = qos, .packet_id = 1}));
    }
    gets_no_connack(
        a, connect_packet(k311, "a", {.will = WillOptions{.topic = topic, .payload = "gone"}}));
  }
  watcher.receives_nothing();
}

CONFORMS_V3(DeliveredTopicsMatchTheirFilter, "MQTT-3.3.2-3") {
  const struct {
    const char* filter;
    std::set<std::string> topics;
  } cases[] = {{"a/b", {"a/b"}},       {"a/+", {"a/b", "a/"}},
               {"+/b", {"a/b", "/b"}}, {"a/#", {"a", "a/", "a/b", "a/b/c"}},
               {"/+", {"/b"}},         {"+", {"a", "ab"}}};
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  for (const auto& one : cases) {
    SCOPED_TRACE(one.filter);
    auto& a = c.client("a").v3().connects().subscribes(one.filter);
    for (const char* topic : {"a", "a/", "a/b", "a/b/c", "/b", "A/B", "ab"})
      p.publishes(topic, "");
    std::set<std::string> topics;
    for (const Packet& got : a.takes_messages())
      topics.insert(got.topic);
    EXPECT_EQ(topics, one.topics);
  }
}

CONFORMS_V3(EachQosHasItsAnswer, "MQTT-3.3.4-1", "MQTT-4.3.2-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().manual();
  a.gets_hex(kConnackBytes);
  a.sends_hex("30 03 0001 78").gets_hex("");
  a.sends_hex("32 05 0001 78 0001").gets_hex("40 02 0001");
  a.sends_hex("34 05 0001 78 0002").gets_hex("50 02 0002");
}

CONFORMS_V3(OverlappingSubscriptionsDeliverAtTheHighest, "MQTT-3.3.5-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects();
  a.subscribes("x/#", qos0).subscribes("x/y", qos2).subscribes("+/y", qos1);
  auto& p = c.client("p").v3().connects();
  for (unsigned qos = 0; qos <= 2; ++qos) {
    p.publishes("x/y", "1", {.qos = qos});
    unsigned highest = 0;
    for (const Packet& one : a.takes_messages())
      highest = std::max(highest, one.qos);
    EXPECT_EQ(highest, qos);
  }
}

CONFORMS_V3(AForbiddenPublishIsAcknowledgedAsUsual, "MQTT-3.3.5-2") {
  Cluster c{{.shards = 2}};
  auto& watcher = c.client("watcher").v3().connects().subscribes("$SYS/mine");
  auto& a = c.client("a").v3().connects();
  a.publishes("$SYS/mine", "1", {.qos = 1}).publishes("$SYS/mine", "2", {.qos = 2});
  a.is_open();
  watcher.receives_nothing();
}

CONFORMS_V3(PubrelHasTheFlagsOfItsTable, "MQTT-3.6.1-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3();
  for (unsigned flags = 0; flags < 16; ++flags) {
    if (flags != 2) ends_link(a, packet(0x60 | flags, std::string("\0\1", 2)));
  }
  a.connects().subscribes("x", qos2).manual();
  c.client("p").v3().connects().publishes("x", "", {.qos = 2});
  a.gets_hex("20 02 00 00  90 03 0001 02  34 05 0001 78 0001");
  a.sends_hex("50 02 0001").gets_hex("62 02 0001");
}

}  // namespace linnet::test

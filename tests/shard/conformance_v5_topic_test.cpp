// MQTT 5.0, sections 4.7 and 4.8: topics, filters, shared subscriptions. And the client's limit on
// the size of packets (section 3.1.2.11.4).
#include "conformance_v5.hpp"

namespace linnet::test {

using enum ReasonCode;

namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 1'000};

/// SUBACK and UNSUBACK refuse this filter.
void is_no_filter(const std::string& filter, Where where = Where::current()) {
  Cluster c;
  auto& a = c.client("a").connects();
  a.sends_subscribe({filter}, {}, where);
  a.gets_suback({topic_filter_invalid}, where);
  a.sends_unsubscribe({filter}, where);
  EXPECT_EQ(a.gets(PacketType::unsuback, where).reasons, std::vector{topic_filter_invalid});
}

using Topics = std::vector<std::string>;

/// Which of the topics a subscriber of this filter receives.
Topics matches(const std::string& filter, const Topics& topics) {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  a.subscribes(filter);
  auto& b = c.client("b").connects();
  for (const auto& topic : topics)
    b.publishes(topic, "m", {.retain = true});
  Topics found;
  for (const auto& packet : a.takes_messages())
    found.push_back(packet.topic);
  // What is retained matches in the same way.
  auto& late = c.client("late").connects();
  late.subscribes(filter);
  std::multiset<std::string> retained;
  for (const auto& packet : late.takes_messages())
    retained.insert(packet.topic);
  EXPECT_EQ(retained, std::multiset<std::string>(found.begin(), found.end()));
  return found;
}

}  // namespace

CONFORMS_V5(TheMultiLevelWildcard, "MQTT-4.7.1-1") {
  for (const auto* filter : {"a#", "a/b#", "#/a", "a/#/b", "##", "a/##", "#a"}) {
    is_no_filter(filter);
  }
  EXPECT_EQ(matches("a/#", {"a", "a/b", "a/b/c", "a/", "ab", "b/a", "/a"}),
            (Topics{"a", "a/b", "a/b/c", "a/"}));
  EXPECT_EQ(matches("#", {"a", "/a", "a/b"}), (Topics{"a", "/a", "a/b"}));
}

CONFORMS_V5(TheSingleLevelWildcard, "MQTT-4.7.1-2") {
  for (const auto* filter : {"a+", "+a", "a/b+", "a/+b/c", "++", "a/+#"})
    is_no_filter(filter);
  EXPECT_EQ(matches("a/+", {"a", "a/b", "a/", "a/b/c", "b/b"}), (Topics{"a/b", "a/"}));
  EXPECT_EQ(matches("+", {"a", "/a", "a/"}), (Topics{"a"}));
  EXPECT_EQ(matches("+/+", {"a", "/a", "a/", "a/b", "a/b/c"}), (Topics{"/a", "a/", "a/b"}));
  EXPECT_EQ(matches("+/b/#", {"a/b", "/b/c", "b", "a/b/c/d"}), (Topics{"a/b", "/b/c", "a/b/c/d"}));
}

CONFORMS_V5(WildcardsDoNotMatchDollarTopics, "MQTT-4.7.2-1") {
  const Topics topics{"$own/a", "$own", "a/$own", "$/a"};
  EXPECT_EQ(matches("#", topics), (Topics{"a/$own"}));
  EXPECT_EQ(matches("+/a", topics), (Topics{}));
  EXPECT_EQ(matches("+", topics), (Topics{}));
  EXPECT_EQ(matches("+/#", topics), (Topics{"a/$own"}));
  EXPECT_EQ(matches("$own/#", topics), (Topics{"$own/a", "$own"}));
  EXPECT_EQ(matches("$own/+", topics), (Topics{"$own/a"}));
}

CONFORMS_V5(SystemTopicsAreNotForWildcards, "MQTT-4.7.2-1") {
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes("#").subscribes("+/broker/#");
  c.after(60s);
  a.receives_nothing();
  a.subscribes("$SYS/#");
  EXPECT_FALSE(a.takes_messages().empty());
}

CONFORMS_V5(NamesAndFiltersHaveACharacter, "MQTT-4.7.3-1") {
  is_no_filter("");
  breaks(publish_packet(Version::v5, "", "m", {}), protocol_error);
  EXPECT_EQ(matches("/", {"/", "a"}), (Topics{"/"}));
  EXPECT_EQ(matches(" ", {" ", "a"}), (Topics{" "}));
}

CONFORMS_V5(NamesAndFiltersHaveNoNul, "MQTT-4.7.3-2") {
  const std::string text(kWithNul);
  breaks(publish_packet(Version::v5, text, "m", {}), malformed_packet);
  breaks(subscribe_packet(Version::v5, 1, {text}, {}), malformed_packet);
  breaks(unsubscribe_packet(Version::v5, 1, {text}), malformed_packet);
}

CONFORMS_V5(NamesAndFiltersOf65535Bytes, "MQTT-4.7.3-3") {
  const std::string longest(65'535, 'n');
  Cluster c;
  auto& a = c.client("a").connects();
  a.subscribes(longest, qos1);
  c.client("b").connects().publishes(longest, "m", {.qos = 1, .retain = true});
  a.receives(longest, "m");
  a.subscribes(longest, qos1).receives(longest, "m");
  a.unsubscribes(longest);
}

CONFORMS_V5(MatchingComparesCharactersAsTheyAre, "MQTT-4.7.3-4") {
  const Topics topics{"\xC3\xA9", "e\xCC\x81", "e", "E",
                      "\xEF\xBB\xBF"
                      "e"};
  EXPECT_EQ(matches("\xC3\xA9", topics), (Topics{"\xC3\xA9"}));
  EXPECT_EQ(matches("e\xCC\x81", topics), (Topics{"e\xCC\x81"}));
  EXPECT_EQ(matches("e", topics), (Topics{"e"}));
  EXPECT_EQ(matches("E", topics), (Topics{"E"}));
}

CONFORMS_V5(ASharedFilterHasANameAndAFilter, "MQTT-4.8.2-1", "MQTT-4.8.2-2") {
  for (const auto* filter : {"$share/", "$share//x", "$share/g", "$share/g/", "$share/g+/x",
                             "$share/#/x", "$share/+/x", "$share/g/x#", "$share/g/#/x"}) {
    is_no_filter(filter);
  }
  EXPECT_EQ(matches("$shared", {"$shared", "d"}), (Topics{"$shared"}));
}

CONFORMS_V5(AShareNameIsAnyOtherText, "MQTT-4.8.2-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  a.subscribes("$share/a group $/x/+");
  c.client("b").connects().publishes("x/y", "m");
  a.receives("x/y", "m");
}

CONFORMS_V5(ASharedDeliveryIsAtTheLowerQos, "MQTT-4.8.2-3") {
  Cluster c{{.shards = 2}};
  auto& b = c.client("b").connects();
  for (unsigned granted = 0; granted < 3; ++granted) {
    const auto topic = "x/" + std::to_string(granted);
    auto& a = c.client("a" + std::to_string(granted)).connects();
    a.subscribes("$share/g/" + topic, {.qos = granted});
    for (unsigned published = 0; published < 3; ++published) {
      b.publishes(topic, "m", {.qos = published});
      EXPECT_EQ(a.receives(topic, "m").qos, std::min(granted, published));
    }
  }
}

namespace {

/// Two members with kept sessions; the first to receive a message broke off.
struct Group {
  Group() {
    for (auto* member : {&one, &two}) {
      member->manual().connects(kKept).subscribes("$share/g/x", qos2);
    }
  }
  /// Which member has received something.
  [[nodiscard]] std::pair<Client*, Client*> taker() {
    const bool first = std::any_of(one.inbox().begin(), one.inbox().end(), [](const auto& packet) {
      return packet.type == PacketType::publish;
    });
    return first ? std::pair{&one, &two} : std::pair{&two, &one};
  }

  Cluster c{{.shards = 2}};
  Client& one = c.client("one");
  Client& two = c.client("two");
  Client& b = c.client("b").connects();
};

}  // namespace

CONFORMS_V5(ASharedQos2DeliveryIsFinishedWithItsReceiver, "MQTT-4.8.2-4") {
  Group g;
  g.b.publishes("x", "m", {.qos = 2});
  auto [taker, other] = g.taker();
  const auto packet = taker->receives("x", "m");
  taker->drops();
  other->gets_nothing();
  taker->connects(kKept);
  EXPECT_EQ(taker->receives("x", "m").packet_id, packet.packet_id);
  taker->acks(packet).gets_ack(PacketType::pubrel, packet.packet_id);
  taker->drops().connects(kKept).gets_ack(PacketType::pubrel, packet.packet_id);
  other->gets_nothing();
}

CONFORMS_V5(ASharedQos2DeliveryEndsWithItsSession, "MQTT-4.8.2-5") {
  Group g;
  g.b.publishes("x", "m", {.qos = 2});
  auto [taker, other] = g.taker();
  taker->receives("x", "m");
  taker->drops();
  g.c.after(1'001s);
  other->receives_nothing();
  taker->connects(kKept).receives_nothing();
}

CONFORMS_V5(ARefusedSharedMessageGoesToNobodyElse, "MQTT-4.8.2-6") {
  Group g;
  for (const unsigned qos : {1U, 2U}) {
    g.b.publishes("x", "m", {.qos = qos});
    auto [taker, other] = g.taker();
    const auto packet = taker->receives("x", "m");
    const auto type = qos == 1 ? PacketType::puback : PacketType::pubrec;
    taker->sends_ack(type, packet.packet_id, not_authorized);
    taker->gets_nothing();
    other->gets_nothing();
    taker->drops().connects(kKept).gets_nothing();
  }
}

CONFORMS_V5(MessagesThatAreTooLargeAreDropped, "MQTT-3.1.2-24", "MQTT-3.1.2-25") {
  Cluster c;
  ConnectOptions options = kKept;
  options.packet_size_max = 50;
  auto& a = c.client("a").manual().connects(options);
  a.subscribes("x", qos2);
  auto& b = c.client("b").connects();
  // Fixed header 2, topic 3, identifier 2, property length 1.
  for (const unsigned qos : {1U, 2U}) {
    b.publishes("x", std::string(42, 'p'), {.qos = qos});
    b.publishes("x", std::string(43, 'p'), {.qos = qos});
    a.acks(a.receives("x", std::string(42, 'p')));
    a.receives_nothing();
  }
  b.publishes("x", std::string(45, 'p'));
  a.receives_nothing();
  a.drops().connects(kKept).receives_nothing();
}

CONFORMS_V5(AMessageThatIsTooLargeForOneReachesTheOthers, "MQTT-3.1.2-25") {
  Cluster c;
  auto& a = c.client("a").connects({.packet_size_max = 30});
  auto& b = c.client("b").connects();
  a.subscribes("x", qos1);
  b.subscribes("x", qos1);
  c.client("p").connects().publishes("x", std::string(40, 'p'), {.qos = 1, .retain = true});
  b.receives("x", std::string(40, 'p'));
  a.receives_nothing();
  a.subscribes("x", qos1).receives_nothing();
}

CONFORMS_V5(NoPacketIsTooLargeForTheClient, "MQTT-3.1.2-24") {
  Cluster c;
  for (const std::uint32_t size : {40U, 30U, 10U, 5U, 4U, 3U, 2U, 1U}) {
    auto& a = c.client("a" + std::to_string(size)).sends_connect({.packet_size_max = size});
    const std::vector<std::string> filters(45, "x");
    if (!a.closed()) a.sends_subscribe(filters);
    if (!a.closed()) a.sends_unsubscribe(filters);
    if (!a.closed()) a.sends_publish("$SYS/x", "", {.qos = 1});
    for (const auto& packet : a.inbox())
      EXPECT_LE(packet.bytes.size(), size) << packet.dump();
  }
}

}  // namespace linnet::test

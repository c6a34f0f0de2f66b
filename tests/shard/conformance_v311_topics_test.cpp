// MQTT 3.1.1, sections 4.7 and 4.8: topic names, topic filters, and what errors do.
#include "conformance_v311.hpp"

namespace linnet::test {

namespace {

void refuses(const std::vector<std::string>& filters) {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects();
  for (const std::string& filter : filters) {
    SCOPED_TRACE(filter);
    a.sends_subscribe({filter});
    a.gets_suback({kRefused});
  }
}

/// Subscribes to one filter after the other; each gets these of the topics.
void gets_topics(const std::string& filter, const std::set<std::string>& topics) {
  SCOPED_TRACE(filter);
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes(filter);
  auto& p = c.client("p").v3().connects();
  for (const char* topic : {"a", "a/b", "a/b/c", "a/x/c", "/", "/a", "$a", "$a/b"}) {
    p.publishes(topic, "");
  }
  std::set<std::string> got;
  for (const Packet& one : a.takes_messages())
    got.insert(one.topic);
  EXPECT_EQ(got, topics);
}

}  // namespace

CONFORMS_V3(WildcardsWorkInFilters, "MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.1-3") {
  gets_topics("a/#", {"a", "a/b", "a/b/c", "a/x/c"});
  gets_topics("a/+", {"a/b"});
  gets_topics("a/+/c", {"a/b/c", "a/x/c"});
  gets_topics("+/+/#", {"a/b", "a/b/c", "a/x/c", "/", "/a"});
  gets_topics("+/+", {"a/b", "/", "/a"});
}

CONFORMS_V3(HashIsAWholeLevelAndTheLast, "MQTT-4.7.1-2") {
  refuses({"a#", "a/b#", "#a", "#/a", "a/#/b", "##", "a/##", "+#"});
}

CONFORMS_V3(PlusIsAWholeLevel, "MQTT-4.7.1-3") {
  refuses({"a+", "+a", "a/b+", "a/+b/c", "++", "+/++"});
}

CONFORMS_V3(WildcardsDoNotMatchDollar, "MQTT-4.7.2-1") {
  gets_topics("#", {"a", "a/b", "a/b/c", "a/x/c", "/", "/a"});
  gets_topics("+/b", {"a/b"});
  gets_topics("+", {"a"});
  gets_topics("$a/#", {"$a", "$a/b"});
  gets_topics("$a/+", {"$a/b"});
}

CONFORMS_V3(WildcardsDoNotMatchSys, "MQTT-4.7.2-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("#").subscribes("+/broker/#");
  auto& sys = c.client("sys").v3().connects().subscribes("$SYS/#");
  c.after(1min);
  EXPECT_FALSE(sys.takes_messages().empty());
  a.receives_nothing();
}

CONFORMS_V3(RetainedDollarTopicsAreNotMatchedEither, "MQTT-4.7.2-1") {
  Cluster c{{.shards = 2}};
  c.client("p").v3().connects().publishes("$a/b", "1", {.retain = true});
  auto& a = c.client("a").v3().connects();
  a.subscribes("#").subscribes("+/b").receives_nothing();
  a.subscribes("$a/+").receives("$a/b", "1");
}

CONFORMS_V3(NamesAndFiltersAreNotEmpty, "MQTT-4.7.3-1") {
  Cluster c;
  auto& a = c.client("a").v3();
  ends_link(a, publish_packet(k311, "", "1", {}));
  ends_link(a, publish_packet(k311, "", "1", {.qos = 1, .packet_id = 1}));
  gets_no_connack(a, connect_packet(k311, "a", {.will = WillOptions{.topic = "", .payload = "1"}}));
  refuses({""});
}

CONFORMS_V3(NoNulInNamesAndFilters, "MQTT-4.7.3-2") {
  Cluster c;
  auto& watcher = c.client("watcher").v3().connects().subscribes("#");
  auto& a = c.client("a").v3();
  for (const auto& bytes : packets_with(std::string("x/\0", 3)))
    ends_link(a, bytes);
  watcher.receives_nothing();
}

CONFORMS_V3(TheLongestTopic, "MQTT-4.7.3-3") {
  Cluster c{{.shards = 2}};
  const std::string longest(65'535, 'x');
  auto& a = c.client("a").v3().connects().subscribes(longest);
  c.client("p").v3().connects().publishes(longest, "1");
  a.receives(longest, "1");
}

CONFORMS_V3(MatchingDoesNotNormalize, "MQTT-4.7.3-4") {
  // Upper case, a composed and a decomposed letter, and separators at the ends.
  const std::string topics[] = {"accounts",  "Accounts",  "caf\xc3\xa9", "cafe\xcc\x81",
                                "accounts/", "/accounts", "accounts//",  " accounts"};
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  for (const std::string& filter : topics) {
    auto& a = c.client("a").v3().connects().subscribes(filter);
    for (const std::string& topic : topics)
      p.publishes(topic, "1");
    a.receives(filter, "1");
    a.receives_nothing();
  }
}

CONFORMS_V3(AViolationEndsItsOwnLinkOnly, "MQTT-4.8.0-1") {
  Cluster c;
  auto& bystander = c.client("bystander").v3().connects().subscribes("w");
  auto& a = c.client("a").v3();
  // Packets that only a server sends, reserved types, lengths that do not fit.
  for (const char* hex : {"20 02 00 00", "90 03 0001 00", "b0 02 0001", "d0 00", "00 00", "f0 00",
                          "40 01 00", "40 03 0001 00", "30 ff ff ff ff 01", "62 02 0000"}) {
    SCOPED_TRACE(hex);
    ends_link(a, from_hex(hex));
    a.connects({.will = WillOptions{.topic = "w", .payload = "gone"}}).sends_hex(hex).is_closed();
    bystander.receives("w", "gone");
  }
  bystander.is_open().pings();
}

CONFORMS_V3(ATransientErrorEndsItsOwnLinkOnly, "MQTT-4.8.0-2") {
  Cluster c{{.shards = 2}};
  auto& kept = c.client("kept").v3().connects(kKept).subscribes("x", qos1).disconnects();
  auto& bystander = c.client("bystander").v3().connects();
  auto& a = c.client("a").v3().connects();
  c.store().refuse(1);
  a.sends_publish("x", "1", {.qos = 1, .packet_id = 1});
  c.after(11s);
  a.is_closed().gets_hex(kConnackBytes);  // never acknowledged
  bystander.is_open().pings();
  a.connects().publishes("x", "1", {.qos = 1, .dup = true, .packet_id = 1});
  kept.connects(kKept).receives("x", "1");
}

}  // namespace linnet::test

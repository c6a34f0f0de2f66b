// MQTT 3.1.1, sections 4.1 to 4.6: session state, delivery, resending and order.
#include "conformance_v311.hpp"

namespace linnet::test {

CONFORMS_V3(AllSessionStateIsKept, "MQTT-4.1.0-1") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects();
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2).manual();
  p.publishes("x", "sent", {.qos = 1});
  const auto sent = a.receives("x", "sent").packet_id;
  const auto received = a.sends_publish("y", "half", {.qos = 2});
  a.gets_ack(PacketType::pubrec, received);
  auto& watcher = c.client("watcher").v3().connects().subscribes("y", qos2);
  a.drops();
  p.publishes("x", "waiting", {.qos = 2});
  c.after(48h);
  a.connects(kKept);
  EXPECT_EQ(a.receives("x", "sent").packet_id, sent);
  a.receives("x", "waiting");
  a.sends_publish("y", "half", {.qos = 2, .dup = true, .packet_id = received});
  a.gets_ack(PacketType::pubrec, received);
  watcher.receives_nothing();
  p.publishes("x", "live");
  a.receives("x", "live");
}

CONFORMS_V3(ASessionLastsAsLongAsItsLink, "MQTT-4.1.0-2") {
  Config config;
  config.limits.session_expiry_max_s = 60;
  Cluster c{{.shards = 2, .config = config}};
  auto& clean = c.client("clean").v3().connects().subscribes("x", qos1);
  auto& kept = c.client("kept").v3().connects(kKept).subscribes("x", qos1);
  c.after(1h);
  c.client("p").v3().connects().publishes("x", "1", {.qos = 1});
  clean.receives("x", "1");
  kept.receives("x", "1");
}

CONFORMS_V3(QosZeroOnTheWire, "MQTT-4.3.1-1", "MQTT-3.3.1-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos0);
  a.gets_hex("20 02 00 00  90 03 0001 00");
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "hi", {.qos = 0});
  a.gets_hex("30 05 0001 78 6869");
  p.publishes("x", "hi", {.qos = 1, .dup = true}).publishes("x", "hi", {.qos = 2});
  a.gets_hex("30 05 0001 78 6869  30 05 0001 78 6869");
  a.drops().connects(kKept);
  a.gets_nothing();  // and never again
}

CONFORMS_V3(Qos1IsOpenUntilPuback, "MQTT-4.3.2-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1).manual();
  c.client("p").v3().connects().publishes("x", "1", {.qos = 1});
  const Packet first = a.receives("x", "1");
  EXPECT_EQ(first.qos, 1U);
  EXPECT_FALSE(first.dup);
  a.drops().connects(kKept);
  const Packet again = a.receives("x", "1");
  EXPECT_EQ(again.packet_id, first.packet_id);
  a.sends_ack(PacketType::puback, static_cast<unsigned>(again.packet_id) + 1);  // another's
  a.drops().connects(kKept).receives("x", "1");
  a.acks(again).drops().connects(kKept).gets_nothing();
}

CONFORMS_V3(Qos1PubackMeansOwnership, "MQTT-4.3.2-2", "MQTT-4.5.0-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1).disconnects();
  auto& p = c.client("p").v3().connects();
  c.store().hold();
  const auto id = p.sends_publish("x", "1", {.qos = 1});
  p.gets_nothing();
  c.store().release_all();
  p.gets_ack(PacketType::puback, id);
  a.connects(kKept).receives("x", "1");
}

CONFORMS_V3(Qos1IdentifierIsFreeAfterPuback, "MQTT-4.3.2-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos2);
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 1, .packet_id = 5});
  p.publishes("x", "2", {.qos = 1, .packet_id = 5});
  p.publishes("x", "2", {.qos = 1, .dup = true, .packet_id = 5});
  a.receives("x", "1");
  a.receives("x", "2");
  a.receives("x", "2");  // a new message, whatever its DUP says
}

CONFORMS_V3(Qos2SenderNeverGoesBack, "MQTT-4.3.3-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2).manual();
  c.client("p").v3().connects().publishes("x", "1", {.qos = 2});
  const Packet first = a.receives("x", "1");
  EXPECT_EQ(first.qos, 2U);
  EXPECT_FALSE(first.dup);
  a.drops().connects(kKept);
  EXPECT_EQ(a.receives("x", "1").packet_id, first.packet_id);
  a.acks(first).gets_ack(PacketType::pubrel, first.packet_id);
  a.drops().connects(kKept);
  a.gets_ack(PacketType::pubrel, first.packet_id);
  a.receives_nothing();
  a.sends_ack(PacketType::pubcomp, first.packet_id);
  a.drops().connects(kKept).gets_nothing();
}

CONFORMS_V3(Qos2PubackIsNoAnswer, "MQTT-4.3.3-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2).manual();
  c.client("p").v3().connects().publishes("x", "1", {.qos = 2});
  const Packet first = a.receives("x", "1");
  a.sends_ack(PacketType::puback, first.packet_id);
  a.sends_ack(PacketType::pubcomp, first.packet_id);
  a.drops().connects(kKept).receives("x", "1");
}

CONFORMS_V3(Qos2ReceiverDeliversOnce, "MQTT-4.3.3-2") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects().subscribes("x", qos2);
  auto& p = c.client("p").v3().connects(kKept).manual();
  const PublishOptions again{.qos = 2, .dup = true, .packet_id = 9};
  p.sends_publish("x", "1", {.qos = 2, .packet_id = 9});
  p.gets_ack(PacketType::pubrec, 9);
  p.sends_publish("x", "1", again);
  p.gets_ack(PacketType::pubrec, 9);
  p.drops().connects(kKept).sends_publish("x", "1", again);
  p.gets_ack(PacketType::pubrec, 9);
  p.sends_ack(PacketType::pubrel, 9).gets_ack(PacketType::pubcomp, 9);
  a.receives("x", "1");
  a.receives_nothing();
  p.sends_publish("x", "2", {.qos = 2, .packet_id = 9});
  a.receives("x", "2");
}

CONFORMS_V3(Qos2ReceiverAnswersEachPubrel, "MQTT-4.3.3-2") {
  Cluster c{{.shards = 2}};
  auto& p = c.client("p").v3().connects(kKept).manual();
  p.sends_publish("x", "1", {.qos = 2, .packet_id = 9});
  p.gets_ack(PacketType::pubrec, 9);
  p.sends_ack(PacketType::pubrel, 9).gets_ack(PacketType::pubcomp, 9);
  p.drops().connects(kKept).sends_ack(PacketType::pubrel, 9).gets_ack(PacketType::pubcomp, 9);
}

CONFORMS_V3(OpenPacketsGoOutAgain, "MQTT-4.4.0-1", "MQTT-3.3.1-1") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2).manual();
  auto& p = c.client("p").v3().connects();
  p.publishes("x", "1", {.qos = 1}).publishes("x", "2", {.qos = 2}).publishes("x", "3", {.qos = 2});
  const auto first = a.takes_messages();
  ASSERT_EQ(first.size(), 3U);
  a.acks(first[1]);
  a.drops().connects(kKept);
  const Packet one = a.next();
  EXPECT_EQ(one.packet_id, first[0].packet_id);
  EXPECT_TRUE(one.dup);
  const Packet two = a.next();
  EXPECT_EQ(two.type, PacketType::pubrel);
  EXPECT_EQ(two.packet_id, first[1].packet_id);
  const Packet three = a.next();
  EXPECT_EQ(three.packet_id, first[2].packet_id);
  EXPECT_EQ(three.payload, "3");
  a.gets_nothing();
}

CONFORMS_V3(ResendingSurvivesTwoCuts, "MQTT-4.4.0-1") {
  Cluster c{{.shards = 2, .seed = 3}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1).manual();
  auto& p = c.client("p").v3().connects();
  for (int at = 0; at < 5; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  for (int cut = 0; cut < 2; ++cut) {
    a.drops().connects(kKept);
    for (int at = 0; at < 5; ++at) {
      const Packet packet = at == 4 ? a.receives("x", "4") : a.receives("x", std::to_string(at));
      EXPECT_TRUE(packet.dup);
      if (cut == 1) a.acks(packet);
    }
  }
  a.drops().connects(kKept).gets_nothing();
}

CONFORMS_V3(EveryMatchingSubscriberGetsTheMessage, "MQTT-4.5.0-1") {
  Cluster c{{.shards = 4}};
  auto& away = c.client("away").v3().connects(kKept).subscribes("+/y", qos2).disconnects();
  auto& other = c.client("other").v3().connects().subscribes("z");
  std::vector<Client*> here;
  for (int at = 0; at < 12; ++at) {
    auto& one = c.client("c" + std::to_string(at)).v3().connects();
    here.push_back(&one.subscribes(at % 2 == 0 ? "x/y" : "x/#", qos1));
  }
  c.client("p").v3().connects().publishes("x/y", "1", {.qos = 1});
  for (Client* one : here)
    one->receives("x/y", "1");
  away.connects(kKept).receives("x/y", "1");
  other.gets_nothing();
}

CONFORMS_V3(EveryTopicIsOrdered, "MQTT-4.6.0-5", "MQTT-4.6.0-6") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Cluster c{{.shards = 3, .seed = seed}};
    auto& a = c.client("a").v3().connects().subscribes("#", qos2);
    auto& p = c.client("p").v3().connects();
    std::map<std::string, int> next;
    for (std::uint16_t at = 1; at <= 90; ++at) {
      const unsigned qos = at % 3U;
      const std::string topic = "x/" + std::to_string(qos) + "/" + std::to_string(at % 2U);
      p.writes(publish_packet(k311, topic, std::to_string(next[topic]++),
                              {.qos = qos, .packet_id = at}));
    }
    c.settle();
    std::map<std::string, int> got;
    for (const Packet& one : a.takes_messages()) {
      EXPECT_EQ(one.payload, std::to_string(got[one.topic]++)) << one.topic;
    }
    EXPECT_EQ(got, next);
  }
}

CONFORMS_V3(OrderHoldsThroughABacklog, "MQTT-4.6.0-6") {
  Config config;
  config.limits.inflight_max = 2;
  Cluster c{{.shards = 2, .config = config}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos2);
  auto& p = c.client("p").v3().connects();
  for (int at = 0; at < 4; ++at)
    p.publishes("x", std::to_string(at), {.qos = 2});
  a.drops();
  for (int at = 4; at < 20; ++at)
    p.publishes("x", std::to_string(at), {.qos = 2});
  for (int at = 0; at < 4; ++at)
    a.inbox().pop_front();
  a.connects(kKept);
  for (int at = 4; at < 20; ++at)
    a.receives("x", std::to_string(at));
  a.receives_nothing();
}

CONFORMS_V3(ResentMessagesKeepTheirOrder, "MQTT-4.6.0-6") {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").v3().connects(kKept).subscribes("x", qos1).manual();
  auto& p = c.client("p").v3().connects();
  for (int at = 0; at < 4; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  const auto first = a.takes_messages();
  ASSERT_EQ(first.size(), 4U);
  a.acks(first[1]).drops();
  p.publishes("x", "4", {.qos = 1});
  a.connects(kKept);
  for (const char* payload : {"0", "2", "3", "4"})
    a.receives("x", payload);
  a.receives_nothing();
}

}  // namespace linnet::test

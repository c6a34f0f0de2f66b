// Retained messages: set, replaced, cleared, replayed; also while they are on their way to the
// store.
#include <gtest/gtest.h>
#include <set>

#include "support/cluster.hpp"

namespace linnet::test {

class Retained : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Cluster c{{.shards = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Shards, Retained, ::testing::Values(1, 2, 4));

TEST_P(Retained, SetReplacedAndCleared) {
  auto& p = c.client("p").connects();
  for (int topic = 0; topic < 8; ++topic) {
    p.publishes("t/" + std::to_string(topic), "old", {.qos = 1, .retain = true});
    p.publishes("t/" + std::to_string(topic), "new", {.qos = 2, .retain = true});
  }
  p.publishes("t/3", "", {.qos = 1, .retain = true});
  p.publishes("t/4", "live", {.qos = 1});
  auto& a = c.client("a").connects().subscribes("t/+", qos1);
  std::set<std::string> topics;
  for (const Packet& packet : a.takes_messages()) {
    EXPECT_EQ(packet.payload, "new");
    EXPECT_TRUE(packet.retain);
    EXPECT_EQ(packet.qos, 1U);
    topics.insert(packet.topic);
  }
  EXPECT_EQ(topics, (std::set<std::string>{"t/0", "t/1", "t/2", "t/4", "t/5", "t/6", "t/7"}));
}

TEST_P(Retained, TheFlagOnLiveMessages) {
  auto& plain = c.client("plain").connects().subscribes("x", qos1);
  auto& kept = c.client("kept").connects();
  kept.subscribes("x", {.qos = 1, .retain_as_published = true});
  auto& old = c.client("old").v3().connects().subscribes("x", qos1);
  c.client("p").connects().publishes("x", "1", {.qos = 1, .retain = true});
  EXPECT_FALSE(plain.receives("x", "1").retain);
  EXPECT_TRUE(kept.receives("x", "1").retain);
  EXPECT_FALSE(old.receives("x", "1").retain);
}

TEST_P(Retained, AClearingMessageIsDelivered) {
  auto& a = c.client("a").connects().subscribes("x", qos1);
  c.client("p").connects().publishes("x", "", {.qos = 1, .retain = true});
  a.receives("x", "");
}

TEST_P(Retained, RetainHandling) {
  c.client("p").connects().publishes("x", "1", {.qos = 1, .retain = true});
  auto& a = c.client("a").connects();
  a.subscribes("x", {.qos = 1, .retain_handling = 2});
  a.receives_nothing();
  a.subscribes("x", {.qos = 1, .retain_handling = 1});
  a.receives_nothing();  // the subscription is not new
  a.subscribes("x", {.qos = 1, .retain_handling = 0, .id = 5});
  EXPECT_EQ(a.receives("x", "1").subscription_ids(), std::vector<std::uint32_t>{5});
  a.unsubscribes("x");
  a.subscribes("x", {.qos = 0, .retain_handling = 1});
  EXPECT_EQ(a.receives("x", "1").qos, 0U);
  a.receives_nothing();
}

TEST_P(Retained, Expiry) {
  auto& p = c.client("p").connects();
  p.publishes("x", "1", {.qos = 1, .retain = true, .expiry_s = 10});
  c.after(4s);
  auto& a = c.client("a").connects().subscribes("#");
  EXPECT_EQ(a.receives("x", "1").number(Property::message_expiry_interval), 6U);
  c.after(6s);
  a.subscribes("#");
  a.receives_nothing();
}

TEST_P(Retained, NotForSharedSubscriptionsAndNotFromOneselfWithNoLocal) {
  auto& p = c.client("p").connects();
  p.publishes("x", "1", {.qos = 1, .retain = true});
  p.subscribes("$share/g/x", qos1);
  p.subscribes("x", {.qos = 1, .no_local = true});
  p.receives_nothing();
}

TEST_P(Retained, SubackComesFirst) {
  c.client("p").connects().publishes("x", "1", {.qos = 1, .retain = true});
  auto& a = c.client("a").connects();
  a.sends_subscribe({"x"}, qos1);
  EXPECT_EQ(a.next().type, PacketType::suback);
  EXPECT_EQ(a.next().type, PacketType::publish);
}

TEST_P(Retained, WhatTheStoreDoesNotHaveYetIsReplayed) {
  for (std::uint32_t home = 0; home < GetParam(); ++home) {
    for (std::uint32_t subscriber = 0; subscriber < GetParam(); ++subscriber) {
      const std::string topic = c.name_at(home, "t" + std::to_string(subscriber) + "/");
      auto& p = c.client("p").connects();
      p.publishes(topic, "old", {.retain = true});
      c.store().hold();
      p.publishes(topic, "new", {.retain = true});
      auto& a = c.client(c.name_at(subscriber, "a")).connects();
      a.subscribes(topic);
      EXPECT_TRUE(a.receives(topic, "new").retain);
      a.receives_nothing();
      p.publishes(topic, "", {.retain = true});
      a.receives(topic, "");
      a.subscribes(topic);
      a.receives_nothing();
      c.store().release_all();
      c.settle();
      a.subscribes(topic);
      a.receives_nothing();
      a.disconnects();
    }
  }
}

TEST_P(Retained, PubackWaitsForTheStore) {
  auto& p = c.client("p").connects();
  c.store().hold();
  const auto id = p.sends_publish("x", "1", {.qos = 1, .retain = true});
  p.gets_nothing();
  c.store().release_all();
  p.gets_ack(PacketType::puback, id, ReasonCode::no_matching_subscribers);
}

TEST_P(Retained, ALaterValueIsNotReplacedByAnEarlierOneThatCommitsAfterIt) {
  const std::string topic = c.name_at(0, "t");
  const std::uint32_t far = GetParam() - 1;
  auto& far_publisher = c.client(c.name_at(far, "far")).at(far).connects();
  auto& near_publisher = c.client(c.name_at(0, "near")).at(0).connects();
  // The far publisher's unit is sealed only when its shard hears of the part that shard 0 has sent.
  far_publisher.writes(
      publish_packet(Version::v5, topic, "first", {.qos = 1, .retain = true, .packet_id = 1}));
  c.step(far);
  c.step(0);
  if (GetParam() > 1) c.freeze(far);
  near_publisher.publishes(topic, "second", {.retain = true});
  c.thaw(far);
  far_publisher.gets(PacketType::puback);
  c.client("a").connects().subscribes(topic).receives(topic, "second");
}

TEST_P(Retained, ARefusedOneIsNotKept) {
  auto& p = c.client("p").connects();
  p.publishes("x", "old", {.qos = 1, .retain = true});
  c.store().refuse(1);
  const auto id = p.sends_publish("x", "new", {.qos = 1, .retain = true});
  p.gets_ack(PacketType::puback, id, ReasonCode::quota_exceeded);
  c.client("a").connects().subscribes("x").receives("x", "old");
}

TEST_P(Retained, ALargeReplayThroughASmallWindow) {
  auto& p = c.client("p").connects();
  for (int at = 0; at < 500; ++at) {
    p.publishes("t/" + std::to_string(at), std::to_string(at), {.qos = 1, .retain = true});
  }
  auto& a = c.client("a").connects({.receive_maximum = 3});
  a.subscribes("t/#", qos1);
  std::set<std::string> topics;
  for (const Packet& packet : a.takes_messages())
    topics.insert(packet.topic);
  EXPECT_EQ(topics.size(), 500U);
  a.drops();
  auto& zero = c.client("zero").connects();
  zero.subscribes("t/#", qos0);
  EXPECT_EQ(zero.takes_messages().size(), 500U);
}

TEST_P(Retained, ALargeReplayToASlowReader) {
  Config config;
  config.limits.outbox_bytes_max = 3000;
  Cluster slow{{.shards = GetParam(), .config = config}};
  auto& p = slow.client("p").connects();
  for (int at = 0; at < 200; ++at) {
    p.publishes("t/" + std::to_string(at), std::string(200, 'x'), {.qos = 1, .retain = true});
  }
  auto& a = slow.client("a").connects();
  a.stops_reading(100);
  a.sends_subscribe({"t/#"}, qos0);
  a.reads_again();
  EXPECT_EQ(a.takes_messages().size(), 200U);
  EXPECT_EQ(slow.counters().publish_dropped, 0U);
}

TEST_P(Retained, AReplayIsNeverOlderThanWhatCameLive) {
  auto& p = c.client("p").connects();
  for (int at = 0; at < 50; ++at) {
    p.publishes("t/" + std::to_string(at), "old", {.qos = 1, .retain = true});
  }
  auto& a = c.client("a").connects({.receive_maximum = 2});
  a.manual();
  a.sends_subscribe({"t/#"}, qos1);
  for (int at = 0; at < 50; ++at) {
    p.publishes("t/" + std::to_string(at), "new", {.qos = 1, .retain = true});
  }
  std::map<std::string, std::string> last;
  while (true) {
    const auto messages = a.takes_messages();
    if (messages.empty()) break;
    for (const Packet& packet : messages) {
      last[packet.topic] = packet.payload;
      a.writes_ack(PacketType::puback, packet.packet_id);
    }
    c.settle();
  }
  EXPECT_EQ(last.size(), 50U);
  for (const auto& [topic, payload] : last)
    EXPECT_EQ(payload, "new") << topic;
}

TEST(RetainedLimits, NoRetainedMessages) {
  Config config;
  config.limits.retain_available = false;
  Cluster c{{.shards = 2, .config = config}};
  auto& p = c.client("p").connects();
  EXPECT_EQ(p.connack().number(Property::retain_available), 0U);
  p.sends_publish("x", "1", {.retain = true});
  p.gets_disconnect(ReasonCode::retain_not_supported);
}

TEST(RetainedLimits, AFullStoreRefusesNewTopics) {
  Config config;
  config.limits.retained_messages_max = 2;
  Cluster c{{.shards = 2, .config = config}};
  auto& p = c.client("p").connects();
  p.publishes("1", "a", {.qos = 1, .retain = true});
  p.publishes("2", "a", {.qos = 1, .retain = true});
  const auto id = p.sends_publish("3", "a", {.qos = 1, .retain = true});
  p.gets_ack(PacketType::puback, id, ReasonCode::quota_exceeded);
  p.publishes("2", "b", {.qos = 1, .retain = true});
  p.publishes("1", "", {.qos = 1, .retain = true});
  p.publishes("3", "a", {.qos = 1, .retain = true});
}

/// Random interleavings of subscribing and of changing one retained message: the last value that a
/// subscriber sees is the last one that was published.
TEST(RetainedRandomly, TheLastValueWins) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Cluster c{{.shards = 4, .seed = seed}};
    std::mt19937_64 random(seed);
    c.store().reorder(seed);
    auto& p = c.client("p").connects();
    const auto qos = static_cast<unsigned>(seed % 3);
    std::string last;
    for (int round = 0; round < 12; ++round) {
      auto& a = c.client("a" + std::to_string(round)).connects();
      const auto filter = random() % 2 == 0 ? "t/#" : "t/x";
      a.writes(subscribe_packet(Version::v5, 1, {filter}, {.qos = qos}));
      const auto turns = random() % 12;
      for (std::uint64_t turn = 0; turn < turns; ++turn) {
        c.step(static_cast<std::uint32_t>(random() % 4));
        if (random() % 3 == 0) c.store().step();
      }
      last = std::to_string(round);
      p.publishes("t/x", last, {.qos = 1, .retain = true});
      for (int at = 0; at <= round; ++at) {
        const auto messages = c.client("a" + std::to_string(at)).takes_messages();
        ASSERT_FALSE(messages.empty()) << "client " << at << " round " << round;
        EXPECT_EQ(messages.back().payload, last) << "client " << at << " round " << round;
      }
    }
  }
}

}  // namespace linnet::test

// Who gets a message, across shards: matching, SUBACK and interest, order, aliases, packet sizes.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

class FanOut : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Cluster c{{.shards = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Shards, FanOut, ::testing::Values(1, 2, 4));

TEST_P(FanOut, EachSubscriberGetsItOnce) {
  const char* const filters[] = {"x/y", "x/+", "x/#", "#", "+/y", "x/y/#"};
  int number = 0;
  for (const char* filter : filters) {
    for (int times = 0; times < 3; ++times) {
      c.client("s" + std::to_string(number++)).connects().subscribes(filter, qos1);
    }
  }
  auto& other = c.client("other").connects().subscribes("x/z", qos1);
  c.client("p").connects().publishes("x/y", "hi", {.qos = 1});
  for (int at = 0; at < number; ++at) {
    auto& client = c.client("s" + std::to_string(at));
    client.receives("x/y", "hi");
    client.gets_nothing();
  }
  other.gets_nothing();
}

TEST_P(FanOut, OverlappingSubscriptionsGiveOneCopyWithTheHighestQosAndAllIdentifiers) {
  auto& a = c.client("a").connects();
  a.subscribes("x/#", {.qos = 0, .id = 7}).subscribes("x/+", {.qos = 2, .id = 9});
  c.client("p").connects().publishes("x/y", "hi", {.qos = 1});
  const Packet packet = a.receives("x/y", "hi");
  EXPECT_EQ(packet.qos, 1U);
  auto ids = packet.subscription_ids();
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{7, 9}));
  a.gets_nothing();
}

TEST_P(FanOut, NoLocal) {
  auto& a = c.client("a").connects();
  a.subscribes("x", {.qos = 1, .no_local = true});
  a.publishes("x", "mine", {.qos = 1});
  a.receives_nothing();
  c.client("b").connects().publishes("x", "theirs", {.qos = 1});
  a.receives("x", "theirs");
}

TEST_P(FanOut, UnsubscribedMeansSilence) {
  auto& a = c.client("a").connects();
  auto& p = c.client("p").connects();
  a.subscribes("x").subscribes("y");
  a.unsubscribes("x");
  p.publishes("x", "1").publishes("y", "2");
  a.receives("y", "2");
  a.gets_nothing();
  a.sends_unsubscribe({"x", "nonsense/#/x"});
  EXPECT_EQ(a.gets(PacketType::unsuback).reasons,
            (std::vector{ReasonCode::no_subscription_existed, ReasonCode::topic_filter_invalid}));
}

TEST_P(FanOut, InterestEndsWithTheLastSubscriber) {
  auto& p = c.client(c.name_at(0, "p")).connects();
  const std::string far = c.name_at(GetParam() - 1, "a");
  const std::string near = c.name_at(GetParam() - 1, "b");
  c.client(far).connects().subscribes("x", qos1);
  c.client(near).connects().subscribes("x", qos1);
  c.client(far).drops();
  p.publishes("x", "1", {.qos = 1});
  c.client(near).receives("x", "1");
  c.client(near).disconnects();
  const auto id = p.sends_publish("x", "2", {.qos = 1});
  p.gets_ack(PacketType::puback, id, ReasonCode::no_matching_subscribers);
}

TEST_P(FanOut, SubackWaitsForEveryShard) {
  if (GetParam() == 1) return;
  auto& a = c.client(c.name_at(0, "a")).at(0).connects();
  c.freeze(1);
  const auto first = a.sends_subscribe({"x"}, qos1);
  a.gets_nothing();
  // A second SUBSCRIBE to a filter that is still unconfirmed waits for the same confirmation.
  auto& b = c.client(c.name_at(0, "b")).at(0).connects();
  b.sends_subscribe({"x"}, qos1);
  b.gets_nothing();
  c.thaw(1);
  a.gets_ack(PacketType::suback, first);
  b.gets(PacketType::suback);
}

TEST_P(FanOut, SixteenUnconfirmedSubscribesStopTheReading) {
  if (GetParam() == 1) return;
  auto& a = c.client(c.name_at(0, "a")).at(0).connects();
  c.freeze(1);
  for (int at = 0; at < 40; ++at)
    a.sends_subscribe({"x" + std::to_string(at)});
  EXPECT_FALSE(a.is_read());
  c.thaw(1);
  EXPECT_TRUE(a.is_read());
  for (int at = 0; at < 40; ++at)
    a.gets(PacketType::suback);
}

TEST_P(FanOut, OrderPerPublisher) {
  auto& a = c.client("a").connects().subscribes("x/#", qos2);
  auto& p = c.client("p").connects();
  std::string bytes;
  for (unsigned at = 0; at < 60; ++at) {
    PublishOptions options;
    options.qos = 1;
    options.packet_id = static_cast<std::uint16_t>(at + 1);
    bytes += publish_packet(Version::v5, "x/y", std::to_string(at), options);
  }
  p.sends(bytes);
  for (unsigned at = 0; at < 60; ++at) {
    a.receives("x/y", std::to_string(at));
    p.gets_ack(PacketType::puback, at + 1);
  }
}

TEST_P(FanOut, PropertiesTravelUnchanged) {
  auto& a = c.client("a").connects().subscribes("x");
  auto& old = c.client("old").v3().connects();
  old.subscribes("x");
  Properties properties;
  properties.number(Property::payload_format_indicator, 1)
      .text(Property::content_type, "text/plain")
      .user("k", "1")
      .user("k", "2")
      .text(Property::response_topic, "re")
      .text(Property::correlation_data, "c");
  c.client("p").connects().publishes("x", "hi", {.expiry_s = 60, .properties = properties});
  const Packet packet = a.receives("x", "hi");
  EXPECT_EQ(packet.number(Property::payload_format_indicator), 1U);
  EXPECT_EQ(packet.text(Property::content_type), "text/plain");
  EXPECT_EQ(packet.text(Property::response_topic), "re");
  EXPECT_EQ(packet.text(Property::correlation_data), "c");
  EXPECT_EQ(packet.number(Property::message_expiry_interval), 60U);
  std::vector<std::string> values;
  for (const auto& prop : packet.properties) {
    if (prop.id == Property::user_property) values.push_back(prop.second);
  }
  EXPECT_EQ(values, (std::vector<std::string>{"1", "2"}));
  EXPECT_TRUE(old.receives("x", "hi").properties.empty());
}

TEST_P(FanOut, TopicAliasesFromTheClient) {
  auto& a = c.client("a").connects().subscribes("#");
  auto& p = c.client("p").connects();
  EXPECT_EQ(p.connack().number(Property::topic_alias_maximum), 32U);
  p.publishes("long/topic", "1", {.alias = 3});
  p.publishes("", "2", {.alias = 3});
  p.publishes("other", "3", {.alias = 3});
  p.publishes("", "4", {.alias = 3});
  a.receives("long/topic", "1");
  a.receives("long/topic", "2");
  a.receives("other", "3");
  EXPECT_FALSE(a.receives("other", "4").has(Property::topic_alias));
  p.sends_publish("", "5", {.alias = 4});
  p.gets_disconnect(ReasonCode::protocol_error);
  p.connects().sends_publish("x", "6", {.alias = 33});
  p.gets_disconnect(ReasonCode::topic_alias_invalid);
}

TEST_P(FanOut, TopicAliasesTowardsTheClient) {
  auto& a = c.client("a").connects({.topic_alias_max = 2}).subscribes("#", qos1);
  auto& p = c.client("p").connects();
  bool aliased = false;
  for (int round = 0; round < 6; ++round) {
    for (const char* topic : {"one/long/topic", "two/long/topic", "three/long/topic"}) {
      p.publishes(topic, std::to_string(round), {.qos = 1});
      const Packet packet = a.receives(topic, std::to_string(round));
      const auto alias = packet.number(Property::topic_alias);
      if (!alias) continue;
      EXPECT_GE(*alias, 1U);
      EXPECT_LE(*alias, 2U);
      aliased = true;
    }
  }
  EXPECT_TRUE(aliased);
}

TEST_P(FanOut, ALargerPacketThanTheReceiverTakesIsNotSent) {
  auto& a = c.client("a").connects({.packet_size_max = 60}).subscribes("#", qos2);
  auto& b = c.client("b").connects().subscribes("#", qos2);
  auto& p = c.client("p").connects();
  const std::string large(100, 'L');
  for (unsigned qos = 0; qos <= 2; ++qos) {
    p.publishes("x", large, {.qos = qos});
    p.publishes("x", "small", {.qos = qos});
    b.receives("x", large);
    b.receives("x", "small");
    const Packet packet = a.receives("x", "small");
    EXPECT_LE(packet.bytes.size(), 60U);
    a.receives_nothing();
  }
}

TEST_P(FanOut, ALargePayloadArrivesWhole) {
  std::string large(300'000, 'x');
  for (std::size_t at = 0; at < large.size(); ++at)
    large[at] = static_cast<char>('a' + at % 23);
  auto& a = c.client("a").connects().subscribes("x", qos1);
  auto& b = c.client("b").v3().connects().subscribes("x", qos0);
  c.client("p").connects().publishes("x", large, {.qos = 1});
  a.receives("x", large);
  b.receives("x", large);
}

/// A message published after SUBACK always arrives, whoever's turn it is.
TEST(FanOutRandomly, WhatIsPublishedAfterSubackArrives) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Cluster c{{.shards = 4, .seed = seed}};
    std::mt19937_64 random(seed);
    std::vector<Client*> publishers;
    for (std::uint32_t shard = 0; shard < 4; ++shard) {
      publishers.push_back(&c.client(c.name_at(shard, "p")).connects());
    }
    for (int round = 0; round < 8; ++round) {
      auto& a = c.client(c.name_at(random() % 4, "s" + std::to_string(random() % 3) + "-"));
      if (a.closed()) a.connects();
      const std::string topic = "t" + std::to_string(random() % 3);
      a.subscribes(topic, qos1);
      Client& p = *publishers[random() % 4];
      p.publishes(topic, std::to_string(round), {.qos = 1});
      a.receives(topic, std::to_string(round));
      for (int other = 0; other < 3; ++other) {
        for (std::uint32_t shard = 0; shard < 4; ++shard) {
          c.client(c.name_at(shard, "s" + std::to_string(other) + "-")).takes_messages();
        }
      }
      if (random() % 2 == 0) a.unsubscribes(topic);
      if (random() % 4 == 0) a.drops();
    }
  }
}

}  // namespace linnet::test

// The store in trouble, as a shard meets it: a full disk, tables that can't be read for a moment,
// changes that are refused.
#include <gtest/gtest.h>
#include <set>

#include "support/cluster.hpp"

namespace linnet::test {

namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 3600};

}  // namespace

class StoreTrouble : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Cluster c{{.shards = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Shards, StoreTrouble, ::testing::Values(1, 2));

TEST_P(StoreTrouble, OnAFullDiskOnlyDurableWorkIsRefused) {
  c.client("away").connects(kKept).subscribes("kept", qos1).drops();
  auto& clean = c.client("clean").connects().subscribes("#", qos1);
  auto& p = c.client("p").connects();
  c.store().set_accepts(false);
  const auto refused = p.sends_publish("kept", "1", {.qos = 1});
  p.gets_ack(PacketType::puback, refused, ReasonCode::quota_exceeded);
  clean.receives_nothing();  // nothing of it was delivered
  p.publishes("kept", "2", {.qos = 0});
  clean.receives("kept", "2");
  if (GetParam() == 1) {  // another shard might owe it to a kept session
    p.publishes("other", "3", {.qos = 1});
    clean.receives("other", "3");
  }
  c.store().set_accepts(true);
  p.publishes("kept", "4", {.qos = 1});
  c.client("away").connects(kKept).receives("kept", "4");
}

TEST_P(StoreTrouble, AnMqtt3PublisherWaitsForTheDisk) {
  c.client("away").connects(kKept).subscribes("kept", qos1).drops();
  auto& p = c.client("p").v3().connects();
  c.store().set_accepts(false);
  const auto id = p.sends_publish("kept", "1", {.qos = 1});
  p.gets_nothing();
  EXPECT_FALSE(p.is_read());
  c.after(5s);
  c.store().set_accepts(true);
  c.settle();
  p.gets_ack(PacketType::puback, id);
  c.client("away").connects(kKept).receives("kept", "1");
}

TEST_P(StoreTrouble, ABacklogThatCantBeReadForAMomentGoesOn) {
  ConnectOptions one = kKept;
  one.receive_maximum = 1;
  auto& a = c.client("a").connects(one).subscribes("x", qos1);
  a.drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 200; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  a.manual().connects(one);
  c.store().set_readable(false);
  int next = 0;
  const auto take_all = [&] {
    for (auto messages = a.takes_messages(); !messages.empty(); messages = a.takes_messages()) {
      for (const Packet& message : messages) {
        EXPECT_EQ(message.payload, std::to_string(next++));
        a.acks(message);
      }
    }
  };
  take_all();
  EXPECT_LT(next, 200);
  c.store().set_readable(true);
  c.settle();
  take_all();
  EXPECT_EQ(next, 200);
}

TEST_P(StoreTrouble, AReplayThatCantBeReadForAMomentRestsAndRepeatsNothing) {
  auto& p = c.client("p").connects();
  for (int at = 0; at < 300; ++at)
    p.publishes("r/" + std::to_string(at), "1", {.qos = 1, .retain = true});
  ConnectOptions one;
  one.receive_maximum = 1;
  auto& a = c.client("a").manual().connects(one);
  a.sends_subscribe({"r/#"}, qos1);
  std::multiset<std::string> topics;
  const auto take = [&](std::size_t most) {
    for (std::size_t taken = 0; taken < most; ++taken) {
      const auto messages = a.takes_messages();
      if (messages.empty()) return;
      for (const Packet& message : messages) {
        topics.insert(message.topic);
        a.acks(message);
      }
    }
  };
  take(50);
  c.store().set_readable(false);
  take(10);  // settles: a shard that does not rest would fail here
  c.store().set_readable(true);
  c.settle();
  take(1000);
  EXPECT_EQ(topics.size(), 300U);
  EXPECT_EQ(std::set<std::string>(topics.begin(), topics.end()).size(), 300U);
}

TEST_P(StoreTrouble, AClientWhoseSessionCantBeReadIsToldToComeAgain) {
  c.client("a").connects(kKept).subscribes("x", qos1).drops();
  c.restart();
  c.store().set_readable(false);
  c.client("a").sends_connect(kKept).is_refused(ReasonCode::server_unavailable);
  c.store().set_readable(true);
  EXPECT_TRUE(c.client("a").connects(kKept).connack().session_present);
}

TEST_P(StoreTrouble, WhatIsTooLargeForItsReceiverLeavesNothingInTheStore) {
  ConnectOptions small = kKept;
  small.packet_size_max = 100;
  const std::string name = c.name_at(0, "a");
  const std::uint32_t last = GetParam() - 1;
  auto& a = c.client(name).connects(small).subscribes("x", qos1);
  auto& p = c.client(c.name_at(last, "p")).at(last).connects();
  if (last != 0) c.freeze(0);
  p.sends_publish("x", std::string(5000, 'x'), {.qos = 1});
  if (last != 0) {
    c.freeze(last);
    c.thaw(0);
    c.thaw(last);
  }
  p.gets(PacketType::puback);
  a.receives_nothing();
  a.drops();
  c.after(1s);
  c.store().load_sessions([](const store::StoredSession& session) {
    EXPECT_EQ(session.outgoing_messages, 0U);
    EXPECT_EQ(session.outgoing_bytes, 0U);
  });
}

TEST_P(StoreTrouble, ARefusedSubscriptionIsNotThere) {
  auto& a = c.client("a").connects(kKept);
  a.subscribes("old", {.qos = 1, .id = 1});
  c.store().refuse(1);
  const auto id = a.sends_subscribe({"new"}, qos1);
  a.gets_ack(PacketType::suback, id);
  c.store().refuse(1);
  a.sends_subscribe({"old"}, {.qos = 0, .id = 2});
  a.gets(PacketType::suback);
  auto& p = c.client("p").connects();
  p.publishes("new", "1", {.qos = 1});
  p.publishes("old", "2", {.qos = 1});
  const Packet message = a.receives("old", "2");
  EXPECT_EQ(message.subscription_ids(), std::vector<std::uint32_t>{1});
  a.receives_nothing();
  EXPECT_EQ(c.counters().subscriptions, 1U);
}

}  // namespace linnet::test

// A receiver that does not keep up: outbox, backlog, its limits and policies, what it is told.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

namespace {

Config with_policy(BacklogPolicy policy) {
  Config config;
  config.limits.backlog_messages_max = 3;
  config.limits.transient_backlog_messages_max = 2;
  config.limits.backlog_policy = policy;
  return config;
}

const ConnectOptions kKept{.clean_start = false, .expiry_s = 1000};

}  // namespace

class Backlogs : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Shards, Backlogs, ::testing::Values(1, 2, 4));

TEST_P(Backlogs, DropOldestAndSayHowMany) {
  Cluster c{{.shards = GetParam(), .config = with_policy(BacklogPolicy::drop_oldest)}};
  auto& a = c.client("a").connects(kKept).subscribes("x", qos1);
  a.drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 7; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  EXPECT_EQ(c.counters().publish_dropped, 4U);
  EXPECT_EQ(c.store().count("EraseOutgoing a"), 4U);
  a.connects(kKept);
  const Packet first = a.receives("x", "4");
  EXPECT_EQ(first.user("linnet-dropped"), "4");
  EXPECT_FALSE(a.receives("x", "5").user("linnet-dropped"));
  a.receives("x", "6");
  a.receives_nothing();
}

TEST_P(Backlogs, DropNewest) {
  Cluster c{{.shards = GetParam(), .config = with_policy(BacklogPolicy::drop_newest)}};
  auto& a = c.client("a").connects(kKept).subscribes("x", qos1);
  a.drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 7; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  a.connects(kKept);
  EXPECT_EQ(a.receives("x", "0").user("linnet-dropped"), "4");
  a.receives("x", "1");
  a.receives("x", "2");
  a.receives_nothing();
}

TEST_P(Backlogs, RejectTellsThePublisher) {
  Cluster c{{.shards = GetParam(), .config = with_policy(BacklogPolicy::reject)}};
  auto& a = c.client("a").connects(kKept).subscribes("x", qos1);
  auto& other = c.client("other").connects(kKept).subscribes("x", qos1);
  a.drops();
  other.drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 3; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  const auto id = p.sends_publish("x", "3", {.qos = 1});
  p.gets_ack(PacketType::puback, id, ReasonCode::quota_exceeded);
  const auto second = p.sends_publish("x", "4", {.qos = 2});
  p.gets_ack(PacketType::pubrec, second, ReasonCode::quota_exceeded);
  auto& old = c.client("old").v3().connects();
  old.sends_publish("x", "5", {.qos = 1});
  old.gets_nothing();
  EXPECT_FALSE(old.is_read());
  for (Client* one : {&a, &other}) {
    one->connects(kKept);
    for (int at = 0; at < 3; ++at) {
      EXPECT_FALSE(one->receives("x", std::to_string(at)).user("linnet-dropped"));
    }
    one->receives_nothing();
  }
}

TEST_P(Backlogs, WhatOneRejectsNobodyKeeps) {
  Cluster c{{.shards = GetParam(), .config = with_policy(BacklogPolicy::reject)}};
  auto& full = c.client("full").connects(kKept).subscribes("#", qos1);
  std::vector<Client*> others;
  for (std::uint32_t home = 0; home < GetParam(); ++home) {
    others.push_back(&c.client(c.name_at(home, "other")).connects(kKept).subscribes("x", qos1));
    others.back()->drops();
  }
  full.drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 3; ++at)
    p.publishes("fill", "m", {.qos = 1});
  const auto id = p.sends_publish("x", "refused", {.qos = 1});
  p.gets_ack(PacketType::puback, id, ReasonCode::quota_exceeded);
  for (Client* other : others)
    other->connects(kKept).receives_nothing();
}

TEST_P(Backlogs, TheReportCanBeLeftOut) {
  Config config = with_policy(BacklogPolicy::drop_oldest);
  config.limits.report_dropped = false;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects(kKept).subscribes("x", qos1);
  a.drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 7; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  a.connects(kKept);
  EXPECT_FALSE(a.receives("x", "4").user("linnet-dropped"));
}

TEST_P(Backlogs, ATransientSessionHasASmallerOne) {
  Cluster c{{.shards = GetParam(), .config = with_policy(BacklogPolicy::drop_oldest)}};
  auto& a = c.client("a").connects({.receive_maximum = 1}).subscribes("x", qos1);
  a.manual();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 5; ++at)
    p.publishes("x", std::to_string(at), {.qos = 1});
  const Packet first = a.receives("x", "0");
  a.acks(first);
  const Packet second = a.receives("x", "3");
  EXPECT_EQ(second.user("linnet-dropped"), "2");
  a.acks(second).receives("x", "4");
}

TEST_P(Backlogs, BytesAreBoundedToo) {
  Config config;
  config.limits.backlog_bytes_max = 4000;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects(kKept).subscribes("x", qos1);
  a.drops();
  auto& p = c.client("p").connects();
  for (int at = 0; at < 5; ++at) {
    p.publishes("x", std::to_string(at) + std::string(1000, '.'), {.qos = 1});
  }
  p.publishes("x", std::string(5000, '.'), {.qos = 1});  // never fits: all others go, or it does
  EXPECT_LE(c.counters().backlog_bytes, 4000U);
  a.connects(kKept);
  for (const Packet& packet : a.takes_messages())
    EXPECT_LE(packet.payload.size(), 1001U);
}

TEST_P(Backlogs, ASlowReaderIsNotWaitedFor) {
  Config config;
  config.limits.outbox_bytes_max = 2000;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects().subscribes("x", qos1);
  a.stops_reading();
  auto& p = c.client("p").connects();
  const std::string body(500, '.');
  for (int at = 0; at < 10; ++at)
    p.publishes("x", "one" + std::to_string(at) + body, {.qos = 1});
  for (int at = 0; at < 3; ++at)
    p.publishes("x", "zero" + std::to_string(at) + body);
  EXPECT_EQ(c.counters().publish_dropped, 3U);
  a.reads_again();
  for (int at = 0; at < 10; ++at) {
    const Packet packet = a.receives("x", "one" + std::to_string(at) + body);
    EXPECT_EQ(packet.user("linnet-dropped").value_or("3"), "3");
  }
  a.receives_nothing();
}

TEST_P(Backlogs, Qos0IsQueuedIfAskedFor) {
  Config config;
  config.limits.queue_qos0 = true;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects(kKept).subscribes("x", qos1);
  a.drops();
  c.client("p").connects().publishes("x", "0").publishes("x", "1", {.qos = 1}).publishes("x", "2");
  a.connects(kKept);
  EXPECT_EQ(a.receives("x", "0").qos, 0U);
  a.receives("x", "1");
  a.receives("x", "2");
}

}  // namespace linnet::test

// Limits of the broker and of a client, $SYS, and the orderly end.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 1000};

}  // namespace

class BrokerLimits : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Shards, BrokerLimits, ::testing::Values(1, 2, 4));

TEST_P(BrokerLimits, Connections) {
  Config config;
  config.limits.connections_max = 3;
  Cluster c{{.shards = GetParam(), .config = config}};
  for (int at = 0; at < 3; ++at)
    c.client("a" + std::to_string(at)).connects();
  c.client("late").sends_connect().is_refused(ReasonCode::quota_exceeded);
  c.client("old").v3().sends_connect();
  c.client("old").is_refused(static_cast<ReasonCode>(3));
  c.client("a1").drops();
  c.client("late").connects();
  c.client("a1").sends_connect().is_refused(ReasonCode::quota_exceeded);
  c.client("a0").disconnects();
  c.client("a1").opens();
  c.client("a2").disconnects();
  c.client("a0").connects();
}

TEST_P(BrokerLimits, KeptSessions) {
  Config config;
  config.limits.sessions_max = 2;
  Cluster c{{.shards = GetParam(), .config = config}};
  c.client("a").connects(kKept);
  c.client("b").connects(kKept).drops();
  c.client("c").sends_connect(kKept).is_refused(ReasonCode::quota_exceeded);
  c.client("c").connects();
  c.client("b").connects(kKept);                                 // its place is its own
  c.client("b").connects({.clean_start = true, .expiry_s = 9});  // and a new session takes it
  c.client("b").disconnects();
  c.client("c").sends_connect(kKept).is_refused(ReasonCode::quota_exceeded);
  c.after(9s);
  c.client("c").connects(kKept);
  c.client("a").disconnects(ReasonCode::success, 0);
  c.client("d").connects(kKept);
}

TEST_P(BrokerLimits, Subscriptions) {
  Config config;
  config.limits.subscriptions_max = 2;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects();
  a.sends_subscribe({"x", "$share/g/y", "z"}, qos1);
  a.gets_suback({ReasonCode::granted_qos_1, ReasonCode::granted_qos_1, ReasonCode::quota_exceeded});
  a.subscribes("x", qos0).unsubscribes("x").subscribes("z");
}

TEST_P(BrokerLimits, TopicLevelsAndInvalidFilters) {
  Config config;
  config.limits.topic_levels_max = 3;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects();
  a.sends_subscribe({"a/b/c", "a/b/c/d", "a/#/c", "a+", "$share/g", "$share//x", "$share/g/"},
                    qos0);
  a.gets_suback({ReasonCode::success, ReasonCode::topic_filter_invalid,
                 ReasonCode::topic_filter_invalid, ReasonCode::topic_filter_invalid,
                 ReasonCode::topic_filter_invalid, ReasonCode::topic_filter_invalid,
                 ReasonCode::topic_filter_invalid});
  a.sends_publish("a/b/c/d", "m");
  a.gets_disconnect(ReasonCode::topic_name_invalid);
}

TEST_P(BrokerLimits, PacketSize) {
  Config config;
  config.limits.packet_size_max = 100;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects();
  EXPECT_EQ(a.connack().number(Property::maximum_packet_size), 100U);
  a.publishes("x", std::string(80, '.'));
  a.sends_publish("x", std::string(100, '.'));
  a.gets_disconnect(ReasonCode::packet_too_large);
}

TEST_P(BrokerLimits, KeepAliveIsCut) {
  Config config;
  config.limits.keep_alive_max_s = 20;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects({.keep_alive_s = 0});
  EXPECT_EQ(a.connack().number(Property::server_keep_alive), 20U);
  EXPECT_FALSE(
      c.client("b").connects({.keep_alive_s = 5}).connack().has(Property::server_keep_alive));
  c.after(30s);
  a.gets_disconnect(ReasonCode::keep_alive_timeout);
}

TEST_P(BrokerLimits, PayloadFormatIsCheckedIfAskedFor) {
  Config config;
  config.check_payload_format = true;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects();
  PublishOptions options{.qos = 1};
  options.properties.number(Property::payload_format_indicator, 1);
  const auto id = a.sends_publish("x", "\xFF", options);
  a.gets_ack(PacketType::puback, id, ReasonCode::payload_format_invalid);
  a.publishes("x", "fine", options);
}

class Sys : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Shards, Sys, ::testing::Values(1, 2, 4));

TEST_P(Sys, OnSubscribingAndAtEveryInterval) {
  Cluster c{{.shards = GetParam()}};
  for (std::uint32_t home = 0; home < GetParam(); ++home) {
    auto& a = c.client(c.name_at(home, "a")).connects();
    a.sends_subscribe({"$SYS/broker/clients/connected"}, qos0);
    a.gets(PacketType::suback);
    const Packet first = a.receives("$SYS/broker/clients/connected", std::to_string(home + 1));
    EXPECT_TRUE(first.retain);
    a.receives_nothing();
  }
  c.after(10s);
  for (std::uint32_t home = 0; home < GetParam(); ++home) {
    auto& a = c.client(c.name_at(home, "a"));
    const Packet next = a.receives("$SYS/broker/clients/connected", std::to_string(GetParam()));
    EXPECT_FALSE(next.retain);
    a.receives_nothing();
  }
}

TEST_P(Sys, WildcardsDoNotReachItAndNobodyPublishesThere) {
  Cluster c{{.shards = GetParam()}};
  auto& a = c.client("a").connects().subscribes("#").subscribes("+/broker/version");
  auto& all = c.client("all").connects().subscribes("$SYS/#");
  EXPECT_GT(all.takes_messages().size(), 20U);
  c.after(10s);
  a.receives_nothing();
  EXPECT_GT(all.takes_messages().size(), 20U);
  const auto id = a.sends_publish("$SYS/x", "m", {.qos = 1});
  a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  all.receives_nothing();
  auto& old = c.client("old").v3().connects();
  old.publishes("$SYS/x", "m", {.qos = 1}).publishes("$SYS/x", "m", {.qos = 2});
  all.receives_nothing();
}

class Stopping : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Shards, Stopping, ::testing::Values(1, 2, 4));

TEST_P(Stopping, ClientsAreToldAndWillsArePublished) {
  Cluster c{{.shards = GetParam()}};
  auto& watcher = c.client("watcher").connects().subscribes("w/#", qos1);
  for (std::uint32_t home = 0; home < GetParam(); ++home) {
    ConnectOptions options;
    options.will = WillOptions{.topic = "w/" + std::to_string(home), .payload = "gone", .qos = 1};
    c.client(c.name_at(home, "a")).connects(options);
  }
  auto& old = c.client("old").v3().connects();
  c.stop();
  EXPECT_TRUE(c.stopped());
  EXPECT_EQ(watcher.takes_messages().size(), GetParam());
  watcher.gets_disconnect(ReasonCode::server_shutting_down);
  old.gets_nothing().is_closed();
  for (std::uint32_t home = 0; home < GetParam(); ++home) {
    c.client(c.name_at(home, "a")).gets_disconnect(ReasonCode::server_shutting_down);
  }
}

TEST_P(Stopping, OwedAcknowledgementsLeaveFirst) {
  Cluster c{{.shards = GetParam()}};
  c.client("a").connects(kKept).subscribes("x", qos1).drops();
  auto& p = c.client("p").connects();
  c.store().hold();
  const auto id = p.sends_publish("x", "m", {.qos = 1});
  c.stop();
  EXPECT_FALSE(c.stopped());
  p.is_open().gets_nothing();
  c.store().release_all();
  c.settle();
  EXPECT_TRUE(c.stopped());
  p.gets_ack(PacketType::puback, id);
  p.gets_disconnect(ReasonCode::server_shutting_down);
}

TEST_P(Stopping, ItEndsInTimeEvenIfTheStoreDoesNotAnswer) {
  Cluster c{{.shards = GetParam()}};
  c.client("a").connects(kKept).subscribes("x", qos1).drops();
  auto& p = c.client("p").connects();
  c.store().hold();
  p.sends_publish("x", "m", {.qos = 1});
  c.client("slow").connects().stops_reading();
  c.stop();
  c.after(5s);
  EXPECT_TRUE(c.stopped());
  p.gets_disconnect(ReasonCode::server_shutting_down);
  EXPECT_TRUE(p.inbox().empty());
}

TEST_P(Stopping, ADelayedWillIsNotPublished) {
  Cluster c{{.shards = GetParam()}};
  auto& watcher = c.client("watcher").connects().subscribes("w", qos1);
  ConnectOptions options = kKept;
  options.will = WillOptions{.topic = "w", .payload = "gone", .delay_s = 10};
  c.client("a").connects(options);
  c.client("b").connects(options).drops();
  c.stop();
  watcher.receives_nothing();
  EXPECT_TRUE(c.stopped());
}

}  // namespace linnet::test

// Limits that sink while clients are connected: what they were told stays for their connection.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 1000};

}  // namespace

class LimitsReload : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  /// A client whose home is the last shard, through the first one.
  Client& traveller(std::string_view prefix) {
    return c.client(c.name_at(GetParam() - 1, prefix)).at(0);
  }

  Cluster c{{.shards = GetParam()}};
};

INSTANTIATE_TEST_SUITE_P(Shards, LimitsReload, ::testing::Values(1, 2, 4));

TEST_P(LimitsReload, TheQosThatConnackHasToldMayBeUsed) {
  auto& a = traveller("a").connects();
  auto& old = traveller("b").v3().connects();
  auto& w = c.client("w").connects().subscribes("x", qos2);
  Config config;
  config.limits.qos_max = Qos::at_least_once;
  c.reload(config);
  a.publishes("x", "a", {.qos = 2});
  old.publishes("x", "b", {.qos = 2});
  EXPECT_EQ(w.receives("x", "a").qos, 1U);
  EXPECT_EQ(w.receives("x", "b").qos, 1U);
  // Who comes now is told the new one.
  auto& late = traveller("c").connects();
  EXPECT_EQ(late.connack().number(Property::maximum_qos), 1U);
  late.sends_publish("x", "no", {.qos = 2});
  late.gets_disconnect(ReasonCode::qos_not_supported);
  a.disconnects().connects().sends_publish("x", "no", {.qos = 2});
  a.gets_disconnect(ReasonCode::qos_not_supported);
  auto& late_old = traveller("d").v3().connects();
  late_old.sends_publish("x", "no", {.qos = 2});
  late_old.is_closed();
  w.receives_nothing();
}

TEST_P(LimitsReload, ARaisedQosIsForNewConnections) {
  Config config;
  config.limits.qos_max = Qos::at_most_once;
  c.reload(config);
  auto& a = traveller("a").connects();
  c.reload({});
  a.sends_publish("x", "no", {.qos = 1});
  a.gets_disconnect(ReasonCode::qos_not_supported);
  a.connects().publishes("x", "yes", {.qos = 2});
}

TEST_P(LimitsReload, WhoWasToldThatItMayRetainMaySayIt) {
  auto& a = traveller("a").connects();
  auto& old = traveller("b").v3().connects();
  auto& w = c.client("w").connects().subscribes("x", qos1);
  Config config;
  config.limits.retain_available = false;
  c.reload(config);
  a.publishes("x", "a", {.qos = 1, .retain = true});
  old.publishes("x", "b", {.qos = 1, .retain = true});
  w.receives("x", "a");
  w.receives("x", "b");
  // They are delivered, and that is all.
  c.reload({});
  c.client("late").connects().subscribes("x", qos1).receives_nothing();
  c.reload(config);
  a.disconnects().connects().sends_publish("x", "no", {.qos = 1, .retain = true});
  a.gets_disconnect(ReasonCode::retain_not_supported);
}

TEST_P(LimitsReload, LargePacketsOfThoseWhoWereToldSo) {
  auto& a = traveller("a").connects();
  auto& old = traveller("b").v3().connects();
  auto& w = c.client("w").connects().subscribes("x", qos1);
  const std::string large(5'000, '.');
  Config config;
  config.limits.packet_size_max = 2'000;
  c.reload(config);
  a.publishes("x", large, {.qos = 1});
  old.publishes("x", large, {.qos = 1});
  w.receives("x", large);
  w.receives("x", large);
  auto& late = traveller("c").v3().connects();
  late.sends_publish("x", large);
  late.is_closed();
  a.disconnects().connects().sends_publish("x", large);
  a.gets_disconnect(ReasonCode::packet_too_large);
}

TEST_P(LimitsReload, AliasesAndTheReceiveMaximum) {
  auto& a = traveller("a").connects();
  c.client("w").connects(kKept).subscribes("x", qos1).drops();
  Config config;
  config.limits.topic_alias_max = 0;
  config.limits.receive_maximum = 2;
  c.reload(config);
  a.publishes("x", "1", {.qos = 1, .alias = 32}).publishes("", "2", {.qos = 1, .alias = 32});
  c.store().hold();
  for (int at = 0; at < 10; ++at)
    a.sends_publish("x", "m", {.qos = 1});
  c.store().release_all();
  c.settle();
  a.is_open().pings();
}

TEST_P(LimitsReload, KeptSubscriptionsFollowTheQos) {
  auto& a = traveller("a").connects(kKept);
  a.subscribes("x", qos2).subscribes("$share/g/y", qos2).drops();
  auto& p = c.client("p").connects();
  p.publishes("r", "retained", {.qos = 2, .retain = true});
  Config config;
  config.limits.qos_max = Qos::at_least_once;
  c.reload(config);
  a.connects(kKept);
  for (const char* topic : {"x", "y"}) {
    p.publishes(topic, "m", {.qos = 2});
    EXPECT_EQ(a.receives(topic, "m").qos, 1U);
  }
  c.restart();
  a.connects(kKept);
  p.connects().publishes("x", "m", {.qos = 1});
  EXPECT_EQ(a.receives("x", "m").qos, 1U);
  a.subscribes("r", qos1);
  EXPECT_EQ(a.receives("r", "retained").qos, 1U);
  // They were granted more, and get it again where it is allowed.
  c.reload({});
  p.disconnects().connects().publishes("x", "m", {.qos = 2});
  EXPECT_EQ(a.receives("x", "m").qos, 2U);
}

TEST_P(LimitsReload, AFilterThatIsTooLongNowCanBeUnsubscribed) {
  auto& a = traveller("a").connects(kKept).subscribes("x/y/z", qos1).subscribes("long/#", qos1);
  Config config;
  config.limits.topic_levels_max = 2;
  config.limits.topic_length_max = 3;
  c.reload(config);
  a.unsubscribes("x/y/z").unsubscribes("long/#");
  EXPECT_EQ(c.counters().subscriptions, 0U);
}

}  // namespace linnet::test

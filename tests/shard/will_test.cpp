// Wills: when they are published and when not.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

class Wills : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  Wills() { watcher.connects().subscribes("w/#", {.qos = 2, .retain_as_published = true}); }

  static ConnectOptions with_will(std::uint32_t expiry_s = 0, std::uint32_t delay_s = 0) {
    ConnectOptions options{.clean_start = false, .expiry_s = expiry_s};
    options.will = WillOptions{.topic = "w/a", .payload = "gone", .qos = 1, .delay_s = delay_s};
    return options;
  }

  Cluster c{{.shards = GetParam()}};
  Client& watcher = c.client("watcher");
  Client& a = c.client("a");
};

INSTANTIATE_TEST_SUITE_P(Shards, Wills, ::testing::Values(1, 2, 4));

TEST_P(Wills, ALostLinkPublishesIt) {
  a.connects(with_will()).drops();
  EXPECT_EQ(watcher.receives("w/a", "gone").qos, 1U);
  watcher.receives_nothing();
}

TEST_P(Wills, NormalDisconnectVoidsIt) {
  a.connects(with_will()).disconnects();
  a.v3().connects(with_will()).disconnects();
  c.after(1h);
  watcher.receives_nothing();
}

TEST_P(Wills, DisconnectWithWillPublishesIt) {
  a.connects(with_will()).disconnects(ReasonCode::disconnect_with_will);
  watcher.receives("w/a", "gone");
  a.connects(with_will()).disconnects(ReasonCode::unspecified_error);
  watcher.receives("w/a", "gone");
}

TEST_P(Wills, ProtocolErrorsAndSilencePublishIt) {
  a.connects(with_will()).sends_hex("f0 00");
  watcher.receives("w/a", "gone");
  a.v3().connects(with_will()).sends_hex("00 00");
  watcher.receives("w/a", "gone");
  auto options = with_will();
  options.keep_alive_s = 10;
  a.v5().connects(options);
  c.after(15s);
  watcher.receives("w/a", "gone");
  watcher.receives_nothing();
}

TEST_P(Wills, TheDelayRuns) {
  a.connects(with_will(100, 10)).drops();
  c.after(9s);
  watcher.receives_nothing();
  c.after(1s);
  watcher.receives("w/a", "gone");
  a.connects({.clean_start = false, .expiry_s = 100}).drops();
  c.after(50s);
  watcher.receives_nothing();
}

TEST_P(Wills, AReconnectInTimeVoidsIt) {
  a.connects(with_will(100, 10)).drops();
  c.after(9s);
  a.connects({.clean_start = false, .expiry_s = 100});
  c.after(60s);
  a.drops();
  c.after(60s);
  watcher.receives_nothing();
}

TEST_P(Wills, ACleanStartInTimePublishesTheOldOne) {
  // The old session ends, and with its end the Will is due.
  a.connects(with_will(100, 10)).drops();
  a.connects({.clean_start = true});
  watcher.receives("w/a", "gone");
  watcher.receives_nothing();
}

TEST_P(Wills, TheSessionsEndComesFirst) {
  a.connects(with_will(5, 10)).drops();
  c.after(4s);
  watcher.receives_nothing();
  c.after(1s);
  watcher.receives("w/a", "gone");
  c.after(60s);
  watcher.receives_nothing();
  a.connects(with_will(0, 10)).drops();
  watcher.receives("w/a", "gone");
}

TEST_P(Wills, TakeOver) {
  a.connects(with_will());
  auto& next = c.another("a").connects({.clean_start = false});
  watcher.receives("w/a", "gone");
  next.disconnects();
  a.connects(with_will(100, 10));
  c.another("a").connects({.clean_start = false, .expiry_s = 100});
  c.after(60s);
  watcher.receives_nothing();  // the new connection came before the delay was over
}

TEST_P(Wills, ARetainedWillStays) {
  auto options = with_will();
  options.will->retain = true;
  options.will->expiry_s = 30;
  options.will->properties.user("k", "v");
  options.expiry_s = 100;
  options.will->delay_s = 10;
  a.connects(options).drops();
  c.after(10s);
  const Packet live = watcher.receives("w/a", "gone");
  EXPECT_TRUE(live.retain);
  EXPECT_EQ(live.user("k"), "v");
  EXPECT_EQ(live.number(Property::message_expiry_interval), 30U);  // it begins when it is published
  EXPECT_FALSE(live.has(Property::will_delay_interval));
  c.after(12s);
  auto& late = c.client("late").connects().subscribes("w/#");
  EXPECT_EQ(late.receives("w/a", "gone").number(Property::message_expiry_interval), 18U);
}

TEST_P(Wills, ItsTopicIsChecked) {
  for (const char* topic : {"w/#", "$SYS/x", ""}) {
    auto options = with_will();
    options.will->topic = topic;
    a.sends_connect(options);
    EXPECT_TRUE(a.closed());
  }
  watcher.receives_nothing();
}

TEST_P(Wills, ItWaitsForRoomElsewhere) {
  auto& kept = c.client("kept").connects({.clean_start = false, .expiry_s = 99});
  kept.subscribes("w/#", qos1);
  a.connects(with_will());
  c.store().set_full(true);
  a.drops();
  watcher.receives_nothing();
  c.store().set_full(false);
  watcher.receives("w/a", "gone");
  kept.receives("w/a", "gone");
}

}  // namespace linnet::test

// A member of a shared group may no longer be one: what it was given goes to the other members,
// once, wherever it lies, and nobody waits for that.
#include <gtest/gtest.h>
#include <map>

#include "support/access_fixture.hpp"

namespace linnet::test {

namespace {

constexpr int kMany = 600;
const ConnectOptions kOneAtATime{.clean_start = false, .expiry_s = 1000, .receive_maximum = 1};

Config everything() {
  return with_rules({allow().topics({"#"})});
}
Config not_for_anna(const std::string& filter) {
  return with_rules({deny().users({"anna"}).subscribe({filter}), allow().topics({"#"})});
}
Config small_mailboxes() {
  Config config = everything();
  config.limits.mailbox_messages_max = 64;
  return config;
}

}  // namespace

class HandingOn : public AccessTest {
 protected:
  HandingOn() : AccessTest(small_mailboxes()), home(c.shards() - 1) {}

  /// A filter whose group "g" lives on the first shard; anna's sessions live on the last one.
  std::string far_filter() {
    return c.name_at(0, "$share/g/x").substr(std::string("$share/g/").size());
  }

  Client& anna(const ConnectOptions& options, std::string_view prefix = "a") {
    return traveller(prefix).logs_in_as("anna", "a").manual().connects(options);
  }
  Client& berta() { return c.client(c.name_at(0, "b")).logs_in_as("berta", "b").connects(kept); }

  void publish_many(const std::string& topic, int many) {
    auto& p = c.client("p").connects();
    for (int at = 0; at < many; ++at)
      p.publishes(topic, std::to_string(at), {.qos = 1});
  }
  /// All of them, and each once.
  static void expect_each_once(Client& member, int many) {
    std::map<std::string, int> got;
    for (const Packet& message : member.takes_messages())
      ++got[message.payload];
    EXPECT_EQ(got.size(), static_cast<std::size_t>(many));
    for (const auto& [payload, times] : got)
      EXPECT_EQ(times, 1) << payload;
  }

  const std::uint32_t home;
};

INSTANTIATE_TEST_SUITE_P(Shapes, HandingOn, all_shapes());

TEST_P(HandingOn, WhatIsInFlightAfterARestartIsNotAlsoFoundInTheStore) {
  const ConnectOptions two{.clean_start = false, .expiry_s = 1000, .receive_maximum = 2};
  auto& a = anna(two).subscribes("$share/g/x", qos2);
  auto& p = c.client("p").connects();
  for (int at = 0; at < 20; ++at)
    p.publishes("x", std::to_string(at), {.qos = at == 1 ? 2U : 1U});
  a.receives("x", "0");
  a.receives("x", "1");
  c.restart();
  a.connects(two);
  a.receives("x", "0");
  const Packet own = a.receives("x", "1");
  EXPECT_EQ(own.qos, 2U);
  auto& b = berta().subscribes("$share/g/x", qos2);
  c.reload(not_for_anna("x"));
  std::map<std::string, int> got;
  for (const Packet& message : b.takes_messages())
    ++got[message.payload];
  EXPECT_EQ(got.count("1"), 0U);  // MQTT-4.8.2-5
  EXPECT_EQ(got.size(), 19U);
  for (const auto& [payload, times] : got)
    EXPECT_EQ(times, 1) << payload;
}

TEST_P(HandingOn, NobodyElseWaitsForIt) {
  constexpr std::size_t kOthers = 20;
  auto& a = anna(kOneAtATime).subscribes("$share/g/x", qos1);
  a.drops();
  publish_many("x", 2'000);
  berta().subscribes("$share/g/x", qos1);
  auto& many_times = c.client(c.name_at(home, "m")).logs_in_as("anna", "a").connects(kept);
  for (int at = 0; at < 600; ++at)
    many_times.subscribes("y/" + std::to_string(at));
  for (std::size_t at = 0; at < kOthers; ++at) {
    auto& one = c.client(c.name_at(home, "o" + std::to_string(at) + "-"));
    one.logs_in_as("anna", "a").connects().subscribes("z").subscribes("$share/h/z");
  }
  const auto here = [this] { return c.shard(home).counters(); };
  const std::size_t others_of_the_group = c.shards() == 1 ? 1 : 0;
  EXPECT_EQ(here().shared_subscriptions, kOthers + 1 + others_of_the_group);
  c.reload_quietly(
      with_rules({deny().users({"anna"}).subscribe({"x", "z"}), allow().topics({"#"})}));
  // What its members are given can't be withheld from them later.
  ASSERT_TRUE(c.step(home));
  EXPECT_EQ(here().shared_subscriptions, others_of_the_group);
  for (int turn = 0; turn < 5; ++turn)
    c.step(home);
  EXPECT_EQ(here().subscriptions, 600U);
  c.settle();
}

TEST_P(HandingOn, GoesOnWhenTheStoreCanBeReadAgain) {
  for (const bool in_the_middle : {false, true}) {
    anna(kOneAtATime, in_the_middle ? "a" : "c").subscribes("$share/g/x", qos1).drops();
    publish_many("x", kMany);
    auto& b = berta().subscribes("$share/g/x", qos1).receives_nothing();
    c.reload_quietly(not_for_anna("x"));
    if (in_the_middle) c.step(home);
    c.store().set_readable(false);
    c.settle();
    const auto first = b.takes_messages();
    EXPECT_LT(first.size(), static_cast<std::size_t>(kMany));
    c.store().set_readable(true);
    c.settle();
    EXPECT_EQ(first.size() + b.takes_messages().size(), static_cast<std::size_t>(kMany));
    b.unsubscribes("$share/g/x");
    c.reload(everything());
  }
}

TEST_P(HandingOn, WaitsWhileMemoryIsShort) {
  auto& a = anna(kOneAtATime).subscribes("$share/g/x", qos1);
  a.drops();
  publish_many("x", kMany);
  auto& b = berta().subscribes("$share/g/x", qos1);
  c.memory().force(Pressure::spill_backlogs);
  c.settle();
  c.reload(not_for_anna("x"));
  b.receives_nothing();
  c.after(10s);
  b.receives_nothing();
  c.memory().force(Pressure::none);
  c.after(10s);
  expect_each_once(b, kMany);
}

TEST_P(HandingOn, WaitsForRoomAtTheOtherShards) {
  if (c.shards() == 1) return;
  const std::string filter = far_filter();
  anna(kOneAtATime).subscribes("$share/g/" + filter, qos1);
  publish_many(filter, 2 * kMany);
  auto& b = berta().subscribes("$share/g/" + filter, qos1);
  c.freeze(0);
  c.reload_quietly(not_for_anna(filter));
  c.settle();
  // Without rules it stays with anna, as far as it has not gone.
  c.reload_quietly(with_rules({}));
  c.settle();
  c.thaw(0);
  const std::size_t got = b.takes_messages().size();
  EXPECT_GT(got, 0U);
  EXPECT_LT(got, static_cast<std::size_t>(kMany));
}

TEST_P(HandingOn, GoesOnWhenThereIsRoomAgain) {
  if (c.shards() == 1) return;
  const std::string filter = far_filter();
  anna(kOneAtATime).subscribes("$share/g/" + filter, qos1);
  publish_many(filter, 2 * kMany);
  auto& b = berta().subscribes("$share/g/" + filter, qos1);
  c.freeze(0);
  c.reload_quietly(not_for_anna(filter));
  c.settle();
  c.thaw(0);
  expect_each_once(b, 2 * kMany);
}

TEST_P(HandingOn, WhatIsOfferedAtThatMomentComesBackToTheGroup) {
  if (c.shards() == 1) return;  // the answer comes at once
  const std::string filter = far_filter();
  auto& b = berta().subscribes("$share/g/" + filter, qos1);
  b.drops();
  auto& a = anna(kept).subscribes("$share/g/" + filter, qos1);
  auto& p = c.client("p").connects();
  for (const char* payload : {"1", "2", "3"})
    p.publishes(filter, payload, {.qos = 1});
  a.receives(filter, "1");
  c.freeze(0);
  a.drops();
  c.settle();
  c.reload_quietly(not_for_anna(filter));
  c.settle();
  c.thaw(0);  // nobody else is connected, so that nobody takes it for the time being
  b.connects(kept);
  for (const char* payload : {"1", "2", "3"})
    b.receives(filter, payload);
  b.receives_nothing();
  a.connects(kept).receives_nothing();
}

TEST_P(HandingOn, AMemberThatJoinsAgainMeanwhileHandsOnNothingTwice) {
  constexpr int kVeryMany = 2'500;
  auto& a = anna(kOneAtATime).subscribes("$share/g/x", qos1);
  publish_many("x", kVeryMany);
  auto& b = berta().subscribes("$share/g/x", qos1);
  c.reload_quietly(not_for_anna("x"));
  c.step(home);
  c.reload_quietly(everything());
  c.step(home);
  const auto memberships = [this] { return c.counters().shared_subscriptions; };
  EXPECT_EQ(memberships(), 1U);
  a.writes(subscribe_packet(Version::v5, 77, {"$share/g/x"}, qos1));
  for (int turn = 0; turn < 4 && memberships() < 2; ++turn)
    c.step(home);
  EXPECT_EQ(memberships(), 2U);
  c.reload_quietly(not_for_anna("x"));
  c.settle();
  expect_each_once(b, kVeryMany);
}

}  // namespace linnet::test

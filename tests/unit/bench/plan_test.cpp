#include "bench/plan.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <set>

#include "base/topic.hpp"

namespace linnet::bench {
namespace {

Plan plan_of(const char* scenario, std::uint32_t publishers, std::uint32_t subscribers,
             std::uint32_t topics) {
  Options options;
  options.scenario = scenario;
  options.publishers = publishers;
  options.subscribers = subscribers;
  options.topics = topics;
  std::string error;
  const auto settings = resolve(options, error);
  EXPECT_TRUE(settings) << error;
  return make_plan(*settings, "run");
}

/// Each receiver's streams are those whose topic its filter matches, and fan-outs count them.
void expect_consistent(const Plan& plan) {
  std::vector<std::uint32_t> fanout(plan.streams.size());
  for (const Plan::Receiver& receiver : plan.receivers) {
    ASSERT_TRUE(std::is_sorted(receiver.streams.begin(), receiver.streams.end()));
    const std::set<std::uint32_t> streams(receiver.streams.begin(), receiver.streams.end());
    const auto filter = split_shared_filter(receiver.filter);
    ASSERT_TRUE(filter.valid);
    for (std::uint32_t stream = 0; stream < plan.streams.size(); ++stream) {
      const bool matches = topic_matches(filter.parts.filter, plan.streams[stream].topic);
      EXPECT_EQ(streams.contains(stream), matches) << receiver.filter;
      fanout[stream] += matches ? 1U : 0U;
    }
  }
  for (std::uint32_t stream = 0; stream < plan.streams.size(); ++stream) {
    EXPECT_EQ(plan.streams[stream].fanout, plan.shared ? 1U : fanout[stream]);
    const auto& mine = plan.streams_of[plan.streams[stream].publisher];
    EXPECT_NE(std::find(mine.begin(), mine.end(), stream), mine.end());
  }
}

TEST(Plan, Consistent) {
  expect_consistent(plan_of("p2p", 10, 10, 10));
  expect_consistent(plan_of("p2p", 3, 7, 5));
  expect_consistent(plan_of("p2p", 7, 3, 5));
  expect_consistent(plan_of("fanout", 1, 20, 1));
  expect_consistent(plan_of("fanin", 20, 1, 20));
  expect_consistent(plan_of("fanin", 20, 2, 1));
  expect_consistent(plan_of("wildcard", 4, 50, 230));
  expect_consistent(plan_of("shared", 3, 4, 5));
  expect_consistent(plan_of("retained", 3, 1, 30));
  expect_consistent(plan_of("offline", 2, 3, 2));
}

TEST(Plan, PointToPointHasOneReceiverEach) {
  const Plan plan = plan_of("p2p", 10, 10, 10);
  EXPECT_EQ(plan.streams.size(), 10U);
  EXPECT_EQ(plan.fanout_max(), 1U);
}

TEST(Plan, FanOut) {
  const Plan plan = plan_of("fanout", 1, 20, 1);
  EXPECT_EQ(plan.fanout_max(), 20U);
}

TEST(Plan, WildcardsAreMixed) {
  const Plan plan = plan_of("wildcard", 10, 900, 1'000);
  const auto count = [&](auto predicate) {
    return std::count_if(plan.receivers.begin(), plan.receivers.end(), predicate);
  };
  const auto has = [](char wildcard) {
    return [wildcard](const Plan::Receiver& receiver) {
      return receiver.filter.find(wildcard) != std::string::npos;
    };
  };
  EXPECT_GT(count(has('+')), 200);
  EXPECT_GT(count(has('#')), 200);
  EXPECT_GT(count([](const auto& receiver) { return !has_wildcard(receiver.filter); }), 200);
  EXPECT_TRUE(plan.random);
}

TEST(Plan, TheSameSeedGivesTheSamePlan) {
  const Plan one = plan_of("wildcard", 10, 100, 1'000);
  const Plan two = plan_of("wildcard", 10, 100, 1'000);
  for (std::size_t number = 0; number < one.receivers.size(); ++number)
    EXPECT_EQ(one.receivers[number].filter, two.receivers[number].filter);
}

}  // namespace
}  // namespace linnet::bench

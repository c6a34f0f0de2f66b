// Looking a name up again, with a background that runs its jobs when the test says so.
#include "net/resolver.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace linnet::net {
namespace {

class ResolverTest : public testing::Test {
 protected:
  void run_all() {
    for (const auto& job : std::exchange(jobs, {}))
      job();
  }
  /// Long enough after the last time.
  void refresh() {
    now_ms += Resolver::kPauseMs;
    resolver->refresh(now_ms, background);
  }

  std::string error;
  ResolverPtr resolver = Resolver::load("localhost", 7, error);
  std::vector<std::function<void()>> jobs;
  Executor background = [this](std::function<void()> job) { jobs.push_back(std::move(job)); };
  std::uint64_t now_ms = 1'000'000;
};

TEST_F(ResolverTest, asks_once_per_pause) {
  refresh();
  ASSERT_EQ(jobs.size(), 1U);
  run_all();
  EXPECT_FALSE(resolver->addresses().empty());
  resolver->refresh(now_ms + Resolver::kPauseMs - 1, background);
  EXPECT_TRUE(jobs.empty());
  resolver->refresh(now_ms + Resolver::kPauseMs, background);
  EXPECT_EQ(jobs.size(), 1U);
}

TEST_F(ResolverTest, does_not_ask_again_while_the_name_service_hangs) {
  for (int i = 0; i < 20; ++i)
    refresh();
  EXPECT_EQ(jobs.size(), 1U);
  run_all();
  refresh();
  EXPECT_EQ(jobs.size(), 1U);
}

TEST_F(ResolverTest, a_job_that_is_dropped_is_no_longer_waited_for) {
  resolver->refresh(now_ms, [](const std::function<void()>&) {});
  refresh();
  EXPECT_EQ(jobs.size(), 1U);
  jobs.clear();
  refresh();
  EXPECT_EQ(jobs.size(), 1U);
}

TEST_F(ResolverTest, nor_is_one_that_was_not_taken) {
  const Executor broken = [](const std::function<void()>&) { throw std::runtime_error("full"); };
  EXPECT_THROW(resolver->refresh(now_ms, broken), std::runtime_error);
  refresh();
  EXPECT_EQ(jobs.size(), 1U);
}

TEST_F(ResolverTest, a_job_outlives_its_resolver) {
  refresh();
  resolver.reset();
  run_all();
}

TEST_F(ResolverTest, an_address_is_never_looked_up) {
  resolver = Resolver::load("127.0.0.1", 7, error);
  refresh();
  EXPECT_TRUE(jobs.empty());
}

}  // namespace
}  // namespace linnet::net

// The small pieces of base: cat, random, rate limit, function_ref, clock, assert.
#include <algorithm>
#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <string>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/function_ref.hpp"
#include "base/random.hpp"
#include "base/rate_limit.hpp"
#include "base/to_size.hpp"

namespace linnet {
namespace {

TEST(Cat, joins_all_kinds) {
  const std::string name = "x";
  EXPECT_EQ(cat("a ", name, std::string_view(" b "), 'c', ' ', true, ' ', 0), "a x b c true 0");
  EXPECT_EQ(cat(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(cat(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(cat(-1, std::uint8_t{200}, std::int8_t{-128}, 'x'), "-1200-128x");
}

TEST(ToSize, never_makes_much_out_of_little_room) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(to_size(7), 7U);
  EXPECT_EQ(to_size(std::uint64_t{4} << 30), std::min(std::uint64_t{4} << 30, kMost));
  EXPECT_EQ(to_size(std::numeric_limits<std::uint64_t>::max()), kMost);
}

TEST(Random, repeats_with_its_seed_and_stays_below) {
  Random first(1);
  Random second(1);
  std::array<int, 6> counts{};
  for (int round = 0; round < 6000; ++round) {
    const auto drawn = first.below(6);
    ASSERT_EQ(drawn, second.below(6));
    ++counts.at(drawn);
  }
  for (const int count : counts)
    EXPECT_NEAR(count, 1000, 150);
  EXPECT_NE(Random().u64(), Random().u64());
}

TEST(LogLimiter, says_how_many_were_left_out) {
  LogLimiter limiter(2, 1000);
  EXPECT_TRUE(limiter.ask(5000).allowed);
  EXPECT_TRUE(limiter.ask(5500).allowed);
  EXPECT_FALSE(limiter.ask(5600).allowed);
  EXPECT_FALSE(limiter.ask(5999).allowed);
  const auto verdict = limiter.ask(6000);
  EXPECT_TRUE(verdict.allowed);
  EXPECT_EQ(verdict.suppressed, 2U);
  EXPECT_EQ(more_like_it(verdict), " (and 2 more like it)");
  EXPECT_EQ(more_like_it(limiter.ask(6001)), "");
}

int call(FunctionRef<int(int)> function, int value) {
  return function(value);
}

TEST(FunctionRef, calls_what_it_refers_to) {
  int sum = 0;
  EXPECT_EQ(call([&sum](int value) { return sum += value; }, 3), 3);
  EXPECT_EQ(call([&sum](int value) { return sum += value; }, 4), 7);
  const auto constant = [](int) { return 9; };
  EXPECT_EQ(call(constant, 0), 9);
}

TEST(SystemClock, is_monotonic_and_not_zero) {
  const SystemClock clock;
  const auto before = clock.now_ms();
  EXPECT_GT(before, 0U);
  EXPECT_GE(clock.now_ms(), before);
  EXPECT_GT(clock.wall_ms(), 0);
}

TEST(AssertDeathTest, says_what_does_not_hold) {
  EXPECT_DEATH(LINNET_ASSERT(1 + 1 == 3), "1 \\+ 1 == 3");
}

}  // namespace
}  // namespace linnet

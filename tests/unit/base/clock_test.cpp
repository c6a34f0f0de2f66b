#include "base/clock.hpp"

#include <chrono>
#include <ctime>
#include <gtest/gtest.h>

namespace linnet {
namespace {

TEST(SystemClock, IsThatOfTheSystem) {
  static_assert(sizeof(std::time_t) == 8, "32-bit systems need -D_TIME_BITS=64");
  const std::time_t before = std::time(nullptr);
  const std::int64_t wall_ms = system_clock().wall_ms();
  const std::time_t after = std::time(nullptr);
  EXPECT_GE(wall_ms, (std::int64_t{before} - 1) * 1'000);
  EXPECT_LT(wall_ms, (std::int64_t{after} + 2) * 1'000);
}

TEST(SystemClock, CountsTheMillisecondsOfChrono) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  using std::chrono::steady_clock;
  const auto steady_ms = [] {
    const auto since = steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(duration_cast<milliseconds>(since).count());
  };
  const std::uint64_t before = steady_ms();
  const std::uint64_t now = system_clock().now_ms();
  const std::uint64_t after = steady_ms();
  EXPECT_LE(before, now);
  EXPECT_LE(now, after);
}

}  // namespace
}  // namespace linnet

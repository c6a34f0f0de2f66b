#include "store/store_clock.hpp"

#include <gtest/gtest.h>

#include "unit/store/manual_clock.hpp"

namespace linnet::store {
namespace {

constexpr std::int64_t k2026 = 1'767'225'600'000;
constexpr std::int64_t kHour = 3'600'000;

TEST(StoreClock, a_new_store_begins_at_the_wall_clock) {
  ManualClock clock{1'000, k2026};
  const StoreClock store(clock, {});
  EXPECT_EQ(store.now_stored(), static_cast<std::uint64_t>(k2026));
  EXPECT_EQ(store.downtime_ms(), 0U);
  clock.pass(5);
  EXPECT_EQ(store.now_stored(), static_cast<std::uint64_t>(k2026 + 5));
}

TEST(StoreClock, a_new_store_begins_at_something_even_in_1970) {
  const ManualClock clock{1'000, 0};
  EXPECT_EQ(StoreClock(clock, {}).now_stored(), 1U);
}

TEST(StoreClock, times_go_there_and_back) {
  const ManualClock clock{1'000, k2026};
  const StoreClock store(clock, {});
  EXPECT_EQ(store.to_stored(1'250), static_cast<std::uint64_t>(k2026 + 250));
  for (const std::uint64_t at_ms : {1U, 999U, 1'000U, 1'000'000'000U}) {
    EXPECT_EQ(store.to_monotonic(store.to_stored(at_ms)), at_ms);
  }
}

TEST(StoreClock, never_stays_never) {
  const ManualClock clock{1'000, k2026};
  const StoreClock store(clock, {});
  EXPECT_EQ(store.to_stored(0), 0U);
  EXPECT_EQ(store.to_monotonic(0), 0U);
}

TEST(StoreClock, a_restart_counts_the_time_that_it_was_down) {
  ManualClock before{500'000, k2026};
  StoreClock first(before, {});
  const std::uint64_t deadline = first.to_stored(500'000 + 2 * kHour);
  const ClockMark mark = first.mark();
  const ManualClock after{1'000, k2026 + kHour};
  const StoreClock second(after, mark);
  EXPECT_EQ(second.downtime_ms(), static_cast<std::uint64_t>(kHour));
  EXPECT_EQ(second.to_monotonic(deadline), static_cast<std::uint64_t>(1'000 + kHour));
}

TEST(StoreClock, a_restart_in_1970_counts_no_time_and_keeps_the_wall_clock) {
  ManualClock before{500'000, k2026};
  StoreClock first(before, {});
  const ClockMark mark = first.mark();
  ManualClock after{1'000, 5'000};
  StoreClock second(after, mark);
  EXPECT_EQ(second.downtime_ms(), 0U);
  EXPECT_EQ(second.now_stored(), mark.time_ms);
  EXPECT_EQ(second.mark().wall_ms, k2026);
  // Not until the next start does the clock that came back to life tell anything.
  after.set_wall(k2026 + kHour);
  after.pass(10);
  EXPECT_EQ(second.now_stored(), mark.time_ms + 10);
  const ClockMark again = second.mark();
  EXPECT_EQ(again.wall_ms, k2026 + kHour + 10);
  const ManualClock third{1, again.wall_ms + 7};
  EXPECT_EQ(StoreClock(third, again).now_stored(), again.time_ms + 7);
}

TEST(StoreClock, a_wall_clock_that_was_never_set_tells_no_downtime) {
  ManualClock before{1'000, 5'000};
  StoreClock first(before, {});
  const ClockMark mark = first.mark();
  const ManualClock after{1'000, k2026};
  const StoreClock second(after, mark);
  EXPECT_EQ(second.downtime_ms(), 0U);
  EXPECT_EQ(second.now_stored(), mark.time_ms);
}

TEST(StoreClock, from_1970_a_jump_expires_nothing) {
  ManualClock clock{1'000, 5'000};
  StoreClock store(clock, {});
  const std::uint64_t deadline = store.to_stored(1'000 + kHour);
  clock.set_wall(k2026);
  EXPECT_GT(deadline, store.now_stored());
  const ClockMark mark = store.mark();
  EXPECT_EQ(mark.wall_ms, k2026);
  const ManualClock after{77, k2026 + 60'000};
  const StoreClock second(after, mark);
  EXPECT_EQ(second.downtime_ms(), 60'000U);
  EXPECT_EQ(second.to_monotonic(deadline), static_cast<std::uint64_t>(77 + kHour - 60'000));
}

TEST(StoreClock, follows_the_monotonic_clock_while_the_wall_clock_jumps) {
  ManualClock clock{1'000, k2026};
  StoreClock store(clock, {});
  const std::uint64_t start = store.now_stored();
  clock.set_wall(k2026 + 100 * kHour);
  EXPECT_EQ(store.mark().time_ms, start);
  EXPECT_EQ(store.mark().wall_ms, k2026 + 100 * kHour);
  clock.set_wall(k2026 - kHour);
  clock.pass(3);
  EXPECT_EQ(store.mark().time_ms, start + 3);
  EXPECT_EQ(store.mark().wall_ms, k2026 + 100 * kHour);
}

TEST(StoreClock, never_runs_backwards_over_a_restart) {
  ManualClock before{1'000, k2026};
  StoreClock first(before, {});
  before.pass(kHour);
  const ClockMark mark = first.mark();
  const ManualClock after{1, k2026 - 50 * kHour};
  EXPECT_EQ(StoreClock(after, mark).now_stored(), mark.time_ms);
}

TEST(StoreClock, a_deadline_before_the_monotonic_clock_is_in_the_past) {
  ManualClock before{500'000, k2026};
  StoreClock first(before, {});
  const std::uint64_t deadline = first.to_stored(400'000);
  const ManualClock after{10, k2026};
  EXPECT_EQ(StoreClock(after, first.mark()).to_monotonic(deadline), 1U);
  // ... and one before the store's own beginning stays one.
  const ManualClock young{1'000'000, 5};
  EXPECT_EQ(StoreClock(young, {}).to_stored(10), 1U);
}

TEST(StoreClock, takes_the_largest_numbers) {
  const ManualClock clock{1'000, k2026};
  const StoreClock store(clock, {UINT64_MAX, INT64_MAX});
  EXPECT_GT(store.to_stored(UINT64_MAX), store.now_stored());
  EXPECT_GT(store.to_monotonic(UINT64_MAX), 0U);
  const StoreClock other(clock, {UINT64_MAX, INT64_MIN});
  EXPECT_EQ(other.downtime_ms(), 0U);
}

}  // namespace
}  // namespace linnet::store

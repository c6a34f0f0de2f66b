#include "store/store_clock.hpp"

#include <algorithm>

namespace linnet::store {

namespace {

// 2025-01-01: a clock that says less has never been set, since Linnet is younger.
constexpr std::int64_t kRealSinceMs = 1'735'689'600'000;
// Beyond every time that is meant, and far enough from the end of 64 bits to be added to.
constexpr std::uint64_t kTimeMaxMs = std::uint64_t{1} << 61;

std::int64_t bounded(std::uint64_t time_ms) noexcept {
  return static_cast<std::int64_t>(std::min(time_ms, kTimeMaxMs));
}

std::uint64_t at_least_one(std::int64_t time_ms) noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time_ms, 1));
}

std::uint64_t downtime(std::int64_t wall_ms, const ClockMark& last) noexcept {
  const bool told = last.time_ms != 0 && last.wall_ms > kRealSinceMs && wall_ms > last.wall_ms;
  return told ? static_cast<std::uint64_t>(wall_ms - last.wall_ms) : 0;
}

}  // namespace

StoreClock::StoreClock(const Clock& clock, const ClockMark& last) : clock_(clock) {
  const std::int64_t wall_ms = clock.wall_ms();
  downtime_ms_ = downtime(wall_ms, last);
  latest_wall_ms_ = std::max(wall_ms, last.wall_ms);
  const std::uint64_t start_ms =
      last.time_ms == 0 ? at_least_one(wall_ms) : std::min(last.time_ms, kTimeMaxMs) + downtime_ms_;
  offset_ms_ = bounded(start_ms) - bounded(clock.now_ms());
}

std::uint64_t StoreClock::to_stored(std::uint64_t monotonic_ms) const noexcept {
  if (monotonic_ms == 0) return 0;
  return at_least_one(bounded(monotonic_ms) + offset_ms_);
}

std::uint64_t StoreClock::to_monotonic(std::uint64_t stored_ms) const noexcept {
  if (stored_ms == 0) return 0;
  return at_least_one(bounded(stored_ms) - offset_ms_);
}

ClockMark StoreClock::mark() noexcept {
  latest_wall_ms_ = std::max(latest_wall_ms_, clock_.wall_ms());
  return {now_stored(), latest_wall_ms_};
}

std::uint64_t StoreClock::now_stored() const noexcept {
  return to_stored(clock_.now_ms());
}

}  // namespace linnet::store

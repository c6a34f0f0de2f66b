#include "base/clock.hpp"

#include <algorithm>
#include <ctime>

namespace linnet {

namespace {

/// Not by <chrono>: on 32-bit systems its library may have a time_t that ends in 2038, whatever
/// size ours has.
std::int64_t read_ms(clockid_t clock) noexcept {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
}

}  // namespace

std::uint64_t SystemClock::now_ms() const noexcept {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(read_ms(CLOCK_MONOTONIC), 1));
}

std::int64_t SystemClock::wall_ms() const noexcept {
  return read_ms(CLOCK_REALTIME);
}

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

}  // namespace linnet

#include "base/clock.hpp"

#include <algorithm>
#include <chrono>

namespace linnet {

namespace {

template <class TimePoint>
std::int64_t since_epoch_ms(TimePoint point) noexcept {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(point.time_since_epoch()).count();
}

}  // namespace

std::uint64_t SystemClock::now_ms() const noexcept {
  const std::int64_t now_ms = since_epoch_ms(std::chrono::steady_clock::now());
  return static_cast<std::uint64_t>(std::max<std::int64_t>(now_ms, 1));
}

std::int64_t SystemClock::wall_ms() const noexcept {
  return since_epoch_ms(std::chrono::system_clock::now());
}

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

}  // namespace linnet

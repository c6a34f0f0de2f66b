// The store's own time, in which deadlines are written: it outlives the process, never runs
// backwards, and follows the monotonic clock while the broker runs, so that a jump of the wall
// clock expires nothing early. Time during which the broker was down counts if the wall clock tells
// it: if it is later now than the latest wall clock time that the store knows, and that one was a
// real one. A board without a clock boots in 1970, and its downtime counts as nothing.
#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace linnet::store {

/// What the store remembers of time, at every commit.
struct ClockMark {
  std::uint64_t time_ms = 0;  // the store's time; 0: the store is new
  std::int64_t wall_ms = 0;   // the latest wall clock time known
};

class StoreClock {
 public:
  /// Reads `clock` once; it must outlive this.
  StoreClock(const Clock& clock, const ClockMark& last);

  /// From the monotonic clock to the store's time and back; 0 (never) stays 0. A time before the
  /// monotonic clock's beginning becomes 1 ms, which is in the past.
  [[nodiscard]] std::uint64_t to_stored(std::uint64_t monotonic_ms) const noexcept;
  [[nodiscard]] std::uint64_t to_monotonic(std::uint64_t stored_ms) const noexcept;
  /// Now, for the next commit.
  [[nodiscard]] ClockMark mark() noexcept;
  /// The store's time now.
  [[nodiscard]] std::uint64_t now_stored() const noexcept;
  /// How long the broker was down, as far as that is known, in ms.
  [[nodiscard]] std::uint64_t downtime_ms() const noexcept { return downtime_ms_; }

 private:
  const Clock& clock_;
  std::int64_t offset_ms_ = 0;  // stored = monotonic + offset
  std::int64_t latest_wall_ms_ = 0;
  std::uint64_t downtime_ms_ = 0;
};

}  // namespace linnet::store

// A clock that a test sets.
#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace linnet::store {

class ManualClock final : public Clock {
 public:
  ManualClock(std::uint64_t now_ms, std::int64_t wall_ms) : now_ms_(now_ms), wall_ms_(wall_ms) {}

  [[nodiscard]] std::uint64_t now_ms() const noexcept override { return now_ms_; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return wall_ms_; }

  void pass(std::int64_t by_ms) noexcept {
    now_ms_ += static_cast<std::uint64_t>(by_ms);
    wall_ms_ += by_ms;
  }
  void set_wall(std::int64_t wall_ms) noexcept { wall_ms_ = wall_ms; }

 private:
  std::uint64_t now_ms_;
  std::int64_t wall_ms_;
};

}  // namespace linnet::store

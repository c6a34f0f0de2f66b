// Where time comes from. One of the seams of the core: tests drive a clock of their own. Any
// thread.
#pragma once

#include <cstdint>

namespace linnet {

class Clock {
 public:
  /// Monotonic, from some fixed point in the past, in ms; never 0, so that 0 can mean "no
  /// deadline".
  [[nodiscard]] virtual std::uint64_t now_ms() const noexcept = 0;
  /// Since the Unix epoch, in ms. May jump, also backwards; 1970 on a board without a clock.
  [[nodiscard]] virtual std::int64_t wall_ms() const noexcept = 0;

 protected:
  ~Clock() = default;
};

/// The clocks of the operating system.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ms() const noexcept override;
  [[nodiscard]] std::int64_t wall_ms() const noexcept override;
};

/// One of them for all.
[[nodiscard]] const Clock& system_clock() noexcept;

}  // namespace linnet

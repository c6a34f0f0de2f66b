// Random numbers for spreading load, jitter and names; not for secrets. One thread per object.
#pragma once

#include <cstdint>

namespace linnet {

class Random {
 public:
  /// Seeded by the kernel.
  Random() noexcept;
  /// The same numbers every time: for tests.
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  [[nodiscard]] std::uint64_t u64() noexcept;
  /// 0 to `end` - 1, each as likely; `end` is at least 1.
  [[nodiscard]] std::uint64_t below(std::uint64_t end) noexcept;

 private:
  std::uint64_t state_;
};

}  // namespace linnet

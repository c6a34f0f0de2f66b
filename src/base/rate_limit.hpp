// Keeps a repeated log line from flooding the log, and says afterwards how many were left out.
//
//   if (const auto verdict = limiter_.ask(now_ms); verdict.allowed)
//     log::warn("net", cat("refused ", peer, more_like_it(verdict)));
//
// One thread per object.
#pragma once

#include <cstdint>
#include <string>

namespace linnet {

class LogLimiter {
 public:
  struct Verdict {
    bool allowed = false;
    unsigned suppressed = 0;  // lines refused since the last allowed one
  };

  explicit LogLimiter(unsigned per_period = 10, std::uint64_t period_ms = 10'000) noexcept
      : per_period_(per_period), period_ms_(period_ms) {}

  [[nodiscard]] Verdict ask(std::uint64_t now_ms) noexcept;

 private:
  unsigned per_period_;
  unsigned allowed_ = 0;
  unsigned suppressed_ = 0;
  std::uint64_t period_ms_;
  std::uint64_t started_ms_ = 0;  // 0: no period has begun
};

/// " (and 57 more like it)", or nothing.
[[nodiscard]] std::string more_like_it(const LogLimiter::Verdict& verdict);

}  // namespace linnet

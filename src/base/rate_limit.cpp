#include "base/rate_limit.hpp"

#include <utility>

#include "base/cat.hpp"

namespace linnet {

LogLimiter::Verdict LogLimiter::ask(std::uint64_t now_ms) noexcept {
  if (started_ms_ == 0 || now_ms - started_ms_ >= period_ms_) {
    started_ms_ = now_ms;
    allowed_ = 0;
  }
  if (allowed_ == per_period_) {
    ++suppressed_;
    return {};
  }
  ++allowed_;
  return {true, std::exchange(suppressed_, 0)};
}

std::string more_like_it(const LogLimiter::Verdict& verdict) {
  return verdict.suppressed == 0 ? "" : cat(" (and ", verdict.suppressed, " more like it)");
}

}  // namespace linnet

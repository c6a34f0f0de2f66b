#include "bench/gaps.hpp"

#include <algorithm>
#include <iterator>

namespace linnet::bench {

void Gaps::add(std::uint32_t first, std::uint32_t end) {
  if (first >= end) return;
  if (!ranges_.empty() && ranges_.back().end == first) {
    ranges_.back().end = end;
    return;
  }
  ranges_.push_back({first, end});
  shrink();
}

bool Gaps::fill(std::uint32_t number) {
  const auto at =
      std::upper_bound(ranges_.begin(), ranges_.end(), number,
                       [](std::uint32_t value, const Range& range) { return value < range.end; });
  if (at == ranges_.end() || number < at->first) return false;
  const std::uint32_t end = at->end;
  if (number == at->first) {
    if (++at->first == end) ranges_.erase(at);
    return true;
  }
  at->end = number;
  if (number + 1 < end) {
    ranges_.insert(std::next(at), {number + 1, end});
    shrink();
  }
  return true;
}

void Gaps::shrink() {
  if (ranges_.size() <= kRangesMax) return;
  // Half of them at once, so that this is rare.
  ranges_.erase(ranges_.begin(), ranges_.begin() + kRangesMax / 2);
  exact_ = false;
}

}  // namespace linnet::bench

#include "bench/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace linnet::bench {

static_assert(Histogram::bucket_of(63) == 63 && Histogram::top_of(63) == 63);
static_assert(Histogram::bucket_of(64) == 64 && Histogram::top_of(64) == 65);

void Histogram::clear() noexcept {
  buckets_.fill(0);
  count_ = 0;
  max_ = 0;
}

std::uint64_t Histogram::percentile(double percent) const noexcept {
  if (count_ == 0) return 0;
  const double share = std::clamp(percent, 0.0, 100.0) / 100.0;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  const std::uint64_t rank = std::clamp<std::uint64_t>(wanted, 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= rank) return std::min(top_of(bucket), max_);
  }
  return max_;
}

}  // namespace linnet::bench

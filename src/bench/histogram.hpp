// How often which time was measured, in fixed memory: below 64 ns each value has a bucket of its
// own, above that each doubling has 32, so that a percentile is at most 3.2 % too high. One thread.
//
//   Histogram histogram;
//   histogram.add(1'250);                     // ns
//   histogram.percentile(99.0);
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace linnet::bench {

class Histogram {
 public:
  /// Values from 2^40 ns on (18 minutes) are counted as that.
  static constexpr std::uint64_t kValueMax = (std::uint64_t{1} << 40) - 1;

  void add(std::uint64_t value_ns) noexcept {
    const std::uint64_t value = value_ns < kValueMax ? value_ns : kValueMax;
    ++buckets_[bucket_of(value)];
    ++count_;
    if (value > max_) max_ = value;
  }
  void clear() noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }
  /// The largest value that may be in the bucket in which `percent` per cent are reached, and never
  /// more than max(); 0 if there are none.
  [[nodiscard]] std::uint64_t percentile(double percent) const noexcept;

  /// The bucket of a value, and the largest value of a bucket.
  [[nodiscard]] static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < 2 * kHalf) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - kHalfBits - 1;
    return shift * kHalf + static_cast<std::size_t>(value >> shift);
  }
  [[nodiscard]] static constexpr std::uint64_t top_of(std::size_t bucket) noexcept {
    if (bucket < 2 * kHalf) return bucket;
    const auto shift = bucket / kHalf - 1;
    return ((bucket - shift * kHalf + 1) << shift) - 1;
  }

 private:
  static constexpr unsigned kHalfBits = 5;
  static constexpr std::size_t kHalf = std::size_t{1} << kHalfBits;
  static constexpr std::size_t kBuckets = (40 - kHalfBits + 1) * kHalf;

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace linnet::bench

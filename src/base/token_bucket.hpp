// A rate with a burst: tokens come in at `rate` per second, up to what `burst_ms` of them are.
// Spending may go below zero; the debt is what tells how long to wait. The caller says what time it
// is, and the terms may be others with each call: what is remembered is a point in time, so a debt
// stays as long as it was, and what was saved up counts at the new rate. One thread per object;
// SharedBucket is for all.
//
//   const BucketTerms terms{.rate = 100, .burst_ms = 2'000};
//   if (const auto wait_ms = bucket.spend(terms, 1, now_ms)) pause(wait_ms);
//
// Exact for rates up to 1 TiB/s (above 10^9 per second an amount is rounded up to 0.06 ns of it),
// for amounts up to 1 GiB (more counts as that), and for 17 years after the clock's start.
#pragma once

#include <atomic>
#include <cstdint>

namespace linnet {

struct BucketTerms {
  std::uint64_t rate = 0;  // per second; 0: no limit
  std::uint64_t burst_ms = 0;
};

/// 8 bytes. A new one is full.
class TokenBucket {
 public:
  /// Takes `amount` in any case; returns how long to wait until there is no debt, in ms.
  [[nodiscard]] std::uint64_t spend(const BucketTerms& terms, std::uint64_t amount,
                                    std::uint64_t now_ms) noexcept;
  /// How long a spender of `amount` would have to wait in all, in ms; takes nothing.
  [[nodiscard]] std::uint64_t ask(const BucketTerms& terms, std::uint64_t amount,
                                  std::uint64_t now_ms) const noexcept;

 private:
  std::uint64_t empty_at_ = 0;  // when it is neither in debt nor has anything, in 2^-24 ms
};

/// The same from any thread; each call is atomic, calls in a row are not.
class SharedBucket {
 public:
  [[nodiscard]] std::uint64_t spend(const BucketTerms& terms, std::uint64_t amount,
                                    std::uint64_t now_ms) noexcept;
  [[nodiscard]] std::uint64_t ask(const BucketTerms& terms, std::uint64_t amount,
                                  std::uint64_t now_ms) const noexcept;
  /// Takes `amount` only if that leaves no debt, or if the bucket is full: for those who can't
  /// wait, and who would never get what is more than a whole burst. False: nothing was taken.
  [[nodiscard]] bool try_spend(const BucketTerms& terms, std::uint64_t amount,
                               std::uint64_t now_ms) noexcept;
  /// Nothing was ever spent, or so long ago that the bucket is as full as a new one.
  [[nodiscard]] bool is_full(std::uint64_t burst_ms, std::uint64_t now_ms) const noexcept;

 private:
  std::atomic<std::uint64_t> empty_at_{0};
};

}  // namespace linnet

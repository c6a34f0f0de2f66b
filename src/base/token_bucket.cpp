// One number is enough (the Generic Cell Rate Algorithm of ATM networks): the time at which the
// bucket is just empty. In the future it is a debt; in the past it is what has been saved up since,
// at most a burst.
#include "base/token_bucket.hpp"

#include <algorithm>

namespace linnet {

namespace {

constexpr unsigned kFineBits = 24;  // of a millisecond
constexpr std::uint64_t kSecond = std::uint64_t{1000} << kFineBits;
/// So that an amount's time fits: 2^30 * 1000 * 2^24 < 2^64.
constexpr std::uint64_t kAmountMax = std::uint64_t{1} << 30;
/// Lies before the clock's start, so that what is saved up by then is no negative time; in ms.
constexpr std::uint64_t kBefore_ms = std::uint64_t{1} << 32;
/// Leaves as much again for debts.
constexpr std::uint64_t kNow_ms_max = std::uint64_t{1} << (63 - kFineBits);

constexpr std::uint64_t fine(std::uint64_t now_ms) noexcept {
  return (std::min(now_ms, kNow_ms_max) + kBefore_ms) << kFineBits;
}

constexpr std::uint64_t burst_of(std::uint64_t burst_ms) noexcept {
  return std::min(burst_ms, kBefore_ms) << kFineBits;
}

/// The time in which `amount` comes in, rounded up.
constexpr std::uint64_t time_of(std::uint64_t rate, std::uint64_t amount) noexcept {
  const std::uint64_t product = std::min(amount, kAmountMax) * kSecond;
  return product / rate + (product % rate == 0 ? 0 : 1);
}

/// When the bucket is just empty after `time` has been spent at `now`.
constexpr std::uint64_t spent(std::uint64_t empty_at, std::uint64_t burst, std::uint64_t time,
                              std::uint64_t now) noexcept {
  const std::uint64_t from = std::max(empty_at, now - burst);
  return from + std::min(time, ~std::uint64_t{0} - from);
}

constexpr std::uint64_t wait_ms(std::uint64_t empty_at, std::uint64_t now) noexcept {
  if (empty_at <= now) return 0;
  return ((empty_at - now - 1) >> kFineBits) + 1;
}

}  // namespace

std::uint64_t TokenBucket::spend(const BucketTerms& terms, std::uint64_t amount,
                                 std::uint64_t now_ms) noexcept {
  if (terms.rate == 0) return 0;
  const std::uint64_t now = fine(now_ms);
  empty_at_ = spent(empty_at_, burst_of(terms.burst_ms), time_of(terms.rate, amount), now);
  return wait_ms(empty_at_, now);
}

std::uint64_t TokenBucket::ask(const BucketTerms& terms, std::uint64_t amount,
                               std::uint64_t now_ms) const noexcept {
  return TokenBucket(*this).spend(terms, amount, now_ms);
}

std::uint64_t SharedBucket::spend(const BucketTerms& terms, std::uint64_t amount,
                                  std::uint64_t now_ms) noexcept {
  if (terms.rate == 0) return 0;
  const std::uint64_t now = fine(now_ms);
  const std::uint64_t burst = burst_of(terms.burst_ms);
  const std::uint64_t time = time_of(terms.rate, amount);
  std::uint64_t before = empty_at_.load(std::memory_order_relaxed);
  std::uint64_t after = 0;
  do {
    after = spent(before, burst, time, now);
  } while (!empty_at_.compare_exchange_weak(before, after, std::memory_order_relaxed));
  return wait_ms(after, now);
}

std::uint64_t SharedBucket::ask(const BucketTerms& terms, std::uint64_t amount,
                                std::uint64_t now_ms) const noexcept {
  if (terms.rate == 0) return 0;
  const std::uint64_t now = fine(now_ms);
  const std::uint64_t empty_at = empty_at_.load(std::memory_order_relaxed);
  return wait_ms(spent(empty_at, burst_of(terms.burst_ms), time_of(terms.rate, amount), now), now);
}

bool SharedBucket::try_spend(const BucketTerms& terms, std::uint64_t amount,
                             std::uint64_t now_ms) noexcept {
  if (terms.rate == 0) return true;
  const std::uint64_t now = fine(now_ms);
  const std::uint64_t time = time_of(terms.rate, amount);
  // Long enough for the amount itself, but never longer than the clock can say.
  const std::uint64_t burst = std::min(std::max(burst_of(terms.burst_ms), time), now);
  std::uint64_t before = empty_at_.load(std::memory_order_relaxed);
  std::uint64_t after = 0;
  do {
    after = spent(before, burst, time, now);
    if (after > now) return false;
  } while (!empty_at_.compare_exchange_weak(before, after, std::memory_order_relaxed));
  return true;
}

bool SharedBucket::is_full(std::uint64_t burst_ms, std::uint64_t now_ms) const noexcept {
  return empty_at_.load(std::memory_order_relaxed) <= fine(now_ms) - burst_of(burst_ms);
}

}  // namespace linnet

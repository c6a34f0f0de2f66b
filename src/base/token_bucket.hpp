// A rate with a burst: tokens come in at `rate` per second, up to what `burst_ms` of them are.
// Spending may go below zero; the debt is what tells how long to wait. One thread per object;
// SharedBucket is for all.
#pragma once

#include <atomic>
#include <cstdint>

namespace linnet {

struct BucketTerms {
  std::uint64_t rate = 0;  // per second; 0: no limit
  std::uint64_t burst_ms = 0;
};

/// 16 bytes.
class TokenBucket {
 public:
  /// Takes `amount` in any case; returns how long to wait until there is no debt, in ms.
  [[nodiscard]] std::uint64_t spend(const BucketTerms& terms, std::uint64_t amount,
                                    std::uint64_t now_ms) noexcept;
  /// How long a spender of `amount` would have to wait in all, in ms; takes nothing.
  [[nodiscard]] std::uint64_t ask(const BucketTerms& terms, std::uint64_t amount,
                                  std::uint64_t now_ms) const noexcept;
};

/// The same from any thread.
class SharedBucket {
 public:
  [[nodiscard]] std::uint64_t spend(const BucketTerms& terms, std::uint64_t amount,
                                    std::uint64_t now_ms) noexcept;
  [[nodiscard]] std::uint64_t ask(const BucketTerms& terms, std::uint64_t amount,
                                  std::uint64_t now_ms) const noexcept;
};

}  // namespace linnet

// A limit of the whole broker that all shards take from: connections, kept sessions. It is touched
// when a client connects or goes, never on a message's way, so one atomic number serves all shards
// exactly; the sum can't exceed the limit.
#pragma once

#include <atomic>
#include <cstdint>

namespace linnet {

class Budget {
 public:
  explicit Budget(std::int64_t size) noexcept : left_(size) {}

  [[nodiscard]] bool take() noexcept {
    if (left_.fetch_sub(1, std::memory_order_relaxed) > 0) return true;
    left_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  /// Takes one even if none is left: what exists already counts, too.
  void force() noexcept { left_.fetch_sub(1, std::memory_order_relaxed); }
  /// Makes it larger or smaller; if more is taken than fits, none is left for a while.
  void resize(std::int64_t change) noexcept { left_.fetch_add(change, std::memory_order_relaxed); }
  /// How many are free now; 0 or less: none.
  [[nodiscard]] std::int64_t left() const noexcept { return left_.load(std::memory_order_relaxed); }
  void give_back() noexcept { left_.fetch_add(1, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> left_;
};

}  // namespace linnet

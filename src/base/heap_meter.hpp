// How many bytes of the heap are in use, over all threads: what operator new has given and operator
// delete has not got back, with the allocator's own word before each piece.
//
// The operators that count are the program's (cli/counted_heap.cpp), not the library's: who embeds
// Linnet has operators of its own, and then bytes() stays 0. Any thread.
//
// A thread counts for itself and reports every kReportBytes, so that the hot path costs one
// addition to a variable of the thread; the sum is wrong by at most that much per thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace linnet {

/// Who is told when the sum has changed. Called from within operator new and delete: it must not
/// allocate, lock or throw.
class HeapWatcher {
 public:
  virtual void on_heap_change() noexcept = 0;

 protected:
  ~HeapWatcher() = default;
};

class HeapMeter {
 public:
  static constexpr std::ptrdiff_t kReportBytes = std::ptrdiff_t{32} << 10;

  /// `bytes` were taken, or given back if it is negative.
  static void count(std::ptrdiff_t bytes) noexcept {
    unreported_ += bytes;
    if (unreported_ >= kReportBytes || unreported_ <= -kReportBytes) report();
  }
  [[nodiscard]] static std::uint64_t bytes() noexcept {
    const std::int64_t sum = sum_.load(std::memory_order_relaxed);
    return sum > 0 ? static_cast<std::uint64_t>(sum) : 0;
  }
  /// One watcher at a time; null: none. No other thread allocates while the old one ends.
  static void watch(HeapWatcher* watcher) noexcept;
  /// Ends the watch of this one, if it is the one that watches.
  static void forget(HeapWatcher& watcher) noexcept;

 private:
  static void report() noexcept;

  inline static constinit thread_local std::ptrdiff_t unreported_ = 0;
  inline static constinit std::atomic<std::int64_t> sum_{0};
  inline static constinit std::atomic<HeapWatcher*> watcher_{nullptr};
};

}  // namespace linnet

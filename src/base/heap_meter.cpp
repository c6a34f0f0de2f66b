#include "base/heap_meter.hpp"

#include <utility>

namespace linnet {

void HeapMeter::report() noexcept {
  sum_.fetch_add(std::exchange(unreported_, 0), std::memory_order_relaxed);
  HeapWatcher* watcher = watcher_.load(std::memory_order_acquire);
  if (watcher != nullptr) watcher->on_heap_change();
}

void HeapMeter::watch(HeapWatcher* watcher) noexcept {
  watcher_.store(watcher, std::memory_order_release);
}

void HeapMeter::forget(HeapWatcher& watcher) noexcept {
  HeapWatcher* expected = &watcher;
  watcher_.compare_exchange_strong(expected, nullptr);
}

}  // namespace linnet

// How far the shards are with new settings: each looks at all its sessions and connections, some in
// each turn. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

namespace linnet::shard {

class ReloadProgress : public boost::intrusive_ref_counter<ReloadProgress> {
 public:
  explicit ReloadProgress(std::uint32_t shards) noexcept : left_(shards) {}

  /// A shard has looked at everything.
  void done() {
    const std::lock_guard lock(mutex_);
    if (--left_ == 0) all_.notify_all();
  }
  /// Waits until all have. A shard must not call it. False if it takes longer than `patience`.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return all_.wait_for(lock, patience, [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_;
  std::uint32_t left_;
};

using ReloadProgressPtr = boost::intrusive_ptr<ReloadProgress>;

}  // namespace linnet::shard

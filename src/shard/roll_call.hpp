// Asks all shards whether they still do their turns, and what they count: each answers a letter.
// Any thread.
//
//   const RollCallPtr call(new RollCall(post.shards()));
//   for (ShardId id = 0; id < post.shards(); ++id) post.mailbox(id).post(RollCallLetter{call});
//   if (call->wait(1s)) use(call->counters());
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "base/counters.hpp"
#include "session/settings.hpp"

namespace linnet::shard {

class RollCall : public boost::intrusive_ref_counter<RollCall> {
 public:
  explicit RollCall(std::uint32_t shards) noexcept : left_(shards) {}

  /// A shard's, once.
  void answer(const Counters& counters, const session::SettingsPtr& settings) {
    const std::lock_guard lock(mutex_);
    counters_ += counters;
    settings_ = settings;
    if (--left_ == 0) all_.notify_all();
  }
  /// Waits until all have answered. A shard must not call it. False if it takes longer than
  /// `patience`.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return all_.wait_for(lock, patience, [this] { return left_ == 0; });
  }

  /// The sum of the shards', and what the last of them goes by. Once wait() has returned true.
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
  [[nodiscard]] const session::Settings& settings() const noexcept { return *settings_; }

 private:
  std::mutex mutex_;
  std::condition_variable all_;
  std::uint32_t left_;
  Counters counters_;
  session::SettingsPtr settings_;
};

using RollCallPtr = boost::intrusive_ptr<RollCall>;

}  // namespace linnet::shard

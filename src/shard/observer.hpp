// Somebody outside who looks at what happens to messages in all shards, for a time. Shared by them
// and by the one who looks.
#pragma once

#include <vector>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include "router/router.hpp"
#include "session/watch.hpp"

namespace linnet::shard {

class Observer : public boost::intrusive_ref_counter<Observer> {
 public:
  virtual ~Observer() = default;
  /// On the thread of that shard, which it must not hold up.
  virtual void observe(router::ShardId shard, const session::WatchedStep& step) = 0;
};

using ObserverPtr = boost::intrusive_ptr<Observer>;

/// Those who look at one shard. Its thread only.
class Observers final : public session::Watch {
 public:
  explicit Observers(router::ShardId shard) noexcept : shard_(shard) {}

  void add(ObserverPtr observer) { all_.push_back(std::move(observer)); }
  void remove(const ObserverPtr& observer) { std::erase(all_, observer); }
  [[nodiscard]] bool empty() const noexcept { return all_.empty(); }

  void on_step(const session::WatchedStep& step) override {
    for (const ObserverPtr& one : all_)
      one->observe(shard_, step);
  }

 private:
  const router::ShardId shard_;
  std::vector<ObserverPtr> all_;
};

}  // namespace linnet::shard

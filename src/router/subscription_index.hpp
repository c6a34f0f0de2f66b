// Finds a subscription by its subscriber and its filter's node. Few subscriptions of one subscriber
// are just walked; a subscriber with many has them in one table for all. Without it, clients that
// all subscribe to the same thousands of filters would be looked for among each other.
//
// Private to this room.
#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/unordered/unordered_flat_set.hpp>

#include "router/router.hpp"
#include "router/subscription.hpp"

namespace linnet::router {

class SubscriptionIndex {
 public:
  /// So many subscriptions of one subscriber are walked.
  static constexpr std::uint32_t kFew = 32;

  /// The subscription that stands in both lists; null if there is none.
  [[nodiscard]] Subscription* find(const TrieNode& node, NodeIndex index,
                                   const SubscriptionList& list) const noexcept;
  /// After a subscription was linked to `list` as its first.
  void on_linked(SubscriptionList& list);
  /// After it was unlinked.
  void on_unlinked(Subscription& subscription, SubscriptionList& list) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return table_.size(); }

 private:
  struct Probe {
    const Subscriber* subscriber;
    NodeIndex node;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const Probe& probe) const noexcept {
      return reinterpret_cast<std::uintptr_t>(probe.subscriber) +
             std::size_t{probe.node} * static_cast<std::size_t>(0x9E37'79B9'7F4A'7C15ULL);
    }
    std::size_t operator()(const Subscription* one) const noexcept {
      return (*this)(Probe{one->subscriber, one->node});
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Subscription* a, const Subscription* b) const noexcept { return a == b; }
    bool operator()(const Probe& probe, const Subscription* one) const noexcept {
      return probe.subscriber == one->subscriber && probe.node == one->node;
    }
    bool operator()(const Subscription* one, const Probe& probe) const noexcept {
      return (*this)(probe, one);
    }
  };

  boost::unordered_flat_set<Subscription*, Hash, Equal> table_;
};

}  // namespace linnet::router

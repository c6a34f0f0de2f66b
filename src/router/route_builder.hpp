// From the nodes that match a topic to its route: whoever subscribes there, each named once.
// Private to this room.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

#include "router/router.hpp"
#include "router/subscription.hpp"
#include "router/trie.hpp"

namespace linnet::router {

class RouteBuilder {
 public:
  /// The route of all subscriptions and interests in `nodes`. Subscriptions of one subscriber
  /// become one target: the highest QoS, all subscription identifiers in the order of the nodes,
  /// Retain As Published if one has it. Only those with No Local stay apart from those without.
  /// Valid until the next call.
  [[nodiscard]] const Route& build(const Trie& trie, std::span<const NodeIndex> nodes);
  /// Gives back memory that an unusually large route took.
  void trim();

 private:
  struct TargetId {
    std::uint32_t target;
    std::uint32_t id;
  };

  void take_all(const TrieNode& node);
  void merge(const Subscription& subscription);
  [[nodiscard]] std::uint32_t target_for(const Subscription& subscription);
  void place_ids();

  Route route_;
  std::vector<TargetId> ids_;  // of the targets, as they were met
  // The targets by subscriber and No Local; empty while they are few.
  boost::unordered_flat_map<std::uintptr_t, std::uint32_t> index_;
};

}  // namespace linnet::router

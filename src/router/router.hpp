// The router: from a topic name to the local subscribers and the other shards that want it.
//
// Subscriptions live in a trie of topic filters. Looking a topic up in it costs a walk over its
// levels, so that the answers are kept as routes in a cache that is bounded in bytes. A change of
// subscriptions makes only those routes stale whose topic the changed filter matches.
//
// One shard's thread only. Filters given here are valid ones and without `$share/group/`.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.hpp"
#include "base/topic.hpp"
#include "router/subscriber.hpp"

namespace linnet::router {

/// Another shard, by number. A broker has at most 64.
using ShardId = std::uint32_t;
using ShardMask = std::uint64_t;
inline constexpr ShardId kShardsMax = 64;

/// What one subscription asks for.
struct SubscriptionTerms {
  std::uint32_t id = 0;  // Subscription Identifier; 0: none
  Qos qos = Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;

  bool operator==(const SubscriptionTerms&) const = default;
};

struct Subscription;

/// All subscriptions of one subscriber, which owns the list; empty, it is one pointer. It must be
/// emptied with Router::unsubscribe before it dies.
struct SubscriptionList {
  Subscription* first = nullptr;
  std::uint32_t size = 0;
  bool is_indexed = false;  // the router's own mark: it has many
};

/// What a topic name resolves to.
struct Route {
  std::vector<Target> targets;     // one per subscriber and No Local setting
  std::vector<std::uint32_t> ids;  // subscription identifiers of all targets
  ShardMask shards = 0;            // other shards with an interest

  [[nodiscard]] std::span<const std::uint32_t> ids_of(const Target& target) const noexcept {
    return {ids.data() + target.ids_begin, target.ids_count};
  }
};

struct RouterOptions {
  std::size_t cache_bytes_max = 4 << 20;
};

class Router {
 public:
  explicit Router(const RouterOptions& options = {});
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  ~Router();

  struct Subscribed {
    Subscription* subscription = nullptr;
    bool existed = false;  // the terms of an existing subscription were replaced (MQTT-3.8.4-3)
    bool first = false;    // no other local subscriber has this filter: tell the other shards
  };
  Subscribed subscribe(std::string_view filter, const SubscriptionTerms& terms,
                       Subscriber& subscriber, SubscriptionList& list);

  /// Ends a subscription of `list`. True if no local subscriber has its filter any more: the other
  /// shards' interest in this one is over.
  bool unsubscribe(Subscription& subscription, SubscriptionList& list);
  [[nodiscard]] Subscription* find(std::string_view filter, const SubscriptionList& list);
  /// The filter of a subscription, put together from the trie.
  [[nodiscard]] std::string filter_of(const Subscription& subscription) const;
  [[nodiscard]] static const SubscriptionTerms& terms_of(const Subscription& subscription) noexcept;
  [[nodiscard]] static Subscription* next_of(const Subscription& subscription) noexcept;

  /// Notes that another shard has, or no longer has, a subscriber to a filter.
  void set_interest(std::string_view filter, ShardId shard, bool interested);
  /// Calls for each filter that a local subscriber has.
  void for_each_local_filter(FunctionRef<void(std::string_view)> visit) const;

  /// Who wants this topic. Valid until the next call of a function that is not const.
  [[nodiscard]] const Route& route(std::string_view topic);

  [[nodiscard]] std::size_t subscriptions() const noexcept;
  /// Nodes of the trie: 0 when there is neither a subscription nor an interest.
  [[nodiscard]] std::size_t nodes() const noexcept;
  [[nodiscard]] std::size_t cache_bytes() const noexcept;
  /// Another bound for the cache of routes, in bytes.
  void limit_cache(std::size_t bytes_max);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::router

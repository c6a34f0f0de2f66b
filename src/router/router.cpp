#include "router/router.hpp"

#include "base/assert.hpp"
#include "base/hash.hpp"
#include "base/random.hpp"
#include "base/topic.hpp"
#include "router/change_log.hpp"
#include "router/route_builder.hpp"
#include "router/route_cache.hpp"
#include "router/subscription.hpp"
#include "router/subscription_index.hpp"
#include "router/trie.hpp"

namespace linnet::router {

namespace {

void link(Subscription& subscription, TrieNode& node, SubscriptionList& list) noexcept {
  subscription.next_in_node = node.first;
  if (node.first != nullptr) node.first->previous_in_node = &subscription;
  node.first = &subscription;
  subscription.next_in_list = list.first;
  if (list.first != nullptr) list.first->previous_in_list = &subscription;
  list.first = &subscription;
  ++list.size;
}

void unlink(const Subscription& subscription, TrieNode& node, SubscriptionList& list) noexcept {
  Subscription* before = subscription.previous_in_node;
  Subscription* after = subscription.next_in_node;
  (before != nullptr ? before->next_in_node : node.first) = after;
  if (after != nullptr) after->previous_in_node = before;
  before = subscription.previous_in_list;
  after = subscription.next_in_list;
  (before != nullptr ? before->next_in_list : list.first) = after;
  if (after != nullptr) after->previous_in_list = before;
  --list.size;
}

}  // namespace

struct Router::Impl {
  explicit Impl(const RouterOptions& options) : cache(options.cache_bytes_max) {}

  /// Makes the routes stale that a filter's subscriptions are part of.
  void changed(std::string_view filter);
  void changed(NodeIndex node);
  [[nodiscard]] const Route& build(std::string_view topic, std::uint64_t hash);

  const std::uint64_t seed = Random().u64();
  Trie trie{seed};
  RouteCache cache;
  ChangeLog changes;
  RouteBuilder builder;
  SubscriptionIndex index;
  std::size_t subscriptions = 0;
  std::vector<NodeIndex> matches;  // kept for their memory
  std::string filter;
};

void Router::Impl::changed(std::string_view changed_filter) {
  if (cache.empty()) return;
  if (has_wildcard(changed_filter)) {
    changes.add(changed_filter);
    return;
  }
  CachedRoute* entry = cache.find(changed_filter, hash64(changed_filter, seed));
  if (entry != nullptr) cache.erase(*entry);
}

void Router::Impl::changed(NodeIndex node) {
  if (cache.empty()) return;
  trie.filter_of(node, filter);
  changed(filter);
}

const Route& Router::Impl::build(std::string_view topic, std::uint64_t hash) {
  trie.match(topic, matches);
  const Route& route = builder.build(trie, matches);
  const CachedRoute* entry = cache.insert(topic, hash, route, changes.now());
  if (entry == nullptr) return route;
  builder.trim();
  return entry->route;
}

Router::Router(const RouterOptions& options) : impl_(std::make_unique<Impl>(options)) {}

Router::~Router() {
  impl_->trie.for_each_wanted([](NodeIndex, const TrieNode& node) {
    for (const Subscription* each = node.first; each != nullptr;) {
      const Subscription* next = each->next_in_node;
      delete each;
      each = next;
    }
  });
}

Router::Subscribed Router::subscribe(std::string_view filter, const SubscriptionTerms& terms,
                                     Subscriber& subscriber, SubscriptionList& list) {
  LINNET_ASSERT(list.first == nullptr || list.first->subscriber == &subscriber);
  const NodeIndex index = impl_->trie.obtain(filter);
  TrieNode& node = impl_->trie.at(index);
  Subscription* existing = impl_->index.find(node, index, list);
  if (existing != nullptr) {
    if (existing->terms != terms) impl_->changed(filter);
    existing->terms = terms;
    return {existing, true, false};
  }
  const bool first = node.first == nullptr;
  auto owned = std::make_unique<Subscription>();
  owned->subscriber = &subscriber;
  owned->terms = terms;
  owned->node = index;
  link(*owned, node, list);
  impl_->index.on_linked(list);
  ++impl_->subscriptions;
  impl_->changed(filter);
  return {owned.release(), false, first};
}

bool Router::unsubscribe(Subscription& subscription, SubscriptionList& list) {
  LINNET_ASSERT(list.size > 0);
  const std::unique_ptr<Subscription> owned(&subscription);
  const NodeIndex index = subscription.node;
  TrieNode& node = impl_->trie.at(index);
  impl_->changed(index);
  unlink(subscription, node, list);
  impl_->index.on_unlinked(subscription, list);
  --impl_->subscriptions;
  const bool last = node.first == nullptr;
  impl_->trie.prune(index);
  return last;
}

Subscription* Router::find(std::string_view filter, const SubscriptionList& list) {
  const NodeIndex index = impl_->trie.find(filter);
  return index == kNoNode ? nullptr : impl_->index.find(impl_->trie.at(index), index, list);
}

std::string Router::filter_of(const Subscription& subscription) const {
  std::string filter;
  impl_->trie.filter_of(subscription.node, filter);
  return filter;
}

const SubscriptionTerms& Router::terms_of(const Subscription& subscription) noexcept {
  return subscription.terms;
}

Subscription* Router::next_of(const Subscription& subscription) noexcept {
  return subscription.next_in_list;
}

void Router::set_interest(std::string_view filter, ShardId shard, bool interested) {
  LINNET_ASSERT(shard < kShardsMax);
  const NodeIndex index = interested ? impl_->trie.obtain(filter) : impl_->trie.find(filter);
  if (index == kNoNode) return;
  TrieNode& node = impl_->trie.at(index);
  const ShardMask bit = ShardMask{1} << shard;
  const ShardMask interest = interested ? node.interest | bit : node.interest & ~bit;
  if (interest == node.interest) return;
  node.interest = interest;
  impl_->changed(filter);
  impl_->trie.prune(index);
}

void Router::for_each_local_filter(FunctionRef<void(std::string_view)> visit) const {
  std::string filter;
  impl_->trie.for_each_wanted([&](NodeIndex index, const TrieNode& node) {
    if (node.first == nullptr) return;
    impl_->trie.filter_of(index, filter);
    visit(filter);
  });
}

const Route& Router::route(std::string_view topic) {
  Impl& impl = *impl_;
  const std::uint64_t hash = hash64(topic, impl.seed);
  CachedRoute* entry = impl.cache.find(topic, hash);
  if (entry == nullptr) return impl.build(topic, hash);
  entry->used = true;
  const std::uint64_t now = impl.changes.now();
  if (entry->right_at == now) return entry->route;
  if (!impl.changes.concerns(topic, entry->prefixes, entry->right_at)) {
    entry->right_at = now;
    return entry->route;
  }
  impl.cache.erase(*entry);
  return impl.build(topic, hash);
}

std::size_t Router::subscriptions() const noexcept {
  return impl_->subscriptions;
}

std::size_t Router::nodes() const noexcept {
  return impl_->trie.size();
}

void Router::limit_cache(std::size_t bytes_max) {
  impl_->cache.limit(bytes_max);
}

std::size_t Router::cache_bytes() const noexcept {
  return impl_->cache.bytes();
}

}  // namespace linnet::router

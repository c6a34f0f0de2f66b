#include "router/route_builder.hpp"

#include <limits>

namespace linnet::router {

namespace {

constexpr std::size_t kFewTargets = 32;
constexpr std::size_t kTrimTargets = 4096;
constexpr auto kIdsMax = std::numeric_limits<std::uint16_t>::max();

std::uintptr_t key_of(const Subscriber* subscriber, bool no_local) noexcept {
  // Objects with a virtual function never stand at odd addresses.
  return reinterpret_cast<std::uintptr_t>(subscriber) | (no_local ? 1U : 0U);
}

Target target_of(const Subscription& subscription) noexcept {
  Target target;
  target.subscriber = subscription.subscriber;
  target.qos = subscription.terms.qos;
  target.no_local = subscription.terms.no_local;
  target.retain_as_published = subscription.terms.retain_as_published;
  return target;
}

}  // namespace

const Route& RouteBuilder::build(const Trie& trie, std::span<const NodeIndex> nodes) {
  route_.targets.clear();
  route_.ids.clear();
  route_.shards = 0;
  const TrieNode* last = nullptr;
  std::size_t with_subscriptions = 0;
  for (const NodeIndex index : nodes) {
    const TrieNode& node = trie.at(index);
    route_.shards |= node.interest;
    if (node.first == nullptr) continue;
    last = &node;
    ++with_subscriptions;
  }
  if (with_subscriptions == 0) return route_;
  if (with_subscriptions == 1) {
    take_all(*last);
    return route_;
  }
  ids_.clear();
  index_ = {};
  for (const NodeIndex index : nodes) {
    for (const auto* each = trie.at(index).first; each != nullptr; each = each->next_in_node) {
      merge(*each);
    }
  }
  place_ids();
  return route_;
}

void RouteBuilder::trim() {
  if (route_.targets.capacity() <= kTrimTargets) return;
  route_ = {};
  ids_ = {};
  index_ = {};
}

void RouteBuilder::take_all(const TrieNode& node) {
  // One node holds each subscriber once: there is nothing to merge.
  for (const auto* each = node.first; each != nullptr; each = each->next_in_node) {
    Target& target = route_.targets.emplace_back(target_of(*each));
    if (each->terms.id == 0) continue;
    target.ids_begin = static_cast<std::uint32_t>(route_.ids.size());
    target.ids_count = 1;
    route_.ids.push_back(each->terms.id);
  }
}

void RouteBuilder::merge(const Subscription& subscription) {
  const std::uint32_t index = target_for(subscription);
  Target& target = route_.targets[index];
  target.qos = max(target.qos, subscription.terms.qos);
  target.retain_as_published |= subscription.terms.retain_as_published;
  if (subscription.terms.id == 0 || target.ids_count == kIdsMax) return;
  ++target.ids_count;
  ids_.push_back({index, subscription.terms.id});
}

std::uint32_t RouteBuilder::target_for(const Subscription& subscription) {
  auto& targets = route_.targets;
  const auto next = static_cast<std::uint32_t>(targets.size());
  const bool no_local = subscription.terms.no_local;
  if (targets.size() < kFewTargets) {
    for (std::uint32_t index = 0; index < next; ++index) {
      const Target& target = targets[index];
      if (target.subscriber == subscription.subscriber && target.no_local == no_local) return index;
    }
    targets.push_back(target_of(subscription));
    return next;
  }
  if (index_.empty()) {
    for (std::uint32_t index = 0; index < next; ++index) {
      index_.emplace(key_of(targets[index].subscriber, targets[index].no_local), index);
    }
  }
  const auto [found, added] = index_.try_emplace(key_of(subscription.subscriber, no_local), next);
  if (added) targets.push_back(target_of(subscription));
  return found->second;
}

void RouteBuilder::place_ids() {
  std::uint32_t end = 0;
  for (Target& target : route_.targets) {
    if (target.ids_count == 0) continue;
    target.ids_begin = end;
    end += target.ids_count;
    target.ids_count = 0;
  }
  route_.ids.resize(end);
  for (const auto& [index, id] : ids_) {
    Target& target = route_.targets[index];
    route_.ids[target.ids_begin + target.ids_count++] = id;
  }
}

}  // namespace linnet::router

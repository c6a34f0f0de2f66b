// A router beside the simplest thing that could do its work: a list of subscriptions, each compared
// with topic_matches(). Both are driven alike, and describe the route of a topic as text.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/topic.hpp"
#include "router/router.hpp"

namespace linnet::router {

class SilentSubscriber final : public Subscriber {
 public:
  void deliver(Publication&, const Target&, std::span<const std::uint32_t>, Delivering&) override {}
  [[nodiscard]] bool durable() const noexcept override { return false; }
};

class RouterModel {
 public:
  static constexpr std::size_t kSubscribers = 24;

  explicit RouterModel(std::size_t cache_bytes_max) : router_({cache_bytes_max}) {}
  ~RouterModel() {
    for (std::size_t who = 0; who < kSubscribers; ++who)
      unsubscribe_all(who);
  }
  RouterModel(const RouterModel&) = delete;
  RouterModel& operator=(const RouterModel&) = delete;

  [[nodiscard]] Router& router() noexcept { return router_; }

  /// True if the router's answer is the one that the list gives.
  bool subscribe(std::size_t who, const std::string& filter, const SubscriptionTerms& terms) {
    const bool existed = held_.contains({filter, who});
    const bool first = !has_local(filter);
    held_[{filter, who}] = terms;
    const auto done = router_.subscribe(filter, terms, subscribers_[who], lists_[who]);
    return done.existed == existed && done.first == (first && !existed) &&
           router_.filter_of(*done.subscription) == filter;
  }
  bool unsubscribe(std::size_t who, const std::string& filter) {
    const bool held = held_.erase({filter, who}) > 0;
    Subscription* found = router_.find(filter, lists_[who]);
    if ((found != nullptr) != held) return false;
    return found == nullptr || router_.unsubscribe(*found, lists_[who]) == !has_local(filter);
  }
  void unsubscribe_all(std::size_t who) {
    while (lists_[who].first != nullptr) {
      held_.erase({router_.filter_of(*lists_[who].first), who});
      router_.unsubscribe(*lists_[who].first, lists_[who]);
    }
  }
  void set_interest(const std::string& filter, ShardId shard, bool interested) {
    ShardMask& mask = interest_[filter];
    mask = interested ? mask | ShardMask{1} << shard : mask & ~(ShardMask{1} << shard);
    router_.set_interest(filter, shard, interested);
  }
  void clear() {
    for (std::size_t who = 0; who < kSubscribers; ++who)
      unsubscribe_all(who);
    for (const auto& [filter, mask] : interest_) {
      for (ShardId shard = 0; shard < kShardsMax; ++shard) {
        router_.set_interest(filter, shard, false);
      }
    }
    interest_.clear();
  }

  [[nodiscard]] std::string expected(std::string_view topic) const {
    std::map<Key, Value> targets;
    for (const auto& [name, terms] : held_) {
      if (!topic_matches(name.first, topic)) continue;
      Value& value = targets[{name.second, terms.no_local}];
      value.qos = max(value.qos, terms.qos);
      value.retain_as_published |= terms.retain_as_published;
      if (terms.id != 0) value.ids.push_back(terms.id);
    }
    ShardMask shards = 0;
    for (const auto& [filter, mask] : interest_) {
      if (topic_matches(filter, topic)) shards |= mask;
    }
    return text_of(targets, shards);
  }
  [[nodiscard]] std::string actual(std::string_view topic) {
    const Route& route = router_.route(topic);
    std::map<Key, Value> targets;
    for (const Target& target : route.targets) {
      const auto who = static_cast<const SilentSubscriber*>(target.subscriber) - &subscribers_[0];
      const auto ids = route.ids_of(target);
      const auto added =
          targets.emplace(Key{static_cast<std::size_t>(who), target.no_local},
                          Value{target.qos, target.retain_as_published, {ids.begin(), ids.end()}});
      if (!added.second) return "a target stands twice";
    }
    return text_of(targets, route.shards);
  }
  [[nodiscard]] std::size_t size() const noexcept { return held_.size(); }

 private:
  using Key = std::pair<std::size_t, bool>;  // subscriber, No Local
  struct Value {
    Qos qos = Qos::at_most_once;
    bool retain_as_published = false;
    std::vector<std::uint32_t> ids;
  };

  [[nodiscard]] bool has_local(const std::string& filter) const {
    const auto found = held_.lower_bound({filter, 0});
    return found != held_.end() && found->first.first == filter;
  }
  [[nodiscard]] static std::string text_of(std::map<Key, Value>& targets, ShardMask shards) {
    std::string text = "shards " + std::to_string(shards);
    for (auto& [key, value] : targets) {
      std::sort(value.ids.begin(), value.ids.end());
      text += "; " + std::to_string(key.first) + (key.second ? " no_local" : "") + " qos " +
              std::to_string(static_cast<int>(value.qos)) +
              (value.retain_as_published ? " retain" : "") + " ids";
      for (const auto id : value.ids)
        text += " " + std::to_string(id);
    }
    return text;
  }

  std::array<SilentSubscriber, kSubscribers> subscribers_;
  std::array<SubscriptionList, kSubscribers> lists_;
  Router router_;
  std::map<std::pair<std::string, std::size_t>, SubscriptionTerms> held_;
  std::map<std::string, ShardMask> interest_;
};

}  // namespace linnet::router

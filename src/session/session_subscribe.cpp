// Subscriptions of one session (MQTT 5.0, sections 3.8 to 3.11 and 4.8).
#include <algorithm>
#include <iterator>

#include "mqtt/packet.hpp"
#include "session/session.hpp"

namespace linnet::session {

namespace {

std::uint8_t options_byte(const router::SubscriptionTerms& terms) noexcept {
  const unsigned byte = static_cast<unsigned>(terms.qos) | (terms.no_local ? 4U : 0U) |
                        (terms.retain_as_published ? 8U : 0U) |
                        (static_cast<unsigned>(terms.retain_handling) << 4);
  return static_cast<std::uint8_t>(byte);
}

ReasonCode granted(Qos qos) noexcept {
  return static_cast<ReasonCode>(qos);
}

std::string shared_name(std::string_view group, std::string_view filter) {
  std::string name("$share/");
  name.append(group).append("/").append(filter);
  return name;
}

}  // namespace

ReasonCode Session::subscribe(std::string_view text, const router::SubscriptionTerms& terms,
                              OperationId operation) {
  const auto [parts, valid] = split_shared_filter(text);
  const TopicLimits limits{services_.limits().topic_length_max,
                           services_.limits().topic_levels_max};
  if (!valid || !is_topic_filter(parts.filter, limits)) return ReasonCode::topic_filter_invalid;
  const std::size_t count = subscriptions_.size + memberships_.size();
  if (!parts.group.empty()) {
    if (find_membership(parts.group, parts.filter) == nullptr &&
        count >= services_.limits().subscriptions_max) {
      return ReasonCode::quota_exceeded;
    }
    return subscribe_shared(parts.group, parts.filter, terms, operation);
  }
  if (count >= services_.limits().subscriptions_max &&
      services_.router.find(text, subscriptions_) == nullptr) {
    return ReasonCode::quota_exceeded;
  }
  const auto* before = kept() ? services_.router.find(text, subscriptions_) : nullptr;
  if (kept()) {
    note_unconfirmed(text, before == nullptr ? nullptr : &router::Router::terms_of(*before),
                     operation);
  }
  const auto added = services_.router.subscribe(text, terms, *this, subscriptions_);
  if (!added.existed) ++services_.counters.subscriptions;
  save_subscription(text, terms, operation);
  const bool replay = terms.retain_handling == 0 || (terms.retain_handling == 1 && !added.existed);
  if (replay && services_.limits().retain_available) {
    start_replay(text, terms, operation);
  } else if (replays_) {
    replays_->change(std::string(text), terms);
  }
  services_.peers.spread_interest(text, added.first, operation);
  return granted(terms.qos);
}

void Session::save_subscription(std::string_view filter, const router::SubscriptionTerms& terms,
                                OperationId operation) {
  if (!kept()) return;
  services_.peers.save(
      store::PutSubscription{number_, std::string(filter), terms.id, options_byte(terms)},
      operation);
}

void Session::note_unconfirmed(std::string_view filter, const router::SubscriptionTerms* before,
                               OperationId operation) {
  if (!unconfirmed_) unconfirmed_ = std::make_unique<std::vector<Unconfirmed>>();
  Unconfirmed change{operation, std::string(filter), std::nullopt};
  if (before != nullptr) change.before = *before;
  change.number = ++last_unconfirmed_;
  unconfirmed_->push_back(std::move(change));
}

/// A SUBSCRIBE has been answered by the store.
void Session::confirm(OperationId operation, bool accepted) {
  const auto concerned = std::stable_partition(
      unconfirmed_->begin(), unconfirmed_->end(),
      [&](const Unconfirmed& change) { return change.operation != operation; });
  std::vector<Unconfirmed> changes(std::make_move_iterator(concerned),
                                   std::make_move_iterator(unconfirmed_->end()));
  unconfirmed_->erase(concerned, unconfirmed_->end());
  if (unconfirmed_->empty()) unconfirmed_.reset();
  if (accepted) return;
  // The last change first: a filter may stand twice in one SUBSCRIBE.
  for (auto change = changes.rbegin(); change != changes.rend(); ++change)
    undo(*change);
}

/// The store has refused a subscription: all is as it was before the SUBSCRIBE.
void Session::undo(const Unconfirmed& change) {
  if (unconfirmed_) {
    for (Unconfirmed& later : *unconfirmed_) {
      if (later.filter != change.filter || later.number < change.number) continue;
      later.before = change.before;
      return;
    }
  }
  if (!change.before) {
    (void)unsubscribe(change.filter, 0);
    sweep_memberships();
    return;
  }
  change_terms(change.filter, *change.before);
}

/// Gives a subscription other terms, if there is still one with this filter.
void Session::change_terms(std::string_view text, const router::SubscriptionTerms& terms) {
  const auto [parts, valid] = split_shared_filter(text);
  if (!parts.group.empty()) {
    Membership* membership = find_membership(parts.group, parts.filter);
    if (membership == nullptr) return;
    membership->terms = terms;
    services_.peers.join_group(*this, *membership, 0);
  } else {
    if (services_.router.find(parts.filter, subscriptions_) == nullptr) return;
    services_.router.subscribe(parts.filter, terms, *this, subscriptions_);
    if (replays_) replays_->change(std::string(parts.filter), terms);
  }
  save_subscription(text, terms, 0);
}

/// Less than the client was granted is allowed now.
void Session::lower(const std::string& text, const router::SubscriptionTerms& terms) {
  change_terms(text, terms);
  if (!unconfirmed_) return;
  for (Unconfirmed& change : *unconfirmed_) {
    if (change.filter != text || !change.before) continue;
    change.before->qos = min(change.before->qos, terms.qos);
  }
}

void Session::start_replay(std::string_view filter, const router::SubscriptionTerms& terms,
                           OperationId operation) {
  if (!replays_) {
    replays_ = std::make_unique<Replays>();
    replays_->seed = services_.random.u64();
  }
  // A replay of the same filter that is still under way begins again, under the new terms.
  if (replays_->erase(std::string(filter))) pump_soon();  // another one may have waited for its end
  Replay replay;
  replay.operation = operation;
  replay.filter = filter;
  replay.terms = terms;
  replays_->by_filter.emplace(replay.filter, ++last_replay_);
  replays_->queue.emplace(last_replay_, std::move(replay));
  services_.peers.ask_overlays(*this, filter, last_replay_, operation);
}

ReasonCode Session::subscribe_shared(std::string_view group, std::string_view filter,
                                     const router::SubscriptionTerms& terms,
                                     OperationId operation) {
  // Retained messages are not sent for shared subscriptions (MQTT 5.0, section 4.8.2).
  Membership* membership = find_membership(group, filter);
  if (kept()) {
    note_unconfirmed(shared_name(group, filter), membership ? &membership->terms : nullptr,
                     operation);
  }
  if (membership == nullptr) {
    membership = &memberships_.add(group, filter);
    ++services_.counters.shared_subscriptions;
  }
  membership->terms = terms;
  save_subscription(shared_name(group, filter), terms, operation);
  services_.peers.join_group(*this, *membership, operation);
  return granted(terms.qos);
}

Membership* Session::find_membership(std::string_view group, std::string_view filter) {
  return memberships_.find(group, filter);
}

/// What was subscribed to may be longer than the limits of now.
ReasonCode Session::unsubscribe(std::string_view text, OperationId operation) {
  const auto [parts, valid] = split_shared_filter(text);
  constexpr std::uint16_t kAny = 65'535;
  if (!valid || !is_topic_filter(parts.filter, {kAny, kAny}))
    return ReasonCode::topic_filter_invalid;
  return remove_subscription(text, operation);
}

ReasonCode Session::remove_subscription(std::string_view text, OperationId operation) {
  const auto [parts, valid] = split_shared_filter(text);
  ReasonCode reason = ReasonCode::success;
  if (!parts.group.empty()) {
    reason = unsubscribe_shared(parts.group, parts.filter);
  } else {
    auto* subscription = services_.router.find(text, subscriptions_);
    if (subscription == nullptr) return ReasonCode::no_subscription_existed;
    if (access_) access_->review().forget(*subscription);
    --services_.counters.subscriptions;
    const bool last = services_.router.unsubscribe(*subscription, subscriptions_);
    if (last) services_.peers.withdraw_interest(text);
    // Another one may have waited for its end.
    if (replays_ && replays_->erase(std::string(text))) pump_soon();
  }
  if (reason == ReasonCode::success && number_ != 0) {
    services_.peers.save(store::EraseSubscription{number_, std::string(text)}, operation);
  }
  return reason;
}

ReasonCode Session::unsubscribe_shared(std::string_view group, std::string_view filter) {
  Membership* membership = find_membership(group, filter);
  if (membership == nullptr) return ReasonCode::no_subscription_existed;
  services_.peers.leave_group(*this, *membership);
  --services_.counters.shared_subscriptions;
  memberships_.retire(*membership);
  return ReasonCode::success;
}

void Session::sweep_memberships() {
  if (!memberships_.any_retired()) return;
  // What this member was given stays with it, but it is no longer the group's. What is offered to
  // another one right now may have to be offered again: see on_handed_back().
  bool any_lent = false;
  const auto release = [&any_lent](OwedMessage& owed) {
    if (owed.group == nullptr || !owed.group->retired) return;
    any_lent = any_lent || owed.lent;
    if (!owed.lent) owed.group = nullptr;
  };
  inflight_.for_each(release);
  backlog_.for_each(release);
  if (!any_lent) memberships_.sweep();
}

void Session::unsubscribe_all() {
  if (access_) access_->review().next = nullptr;
  while (subscriptions_.first != nullptr) {
    router::Subscription& subscription = *subscriptions_.first;
    const std::string filter = services_.router.filter_of(subscription);
    --services_.counters.subscriptions;
    const bool last = services_.router.unsubscribe(subscription, subscriptions_);
    if (last) services_.peers.withdraw_interest(filter);
  }
  services_.counters.shared_subscriptions -= memberships_.size();
}

bool Session::has_subscription(std::string_view text) {
  const auto [parts, valid] = split_shared_filter(text);
  if (!valid) return false;
  if (!parts.group.empty()) return find_membership(parts.group, parts.filter) != nullptr;
  return services_.router.find(text, subscriptions_) != nullptr;
}

}  // namespace linnet::session

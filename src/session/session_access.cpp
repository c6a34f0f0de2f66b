// Who a session belongs to, and what its client may do.
#include <algorithm>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "session/connection.hpp"

namespace linnet::session {

namespace {

/// Of how many subscriptions a client that comes back waits for the review; the rest follows.
constexpr std::size_t kFirstReview = 64;

/// What an Access that goes leaves to the next one.
std::unique_ptr<HandingOn> unfinished(Access* access) {
  if (access == nullptr || !access->review().handing_on) return nullptr;
  auto on = std::move(access->review().handing_on);
  for (auto& [group, range] : on->groups)
    range.after = std::max(range.after, on->left.after);
  return on;
}

}  // namespace

void Session::belong_to(std::unique_ptr<auth::Identity> identity, auth::AccountPtr account,
                        auth::UserPlaces& places) {
  if (account != account_) {
    if (kept_counted_) count_session(-1);
    account_ = std::move(account);
    if (kept_counted_ && !places.session.hand_on()) count_session(1);
  }
  if (account_ && !places.connection.hand_on()) ++account_->connections;
  auto handing_on = unfinished(access_.get());
  access_.reset();  // it refers to the identity of before
  identity_ = std::move(identity);
  identity_known_ = true;
  renew_access();
  if (access_) access_->review().handing_on = std::move(handing_on);
  review_first();
}

void Session::count_session(int change) noexcept {
  if (account_) account_->sessions += static_cast<std::uint32_t>(change);
}

Access* Session::access() {
  const auth::PolicyPtr& policy = services_.policy();
  if (!access_) {
    if (policy->rules().empty() || !identity_known_) return nullptr;
    renew_access();
  } else if (access_->policy() != policy) {
    renew_access();
  }
  return access_.get();
}

void Session::renew_access() {
  auto handing_on = unfinished(access_.get());
  access_.reset();
  const auth::Rules& rules = services_.policy()->rules();
  if (!identity_ && !rules.empty()) identity_ = std::make_unique<const auth::Identity>();
  if (!identity_ || !rules.concern(*identity_)) {
    if (handing_on) pump_soon();  // it has waited for that
    return;
  }
  access_ = std::make_unique<Access>(services_.policy(), *identity_, client_id());
  access_->review().handing_on = std::move(handing_on);
}

auth::Decision Session::judge_filter(Access& access, std::string_view filter, Qos qos) {
  const auto [parts, valid] = split_shared_filter(filter);
  if (!valid) return {};  // refused for that
  using Verdict = auth::Decision::Verdict;
  const bool shared = !parts.group.empty();
  auto decision = access.decide_filter(parts.filter, shared, qos);
  if (decision.verdict == Verdict::partly) {
    // A message that is given to a member is the group's only one: it must not be withheld.
    if (shared)
      decision.verdict = Verdict::denied;
    else
      access.filter_messages();
  }
  return decision;
}

/// The client is back, or new. What a member of a group is given can't be withheld later: all its
/// memberships are looked at before it is one that is connected.
void Session::review_first() {
  std::size_t budget = kFirstReview + memberships_.size();
  if (!review(budget)) review_soon();
}

void Session::review_soon() {
  if (review_waits_ || ended_) return;
  review_waits_ = true;
  services_.peers.review_later(*this);
}

bool Session::review_memberships(std::size_t& budget) {
  using State = SubscriptionReview::State;
  if (!identity_known_ || ended_) return true;
  if (!access_ || access_->policy() != services_.policy()) renew_access();
  if (!access_ || access_->review().state == State::done) return true;
  SubscriptionReview& review = access_->review();
  if (std::exchange(review.state, State::running) == State::due) {
    review.next = subscriptions_.first;
    memberships_.for_each([&](const Membership& one) {
      review.shared.push_back(cat("$share/", one.group, '/', one.filter));
    });
  }
  for (; !review.shared.empty() && budget > 0; --budget) {
    const std::string filter = std::move(review.shared.back());
    review.shared.pop_back();
    const auto [parts, valid] = split_shared_filter(filter);
    const Membership* membership = find_membership(parts.group, parts.filter);
    if (membership != nullptr) review_filter(filter, membership->terms);
  }
  sweep_memberships();
  return review.shared.empty();
}

bool Session::review(std::size_t& budget) {
  using State = SubscriptionReview::State;
  const bool members_are_done = review_memberships(budget);
  if (!identity_known_ || ended_ || !access_ || access_->review().state == State::done) {
    review_waits_ = false;
    return true;
  }
  if (!members_are_done) return false;
  SubscriptionReview& review = access_->review();
  for (; review.next != nullptr && budget > 0; --budget) {
    const router::Subscription& one = *review.next;
    review.next = router::Router::next_of(one);
    review_filter(services_.router.filter_of(one), router::Router::terms_of(one));
  }
  if (review.next != nullptr) return false;
  if (review.handing_on) {
    const HandedOn handed_on = hand_on_some(budget);
    if (handed_on == HandedOn::some) return false;
    review_waits_ = false;
    if (handed_on == HandedOn::waits) return true;
    review.handing_on.reset();
    pump_soon();
  }
  // What was queued under other rules is asked about before it is sent.
  if (owes()) access_->filter_messages();
  review.state = State::done;
  review_waits_ = false;
  return true;
}

void Session::review_filter(const std::string& filter, router::SubscriptionTerms terms) {
  const auto decision = judge_filter(*access_, filter, terms.qos);
  if (decision.denied()) return end_subscription(filter, decision);
  if (terms.qos <= decision.qos_max) return;
  terms.qos = decision.qos_max;
  lower(filter, terms);
}

void Session::end_subscription(const std::string& filter, const auth::Decision& decision) {
  log_removal(filter, decision);
  access_->filter_messages();
  const auto [parts, valid] = split_shared_filter(filter);
  Membership* left = find_membership(parts.group, parts.filter);
  (void)remove_subscription(filter, 0);
  ++services_.counters.subscriptions_removed;
  if (left == nullptr) return;
  left->denied = true;
  give_away_shared(left);  // it lives on until it is swept
  hand_on_later(*left);
}

void Session::log_removal(std::string_view filter, const auth::Decision& decision) const {
  const auto verdict = services_.denial_limiter.ask(services_.now_ms());
  if (!verdict.allowed) return;
  log::info("auth", cat(name(), ": its subscription to \"", filter,
                        "\" is no longer allowed and ends: ", access_->name_of(decision),
                        more_like_it(verdict)));
}

/// Of a client that may be away.
std::string Session::name() const {
  if (connection_ != nullptr) return connection_->name();
  const std::string_view user = user_name();
  return cat("client \"", client_id(), "\" (away", user.empty() ? ")" : ") of user \"", user,
             user.empty() ? "" : "\"");
}

bool Session::owes() const noexcept {
  return !inflight_.empty() || !backlog_.empty();
}

bool Session::may_receive(std::string_view topic) {
  Access* access = this->access();
  if (access == nullptr || !access->filters_messages()) return true;
  return !access->decide({auth::Action::receive, topic, Qos::at_most_once, false, false}).denied();
}

/// The rules may have changed since the client has left its Will. After a restart nothing is known
/// of who it was but its user name.
bool Session::may_publish(const Message& will) const {
  static const auth::Identity kAnonymous;
  const auth::Rules& rules = services_.policy()->rules();
  const auth::Subject subject{identity_ ? *identity_ : kAnonymous, client_id()};
  if (!rules.concern(subject.identity)) return true;
  const MessageView view = will.view();
  const auto decision =
      rules.decide(subject, {auth::Action::publish, view.topic, view.qos, view.retain, false});
  if (!decision.denied()) return true;
  ++services_.counters.publish_denied;
  log_denied_will(view.topic, rules.name_of(subject, decision));
  return false;
}

void Session::log_denied_will(std::string_view topic, std::string_view rule) const {
  if (!log::enabled(log::Level::info, "auth")) return;
  const auto verdict = services_.denial_limiter.ask(services_.now_ms());
  if (!verdict.allowed) return;
  const std::string_view user = user_name();
  log::info("auth",
            cat(name(), user.empty() ? ", anonymous," : "", " must not publish its Will to \"",
                topic, "\": ", rule, more_like_it(verdict)));
}

}  // namespace linnet::session

// Who a session belongs to, and what its client may do.
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "session/connection.hpp"

namespace linnet::session {

void Session::belong_to(std::unique_ptr<auth::Identity> identity, auth::AccountPtr account,
                        auth::UserPlaces& places) {
  if (account != account_) {
    if (kept_counted_) count_session(-1);
    account_ = std::move(account);
    if (kept_counted_ && !places.session.hand_on()) count_session(1);
  }
  if (account_ && !places.connection.hand_on()) ++account_->connections;
  access_.reset();  // it refers to the identity of before
  identity_ = std::move(identity);
  identity_known_ = true;
  review();
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
  access_.reset();
  if (!identity_) identity_ = std::make_unique<const auth::Identity>();
  if (!services_.policy()->rules().concern(*identity_)) return;
  access_ = std::make_unique<Access>(services_.policy(), *identity_, client_id_);
  // Until the subscriptions have been looked at.
  access_->set_filters_messages(true);
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
      access.set_filters_messages(true);
  }
  return decision;
}

std::vector<std::string> Session::subscribed_filters() {
  std::vector<std::string> filters;
  for (const auto* one = subscriptions_.first; one != nullptr; one = router::Router::next_of(*one))
    filters.push_back(services_.router.filter_of(*one));
  memberships_.for_each([&](const Membership& one) {
    filters.push_back(cat("$share/", one.group, '/', one.filter));
  });
  return filters;
}

void Session::review() {
  if (!identity_known_) return;
  renew_access();
  if (!access_) return;
  access_->set_filters_messages(false);
  std::uint32_t removed = 0;
  for (const std::string& filter : subscribed_filters()) {
    const auto decision = judge_filter(*access_, filter, Qos::at_most_once);
    if (!decision.denied()) continue;
    ++removed;
    log_removal(filter, decision);
    const auto [parts, valid] = split_shared_filter(filter);
    const Membership* left = find_membership(parts.group, parts.filter);
    (void)unsubscribe(filter, 0);
    if (left != nullptr) give_away_shared(left);  // it lives on until it is swept
  }
  sweep_memberships();
  services_.counters.subscriptions_removed += removed;
  // What was queued for them is asked about before it is sent.
  if (removed > 0 || owes()) access_->set_filters_messages(true);
}

void Session::log_removal(std::string_view filter, const auth::Decision& decision) const {
  const auto verdict = services_.denial_limiter.ask(services_.now_ms());
  if (!verdict.allowed) return;
  log::info("auth", cat("client \"", client_id_, "\", user \"", user_name(),
                        "\": its subscription to \"", filter, "\" is no longer allowed and ends: ",
                        access_->name_of(decision), more_like_it(verdict)));
}

bool Session::owes() const noexcept {
  return !inflight_.empty() || !backlog_.empty();
}

bool Session::may_receive(std::string_view topic) {
  Access* access = this->access();
  if (access == nullptr || !access->filters_messages()) return true;
  return !access->decide({auth::Action::receive, topic, Qos::at_most_once, false, false}).denied();
}

/// The rules may have changed since the client has left its Will.
bool Session::may_publish(const Message& will) {
  Access* access = this->access();
  if (access == nullptr) return true;
  const MessageView view = will.view();
  return !access->decide({auth::Action::publish, view.topic, view.qos, view.retain, false})
              .denied();
}

}  // namespace linnet::session

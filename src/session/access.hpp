// What one client may do, asked of the rules and remembered: a client that publishes to the topics
// that it has published to before costs a comparison. Only clients that some rule concerns have
// one. One shard's thread only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/policy.hpp"
#include "router/router.hpp"

namespace linnet::session {

/// Memberships in shared groups that have ended, and what rests in the store for them: it is handed
/// on to other members, some at a time.
struct HandingOn {
  struct Range {
    std::uint64_t after = 0;
    std::uint64_t last = 0;
  };

  std::unordered_map<std::string, Range> groups;  // by "group/filter"
  Range left{UINT64_MAX, 0};                      // of all of them, still to be looked at
};

/// How far it is known which of a session's subscriptions its client may still have. They are
/// looked at some at a time: Session::review().
struct SubscriptionReview {
  enum class State : std::uint8_t { due, running, done };

  /// A subscription ends.
  void forget(const router::Subscription& gone) noexcept {
    if (next == &gone) next = router::Router::next_of(gone);
  }

  std::vector<std::string> shared;  // `$share/` and so on, still to be looked at; then ...
  const router::Subscription* next = nullptr;  // ... this one, and those behind it in their list
  std::unique_ptr<HandingOn> handing_on;       // last of all
  State state = State::due;
};

class Access {
 public:
  /// `identity` and `client_id` are the session's, and outlive it.
  Access(auth::PolicyPtr policy, const auth::Identity& identity,
         std::string_view client_id) noexcept
      : policy_(std::move(policy)), subject_{identity, client_id} {}

  /// Of publishing and receiving, decisions are remembered.
  [[nodiscard]] const auth::Decision& decide(const auth::Request& request);
  [[nodiscard]] auth::Decision decide_filter(std::string_view filter, bool shared, Qos qos) const;
  /// Which rule it was, for people.
  [[nodiscard]] std::string name_of(const auth::Decision& decision) const {
    return policy_->rules().name_of(subject_, decision);
  }
  [[nodiscard]] const auth::PolicyPtr& policy() const noexcept { return policy_; }

  /// Some subscription covers topics that must not be received, or may do so as far as is known:
  /// each message is asked about.
  [[nodiscard]] bool filters_messages() const noexcept {
    return filters_messages_ || review_.state != SubscriptionReview::State::done;
  }
  void filter_messages() noexcept { filters_messages_ = true; }
  [[nodiscard]] SubscriptionReview& review() noexcept { return review_; }

 private:
  /// Longer topics are asked about each time.
  static constexpr std::size_t kTopicMax = 256;
  static constexpr std::size_t kSlots = 8;

  struct Known {
    std::string topic;  // empty: nothing is known
    auth::Action action = auth::Action::publish;
    Qos qos = Qos::at_most_once;
    bool retain = false;
    auth::Decision decision;

    [[nodiscard]] bool is(const auth::Request& request) const noexcept {
      return action == request.action && qos == request.qos && retain == request.retain &&
             topic == request.topic;
    }
  };

  const auth::PolicyPtr policy_;
  const auth::Subject subject_;
  auth::Decision unremembered_;
  std::size_t last_ = 0;
  std::unique_ptr<std::array<Known, kSlots>> known_;  // made by the first question
  SubscriptionReview review_;
  bool filters_messages_ = false;
};

}  // namespace linnet::session

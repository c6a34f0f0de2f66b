// What one client may do, asked of the rules and remembered: a client that publishes to the topics
// that it has published to before costs a comparison. Only clients that some rule concerns have
// one. One shard's thread only.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "auth/policy.hpp"

namespace linnet::session {

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

  /// Some subscription covers topics that must not be received: each message is asked about.
  [[nodiscard]] bool filters_messages() const noexcept { return filters_messages_; }
  void set_filters_messages(bool value) noexcept { filters_messages_ = value; }

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
  bool filters_messages_ = false;
};

}  // namespace linnet::session

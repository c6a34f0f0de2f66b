// Who in a shared group receives the next message (MQTT 5.0, section 4.8.2). Pure: knows members by
// name, sends nothing. It lives on the group's home shard.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/message.hpp"
#include "base/random.hpp"
#include "router/router.hpp"
#include <linnet/config.hpp>

namespace linnet::router {

struct ShareMember {
  std::string client_id;
  ShardId shard = 0;  // where its session is
  SubscriptionTerms terms;
  bool connected = true;
  bool kept = false;           // its session outlives its connection
  std::uint32_t inflight = 0;  // messages given to it and not yet acknowledged
};

class ShareGroup {
 public:
  /// `property` is the User Property's name for ShareStrategy::hash_property.
  ShareGroup(ShareStrategy strategy, std::string property, std::uint64_t seed);

  /// Adds a member, or replaces all of it but its in-flight count.
  void join(ShareMember member);
  /// False if there is no such member.
  bool leave(std::string_view client_id);
  [[nodiscard]] ShareMember* find(std::string_view client_id) noexcept;
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] std::size_t size() const noexcept;

  /// Picks the member for a message: one that is connected, by the strategy; else one whose session
  /// is kept; null if there is neither. `except` is a member that must not get it (it has just
  /// handed it back), unless it is the only one. The hash strategies give one key to one member as
  /// long as that member is connected and no other joins; a message without the property is hashed
  /// by its publisher.
  [[nodiscard]] ShareMember* pick(const MessageView& message, std::string_view except = {});

 private:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);

  struct Choice {
    std::size_t except = kNobody;
    bool connected = true;  // else: those that are away and whose session is kept
  };
  [[nodiscard]] bool is_candidate(std::size_t position, const Choice& choice) const noexcept;
  /// Where a member stands or would stand.
  [[nodiscard]] std::size_t position_of(std::string_view client_id) const noexcept;
  [[nodiscard]] std::size_t pick_among(const MessageView& message, const Choice& choice);
  [[nodiscard]] std::size_t pick_next(const Choice& choice) noexcept;
  [[nodiscard]] std::size_t pick_random(const Choice& choice) noexcept;
  [[nodiscard]] std::size_t pick_sticky(const Choice& choice);
  [[nodiscard]] std::size_t pick_least_inflight(const Choice& choice) noexcept;
  [[nodiscard]] std::size_t pick_by_hash(std::uint64_t key, const Choice& choice) const noexcept;

  ShareStrategy strategy_;
  std::string property_;
  Random random_;
  std::vector<ShareMember> members_;   // sorted by client identifier
  std::vector<std::uint64_t> hashes_;  // of their identifiers, in the same order
  std::size_t next_ = 0;               // round robin
  std::string sticky_;
};

}  // namespace linnet::router

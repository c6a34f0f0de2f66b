// One application message that a session owes its client, from its delivery to the last
// acknowledgement.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/message.hpp"
#include "mqtt/packet.hpp"
#include "router/router.hpp"
#include "store/store.hpp"

namespace linnet::session {

using mqtt::PacketId;

/// A session's part in a shared group.
struct Membership {
  std::string group;
  std::string filter;
  router::SubscriptionTerms terms;
  bool retired = false;  // ended, but messages may still refer to it
  bool denied = false;   // ... by the rules: what it was given goes to other members
};

/// Under which terms a message is delivered to one session.
struct Terms {
  Qos qos = Qos::at_most_once;
  bool retain = false;  // the flag as the client will see it
  std::span<const std::uint32_t> subscription_ids;
  Membership* group = nullptr;
};

struct OwedMessage {
  enum class State : std::uint8_t {
    queued,      // in the backlog
    committing,  // has a packet identifier that is not durable yet (QoS 2 of a kept session)
    ready,       // may be sent
    sent,        // PUBLISH sent: PUBACK or PUBREC awaited
    released,    // PUBREC received: PUBCOMP awaited
    done,        // acknowledged; leaves when all before it have
  };

  MessagePtr message;  // null once released
  Membership* group = nullptr;
  /// All subscription identifiers, if there are more than one.
  std::unique_ptr<std::vector<std::uint32_t>> ids;
  std::uint64_t sequence = 0;  // rises with every message of a session; its name in the store
  std::uint64_t number = 0;    // in the in-flight window; 0: not in it. Makes the packet_id
  store::Place place;          // on its way to the store
  std::uint32_t id = 0;        // the one subscription identifier; 0: none, or see ids
  PacketId packet_id = 0;
  Qos qos = Qos::at_most_once;
  State state = State::queued;
  bool retain = false;
  bool dup = false;          // has been sent on an earlier connection
  bool stored = false;       // the store knows of it
  bool committed = false;    // ... and it can be read there
  bool marked = false;       // ... and the store knows its place in the in-flight window
  bool lent = false;         // offered to another member of its group, whose answer is awaited
  bool takes_quota = false;  // counts against the client's Receive Maximum

  [[nodiscard]] std::span<const std::uint32_t> subscription_ids() const noexcept {
    if (ids) return *ids;
    return {&id, id == 0 ? std::size_t{0} : std::size_t{1}};
  }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return message ? store::owed_bytes(message->view()) : 0;
  }
};

[[nodiscard]] OwedMessage owe(MessagePtr message, const Terms& terms);

}  // namespace linnet::session

// What happens to messages, step by step, told to whoever looks. Nobody does, mostly: then it costs
// a look at a null pointer where a message comes, where a copy leaves, and where it is
// acknowledged. Called on the shard's thread, in the middle of the work: a watch changes nothing.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/message.hpp"

namespace linnet::session {

enum class Step : std::uint8_t {
  received,      // from a client; `receivers` and `other_shards` want it
  denied,        // by a rule: to its publisher, or to a receiver
  refused,       // to its publisher, for `why`
  waits,         // for room: its publisher is not read
  will,          // of a client that has gone: it is published
  queued,        // into the backlog
  sent,          // to a receiver
  acknowledged,  // by a receiver: PUBACK, or PUBREC of QoS 2
  completed,     // by a receiver: PUBCOMP of QoS 2
  expired,       // while it waited for a receiver
  dropped,       // for one receiver, for `why`
  skipped,       // not for this receiver, for `why`
};
inline constexpr std::size_t kSteps = 12;

/// "received" and so on.
[[nodiscard]] std::string_view name_of(Step step) noexcept;

/// The views are valid within the call only.
struct WatchedStep {
  Step step = Step::received;
  std::string_view client_id;  // whom it happens to: the publisher, or a receiver
  /// Null where only the packet identifier is known any more.
  const MessageView* message = nullptr;
  std::string_view why{};
  std::uint16_t packet_id = 0;  // 0: none
  Qos qos = Qos::at_most_once;
  bool retain = false;
  bool dup = false;
  std::uint32_t receivers = 0;     // on this shard
  std::uint32_t other_shards = 0;  // that may have more
};

class Watch {
 public:
  virtual void on_step(const WatchedStep& step) = 0;

 protected:
  ~Watch() = default;
};

}  // namespace linnet::session

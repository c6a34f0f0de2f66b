// The acknowledgements that a link is owed, in the order of the packets that they answer
// (MQTT 5.0, section 4.6). One that waits for an operation holds back those behind it. The queue
// dies with its link.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ring.hpp"
#include "mqtt/framer.hpp"
#include "session/owed.hpp"
#include "session/peers.hpp"

namespace linnet::session {

/// What else stands in an answer that is more than an identifier and a reason.
struct AckDetails {
  std::vector<ReasonCode> reasons;  // SUBACK, UNSUBACK
  bool session_present = false;     // CONNACK
};

struct OwedAck {
  OperationId operation = 0;  // 0: ready
  mqtt::PacketType type = mqtt::PacketType::reserved;
  ReasonCode reason = ReasonCode::success;
  PacketId packet_id = 0;
  std::unique_ptr<AckDetails> details;
};

class AckQueue {
 public:
  [[nodiscard]] bool empty() const noexcept { return owed_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return owed_.size(); }
  void push(OwedAck ack) { owed_.push_back(std::move(ack)); }

  /// The operation has ended: its acknowledgement is ready. Returns what it is, if it is here.
  mqtt::PacketType release(OperationId operation, ReasonCode reason) noexcept {
    auto released = mqtt::PacketType::reserved;
    for (std::size_t at = 0; at < owed_.size(); ++at) {
      if (owed_[at].operation != operation) continue;
      owed_[at].operation = 0;
      if (reason != ReasonCode::success) owed_[at].reason = reason;
      released = owed_[at].type;
    }
    return released;
  }
  /// The first acknowledgement if it is ready, else null.
  [[nodiscard]] OwedAck* ready() noexcept {
    if (owed_.empty() || owed_.front().operation != 0) return nullptr;
    return &owed_.front();
  }
  void pop() noexcept { owed_.pop_front(); }
  [[nodiscard]] bool holds(mqtt::PacketType type, PacketId packet_id) const noexcept {
    for (std::size_t at = 0; at < owed_.size(); ++at) {
      if (owed_[at].type == type && owed_[at].packet_id == packet_id) return true;
    }
    return false;
  }

 private:
  Ring<OwedAck> owed_;
};

}  // namespace linnet::session

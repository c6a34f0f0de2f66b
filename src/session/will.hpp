// A Will that waits for its client's end (MQTT 5.0, section 3.1.2.5).
#pragma once

#include <cstdint>
#include <optional>

#include "base/message.hpp"

namespace linnet::session {

struct StoredWill {
  MessagePtr message;  // without a deadline: that begins when it is published
  std::uint32_t delay_s = 0;
  std::optional<std::uint32_t> expiry_s;

  /// The message to publish now.
  [[nodiscard]] MessagePtr to_publish(std::uint64_t now_ms) const {
    MessageView view = message->view();
    if (expiry_s) view.expires_at_ms = now_ms + std::uint64_t{*expiry_s} * 1000;
    return Message::make(view);
  }
};

}  // namespace linnet::session

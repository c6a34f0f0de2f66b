// The in-flight window towards one client (MQTT 5.0, sections 4.3, 4.4 and 4.9): what has a packet
// identifier, in the order of sending. Identifiers are given out one after the other, so that an
// acknowledgement finds its message by a subtraction, and none is used again while it is in flight.
// They follow from a number that counts what was sent and does not wrap: the store's order.
// One pointer, and no memory at all before the first message: a client that receives QoS 0 alone
// has none.
#pragma once

#include <memory>

#include "base/ring.hpp"
#include "session/owed.hpp"

namespace linnet::session {

class Inflight {
 public:
  [[nodiscard]] bool empty() const noexcept {
    return window_ == nullptr || window_->entries.empty();
  }
  /// Messages that are not acknowledged yet.
  [[nodiscard]] std::uint32_t active() const noexcept { return window_ ? window_->active : 0; }
  [[nodiscard]] bool has_room(std::uint32_t active_max) const noexcept {
    if (!window_) return active_max > 0;
    return window_->active < active_max && window_->entries.size() < kSpanMax;
  }

  /// Adds a message at the end and gives it the next number and identifier.
  OwedMessage& push(OwedMessage&& message);
  /// Adds a message that had its number before the broker was restarted; numbers rise.
  void restore(OwedMessage&& message);
  /// The message with this identifier, if it is in flight.
  [[nodiscard]] OwedMessage* find(PacketId packet_id) noexcept;
  [[nodiscard]] OwedMessage* find_sequence(std::uint64_t sequence) noexcept;
  /// Takes a message out: it was acknowledged, handed back or given up.
  void finish(OwedMessage& message) noexcept;

  /// The first message that was not sent on this connection yet; null if there is none.
  [[nodiscard]] OwedMessage* next_to_send() noexcept;
  void mark_sent() noexcept { ++window_->sent; }
  /// A PUBLISH leaves: it counts against the client's Receive Maximum until it is acknowledged.
  void take_quota(OwedMessage& message) noexcept {
    message.takes_quota = true;
    ++window_->quota_taken;
  }
  [[nodiscard]] std::uint32_t quota_taken() const noexcept {
    return window_ ? window_->quota_taken : 0;
  }
  /// A new connection: all that is in flight will be sent again, in the same order.
  void rewind() noexcept;

  /// Whether the store has all of it, and could give it back by restore().
  [[nodiscard]] bool rests_in_store() noexcept {
    bool all = true;
    for_each([&all](const OwedMessage& one) {
      all = all && one.stored && one.committed && one.marked && !one.lent;
    });
    return all;
  }
  /// Visits from the oldest to the newest, skipping the acknowledged ones; `visit` may finish()
  /// none.
  template <class Visit>
  void for_each(Visit&& visit) {
    if (!window_) return;
    Ring<OwedMessage>& entries = window_->entries;
    for (std::size_t at = 0; at < entries.size(); ++at) {
      if (entries[at].state != OwedMessage::State::done) visit(entries[at]);
    }
  }
  /// Forgets all; numbers go on.
  void clear() noexcept;

 private:
  /// Packet identifiers are 1 to 65,535; the span from the oldest to the newest must stay below.
  static constexpr std::size_t kSpanMax = 65'534;

  struct Window {
    Ring<OwedMessage> entries;
    std::uint32_t active = 0;
    std::uint32_t sent = 0;  // how many entries from the front were sent on this connection
    std::uint32_t quota_taken = 0;
    std::uint64_t last_number = 0;
  };

  [[nodiscard]] Window& window() {
    if (!window_) window_ = std::make_unique<Window>();
    return *window_;
  }
  static void fill_up_to(Window& window, std::uint64_t number);

  std::unique_ptr<Window> window_;
};

}  // namespace linnet::session

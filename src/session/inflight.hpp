// The in-flight window towards one client (MQTT 5.0, sections 4.3, 4.4 and 4.9): what has a packet
// identifier, in the order of sending. Identifiers are given out one after the other, so that an
// acknowledgement finds its message by a subtraction, and none is used again while it is in flight.
// They follow from a number that counts what was sent and does not wrap: the store's order.
#pragma once

#include "base/ring.hpp"
#include "session/owed.hpp"

namespace linnet::session {

class Inflight {
 public:
  [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
  /// Messages that are not acknowledged yet.
  [[nodiscard]] std::uint32_t active() const noexcept { return active_; }
  [[nodiscard]] bool has_room(std::uint32_t active_max) const noexcept {
    return active_ < active_max && entries_.size() < kSpanMax;
  }

  /// Adds a message at the end and gives it the next number and identifier.
  OwedMessage& push(OwedMessage message);
  /// Adds a message that had its number before the broker was restarted; numbers rise.
  void restore(OwedMessage message);
  /// The message with this identifier, if it is in flight.
  [[nodiscard]] OwedMessage* find(PacketId packet_id) noexcept;
  [[nodiscard]] OwedMessage* find_sequence(std::uint64_t sequence) noexcept;
  /// Takes a message out: it was acknowledged, handed back or given up.
  void finish(OwedMessage& message) noexcept;

  /// The first message that was not sent on this connection yet; null if there is none.
  [[nodiscard]] OwedMessage* next_to_send() noexcept;
  void mark_sent() noexcept { ++sent_; }
  /// A PUBLISH leaves: it counts against the client's Receive Maximum until it is acknowledged.
  void take_quota(OwedMessage& message) noexcept {
    message.takes_quota = true;
    ++quota_taken_;
  }
  [[nodiscard]] std::uint32_t quota_taken() const noexcept { return quota_taken_; }
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
    for (std::size_t at = 0; at < entries_.size(); ++at) {
      if (entries_[at].state != OwedMessage::State::done) visit(entries_[at]);
    }
  }
  /// Forgets all; numbers go on.
  void clear() noexcept;

 private:
  void fill_up_to(std::uint64_t number);

  /// Packet identifiers are 1 to 65,535; the span from the oldest to the newest must stay below.
  static constexpr std::size_t kSpanMax = 65'534;

  Ring<OwedMessage> entries_;
  std::uint32_t active_ = 0;
  std::uint32_t sent_ = 0;  // how many entries from the front were sent on this connection
  std::uint32_t quota_taken_ = 0;
  std::uint64_t last_number_ = 0;
};

}  // namespace linnet::session

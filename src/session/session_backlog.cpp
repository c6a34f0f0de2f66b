// The backlog of one session, and what the store has to do with it: what is committed is forgotten
// here and read again when its turn comes (design, section 6).
#include "base/log.hpp"
#include "session/connection.hpp"
#include "session/session.hpp"

namespace linnet::session {

namespace {

/// What is read from the store at once.
constexpr std::size_t kLoadMessages = 64;
constexpr std::size_t kLoadBytes = 64 << 10;
/// While the client is there, so many new messages stay at hand, since they will soon be sent.
constexpr std::size_t kTailMessages = 256;
/// All of the above while memory is short.
constexpr std::size_t kShortMessages = 8;
constexpr std::size_t kShortBytes = 8 << 10;

}  // namespace

void Session::on_saved(std::uint64_t sequence, Saved saved) {
  if (ended_) return;
  if (sequence == 0) return saved == Saved::committed ? unload() : void();
  OwedMessage* owed = inflight_.find_sequence(sequence);
  if (saved == Saved::refused) {
    // The publisher is told that nothing was accepted, and will send it again. What has left
    // already stays in flight: at least once.
    if (owed == nullptr) return give_up_waiting(sequence);
    if (owed->committed) {  // it is its identifier alone that was refused: asked for again
      owed->marked = false;
      return services_.peers.pump_with_room(*this);
    }
    owed->stored = false;
    if (owed->state != OwedMessage::State::committing) return;
    finish(*owed);
    return pump();
  }
  const bool committed = saved == Saved::committed;
  if (owed != nullptr) {
    owed->committed = owed->committed || committed;
    if (owed->state != OwedMessage::State::committing) return;
    owed->state = OwedMessage::State::ready;
    return pump();
  }
  OwedMessage* waiting = backlog_.find_sequence(sequence);
  if (waiting == nullptr || !committed) return;
  waiting->committed = true;
  if (online()) pump();
  rest_backlog();
}

/// A message of the backlog is not owed any more; it was not sent.
void Session::give_up_waiting(std::uint64_t sequence) {
  const OwedMessage* waiting = backlog_.find_sequence(sequence);
  if (waiting == nullptr) return;
  --services_.counters.backlog_messages;
  services_.counters.backlog_bytes -= waiting->bytes();
  backlog_.erase_sequence(sequence);
}

/// QoS 0 messages that came while the client was connecting, and for which it did not stay.
void Session::drop_transient() {
  const auto dropped = backlog_.drop_unstored();
  services_.counters.backlog_messages -= dropped.messages;
  services_.counters.backlog_bytes -= dropped.bytes;
}

/// Forgets what the store has and what is not needed soon.
void Session::rest_backlog() {
  const bool is_short = services_.memory.level() >= Pressure::spill_backlogs;
  const std::size_t tail_max = is_short ? kShortMessages : kTailMessages;
  if (online() && !backlog_.any_stored() && backlog_.tail_size() <= tail_max) return;
  backlog_.rest();
  // The head of a client that is there is needed next, but it can be read again.
  if (!online() || (is_short && backlog_.at_hand() > kShortMessages)) backlog_.rest_head();
}

void Session::spill() {
  if (!ended_ && kept() && backlog_.at_hand() > kShortMessages) rest_backlog();
}

OwedMessage Session::owe_stored(const store::StoredOutgoing& stored) {
  Membership* group = nullptr;
  if (const auto slash = stored.group.find('/'); slash != std::string_view::npos) {
    group = find_membership(stored.group.substr(0, slash), stored.group.substr(slash + 1));
  }
  OwedMessage owed = owe(Message::make(stored.message),
                         Terms{stored.qos, stored.retain, stored.subscription_ids, group});
  owed.sequence = stored.sequence;
  owed.stored = true;
  owed.committed = true;
  return owed;
}

/// Brings the next messages of the backlog from the store; false if it can't be read now.
bool Session::load_backlog() {
  if (!load()) {
    services_.peers.pump_with_room(*this);
    return false;
  }
  if (!backlog_.any_stored()) return true;
  const auto range = backlog_.stored_range();
  const std::uint64_t owed_before = backlog_.size();
  const std::uint64_t bytes_before = backlog_.bytes();
  const bool is_short = services_.memory.any();
  const std::size_t messages_max = is_short ? kShortMessages : kLoadMessages;
  const std::size_t bytes_max = is_short ? kShortBytes : kLoadBytes;
  std::size_t messages = 0;
  std::size_t bytes = 0;
  const bool readable = services_.store.read_outgoing(
      number_, range.after, range.up_to, [&](const store::StoredOutgoing& stored) {
        if (backlog_.skips(stored.sequence)) return true;
        if (!backlog_.any_stored()) return false;
        backlog_.load(owe_stored(stored));
        bytes += store::owed_bytes(stored.message);
        return ++messages < messages_max && bytes < bytes_max;
      });
  if (!readable) {
    services_.peers.pump_with_room(*this);
    return false;
  }
  if (messages > 0) return true;
  // Only damage leads here; the store has told of it.
  backlog_.load_nothing();
  services_.counters.backlog_messages -= owed_before - backlog_.size();
  services_.counters.backlog_bytes -= bytes_before - backlog_.bytes();
  return true;
}

void Session::move_backlog() {
  auto& counters = services_.counters;
  while (!backlog_.empty() && connection_->has_outbox_room()) {
    OwedMessage* front = backlog_.front();
    if (front == nullptr) {
      if (!window_open() || hands_on() || !load_backlog()) return;
      continue;
    }
    const bool needs_window = front->qos != Qos::at_most_once;
    if ((needs_window && !window_open()) || front->lent) return;
    if (!needs_window && inflight_.next_to_send() != nullptr) return;  // not past those before it
    // The record of its identifier follows that of the message, which may still be on its way.
    const bool waits = front->qos == Qos::exactly_once && front->stored && !front->committed;
    if (waits) return;
    --counters.backlog_messages;
    counters.backlog_bytes -= front->bytes();
    OwedMessage owed = backlog_.pop();
    const std::uint64_t expires = owed.message->expires_at_ms();
    if (expires != kNever && expires <= services_.now_ms()) {  // MQTT-3.3.2-5
      ++counters.publish_expired;
      if (services_.watch != nullptr) [[unlikely]] {
        tell(Step::expired, owed.message->view(), owed.qos);
      }
      erase_owed(owed);
      tell_group(owed);
      continue;
    }
    if (needs_window) {
      push_inflight(std::move(owed));
      if (!send_inflight() && !awaits_commit()) return;
      continue;
    }
    const MessageView view = owed.message->view();
    const OutgoingCopy copy{&view,       owed.message, owed.subscription_ids(), 0, owed.qos,
                            owed.retain, false};
    const bool allowed = owed.group != nullptr || may_receive(view.topic);
    if (!allowed) {
      if (services_.watch != nullptr) [[unlikely]]
        tell_denied(view, owed.qos);
    } else if (connection_->send(copy, dropped_) != Connection::Sent::sent) {
      lose(view, "it is larger than the client takes");
    }
    erase_owed(owed);
  }
}

}  // namespace linnet::session

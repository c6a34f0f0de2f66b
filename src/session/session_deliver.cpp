// From a publication to this client: at once, through the in-flight window, or by way of the
// backlog (MQTT 5.0, sections 4.3, 4.4, 4.6 and 4.9).
#include <utility>

#include "base/hash.hpp"
#include "session/connection.hpp"
#include "session/pressure.hpp"
#include "session/session.hpp"

namespace linnet::session {

namespace {

/// How long a message of the backlog is in flight before its identifier is worth a record.
constexpr std::uint64_t kMarkDelayMs = 200;
constexpr std::string_view kTooLarge = "it is larger than the client takes";

}  // namespace

void Session::deliver(Publication& publication, const router::Target& target,
                      std::span<const std::uint32_t> subscription_ids,
                      router::Delivering& delivering) {
  const MessageView& message = publication.view();
  if (target.no_local && message.publisher == client_id()) {
    if (services_.watch != nullptr) [[unlikely]] {
      tell(Step::skipped, message, target.qos, "No Local: it is its own message");
    }
    return;
  }
  if (!may_receive(message.topic)) {
    if (services_.watch != nullptr) [[unlikely]]
      tell_denied(message, target.qos);
    return;
  }
  const Terms terms{outgoing_qos(message.qos, target.qos),
                    target.retain_as_published && message.retain, subscription_ids, nullptr};
  take(publication, terms, delivering);
}

void Session::deliver_shared(Publication& publication, Membership& membership,
                             router::Delivering& delivering) {
  const MessageView& message = publication.view();
  const std::uint32_t id = membership.terms.id;
  const Terms terms{outgoing_qos(message.qos, membership.terms.qos),
                    membership.terms.retain_as_published && message.retain,
                    {&id, id == 0 ? std::size_t{0} : std::size_t{1}},
                    &membership};
  take(publication, terms, delivering);
}

bool Session::window_open() const noexcept {
  const std::uint32_t quota = connection_ == nullptr ? 0 : connection_->send_quota();
  const std::uint32_t own = std::min<std::uint32_t>(quota, services_.limits().inflight_max);
  return inflight_.has_room(window_max(services_.memory.level(), own));
}

void Session::take(Publication& publication, const Terms& terms, router::Delivering& delivering) {
  ++delivering.receivers;
  const bool waits = replays_ && must_wait(publication.view());
  if (terms.qos == Qos::at_most_once) {
    if (waits) return lose(publication.view(), "retained messages of its topic go first");
    return take_qos0(publication, terms, delivering);
  }
  if (online() && !waits && backlog_.empty() && window_open() && connection_->has_outbox_room()) {
    // Older ones that are still unsent go first, but not now: the wire forms are of this message.
    const bool in_turn = inflight_.next_to_send() == nullptr;
    push_inflight(owe(publication.keep(), terms));
    if (in_turn) send_inflight();
  } else {
    push_backlog(publication, terms, delivering);
  }
}

/// A replay is under way: notes the topic, so that no older retained message of it follows.
bool Session::must_wait(const MessageView& message) {
  if (!message.retain) return false;  // it leaves the retained one as it is (MQTT-3.3.1-8)
  if (replays_->live.size() >= Replays::kLiveMax) return true;
  replays_->live.insert(hash64(message.topic, replays_->seed));
  return false;
}

void Session::take_qos0(Publication& publication, const Terms& terms,
                        router::Delivering& delivering) {
  // Not past those that wait.
  if (kept() && services_.limits().queue_qos0 && !backlog_.empty()) {
    return push_backlog(publication, terms, delivering);
  }
  if (!online()) {
    // A client that is connecting gets what comes from now on; one that is away, only if asked.
    const bool connecting = connection_ != nullptr;
    if (connecting || (kept() && services_.limits().queue_qos0)) {
      push_backlog(publication, terms, delivering);
    } else if (services_.watch != nullptr) [[unlikely]] {
      tell(Step::skipped, publication.view(), terms.qos, "it is away, and QoS 0 is not queued");
    }
    return;
  }
  if (!connection_->has_outbox_room()) return count_squeezed(publication.view());
  OutgoingCopy copy;
  copy.message = &publication.view();
  if (copy.message->payload.size() >= net::Outbox::kShareMin) copy.owner = publication.keep();
  copy.subscription_ids = terms.subscription_ids;
  copy.retain = terms.retain;
  if (connection_->send(copy, dropped_) != Connection::Sent::sent) {
    lose(publication.view(), kTooLarge);
  }
}

void Session::push_inflight(OwedMessage&& message) {
  const bool is_new = message.sequence == 0;
  if (is_new) message.sequence = next_sequence();
  OwedMessage& owed = inflight_.push(std::move(message));
  owed.state = OwedMessage::State::ready;
  if (owed.stored) {
    // A QoS 2 message must not be sent before its identifier is durable. Of the others most are
    // acknowledged before it would be worth a record: mark_inflight().
    const bool waits = owed.qos == Qos::exactly_once;
    if (!waits) {
      unmarked_ = true;
      Timer& timer = deadlines().timer;
      if (!timer.armed()) services_.timers.arm(timer, services_.now_ms() + kMarkDelayMs);
      return;
    }
    owed.state = OwedMessage::State::committing;
    mark_inflight();
    owed.marked = true;
    services_.peers.save_inflight(*this, owed, true);
  } else if (kept()) {
    if (is_new) backlog_.skip(owed.sequence);
    mark_inflight();
    owed.marked = true;
    if (owed.qos == Qos::exactly_once) owed.state = OwedMessage::State::committing;
    save_owed(owed);
  }
}

void Session::save_owed(OwedMessage& owed) {
  owed.stored = true;
  services_.peers.save_outgoing(*this, owed);
}

/// Tells the store of the identifiers that messages from the backlog have got meanwhile, so that
/// they are sent again with the same ones even if the broker ends without warning.
void Session::mark_inflight() {
  if (!unmarked_) return;
  unmarked_ = false;
  inflight_.for_each([this](OwedMessage& owed) {
    unmarked_ = unmarked_ || (owed.stored && !owed.marked && !owed.committed);
    const bool sent =
        owed.state == OwedMessage::State::sent || owed.state == OwedMessage::State::ready;
    if (!owed.committed || owed.marked || !sent) return;  // else it would overtake its message
    owed.marked = true;
    services_.peers.save_inflight(*this, owed, false);
  });
}

void Session::erase_owed(const OwedMessage& owed) {
  if (!owed.stored) return;
  services_.peers.erase_outgoing(
      {number_, owed.sequence, owed.marked ? owed.number : std::uint64_t{0}}, owed.place);
}

BacklogLimits Session::backlog_limits() const noexcept {
  const Limits& limits = services_.limits();
  if (kept()) return {limits.backlog_messages_max, limits.backlog_bytes_max};
  return transient_max(services_.memory.level(),
                       {limits.transient_backlog_messages_max, limits.transient_backlog_bytes_max});
}

void Session::push_backlog(Publication& publication, const Terms& terms,
                           router::Delivering& delivering) {
  OwedMessage owed = owe(publication.keep(), terms);
  owed.sequence = next_sequence();
  if (!make_room(owed.bytes(), delivering)) {
    if (services_.watch != nullptr) [[unlikely]] {
      tell(Step::dropped, publication.view(), terms.qos, "its backlog is full");
    }
    return;
  }
  if (services_.watch != nullptr) [[unlikely]]
    tell(Step::queued, publication.view(), terms.qos);
  ++services_.counters.backlog_messages;
  services_.counters.backlog_bytes += owed.bytes();
  const bool saves = owed.qos != Qos::at_most_once || services_.limits().queue_qos0;
  if (kept() && saves) save_owed(owed);
  backlog_.push(std::move(owed));
}

/// Applies the policy of a full backlog; false if the new message is not to be kept.
bool Session::make_room(std::size_t bytes, router::Delivering& delivering) {
  const BacklogLimits limits = backlog_limits();
  if (backlog_.fits(bytes, limits)) return true;
  // For want of memory no publisher is refused, whom MQTT 3 could tell only by its end.
  const bool squeezed = !kept() && services_.memory.any();
  if (squeezed) ++services_.counters.memory_dropped;
  const BacklogPolicy policy = services_.limits().backlog_policy;
  switch (squeezed && policy == BacklogPolicy::reject ? BacklogPolicy::drop_newest : policy) {
    case BacklogPolicy::reject:
      delivering.worst = ReasonCode::quota_exceeded;
      if (delivering.unit == 0) count_dropped(1);  // nobody waits who could be told
      return false;
    case BacklogPolicy::drop_newest: count_dropped(1); return false;
    case BacklogPolicy::drop_oldest: break;
  }
  while (!backlog_.empty() && !backlog_.fits(bytes, limits)) {
    if (backlog_.must_load() && !load_backlog()) break;
    if (!backlog_.empty()) drop(backlog_.pop());
  }
  if (backlog_.fits(bytes, limits)) return true;
  count_dropped(1);
  return false;
}

/// Gives up a message that has been taken out of the backlog.
void Session::drop(const OwedMessage& owed) {
  --services_.counters.backlog_messages;
  services_.counters.backlog_bytes -= owed.bytes();
  tell_group(owed);
  erase_owed(owed);
  lose(owed.message->view(), "it was the oldest of a full backlog");
}

void Session::lose(const MessageView& message, std::string_view why) {
  count_dropped(1);
  if (services_.watch != nullptr) [[unlikely]]
    tell(Step::dropped, message, message.qos, why);
}

void Session::count_dropped(std::uint32_t messages) {
  dropped_ += messages;
  services_.counters.publish_dropped += messages;
}

/// A QoS 0 message finds no room in the outbox.
void Session::count_squeezed(const MessageView& message) {
  if (services_.memory.any()) ++services_.counters.memory_dropped;
  lose(message, "its outbox is full: it reads too slowly");
}

void Session::pump() {
  if (!online()) return;
  const bool sent = send_inflight();
  // Identifiers are committed together: the window is filled while the first are on their way.
  if (!sent && (!awaits_commit() || replays_)) return;
  if (replays_ && !run_replays()) return;
  move_backlog();
}

/// What is to be sent next waits for the store alone.
bool Session::awaits_commit() noexcept {
  const OwedMessage* next = inflight_.next_to_send();
  return next != nullptr && next->state == OwedMessage::State::committing && !next->lent;
}

/// Sends what is in flight and was not sent on this connection; false if something must wait.
bool Session::send_inflight() {
  while (OwedMessage* owed = inflight_.next_to_send()) {
    if (owed->state == OwedMessage::State::committing && owed->stored && !owed->marked) {
      owed->marked = true;
      services_.peers.save_inflight(*this, *owed, true);
    }
    if (owed->state == OwedMessage::State::committing || owed->lent) return false;
    if (!connection_->has_outbox_room()) return false;
    const bool takes_quota = owed->state == OwedMessage::State::ready;
    if (takes_quota && inflight_.quota_taken() >= connection_->send_quota()) return false;
    inflight_.mark_sent();
    if (takes_quota) inflight_.take_quota(*owed);
    send_owed(*owed);
  }
  return true;
}

void Session::send_owed(OwedMessage& owed) {
  if (owed.state == OwedMessage::State::released) {
    connection_->send_ack(mqtt::PacketType::pubrel, owed.packet_id, ReasonCode::success);
    return;
  }
  const MessageView view = owed.message->view();
  OutgoingCopy copy{&view,       owed.message, owed.subscription_ids(), owed.packet_id, owed.qos,
                    owed.retain, owed.dup};
  owed.state = OwedMessage::State::sent;
  // The rules may have changed since it was queued.
  if (owed.group == nullptr && !may_receive(view.topic)) {
    if (services_.watch != nullptr) [[unlikely]]
      tell_denied(view, owed.qos);
    return finish(owed);
  }
  if (connection_->send(copy, dropped_) == Connection::Sent::sent) return;
  // MQTT-3.1.2-25: too large for this client is as good as delivered to it.
  lose(view, kTooLarge);
  finish(owed);
}

}  // namespace linnet::session

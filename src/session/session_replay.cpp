// Sending retained messages to new subscriptions, at the pace of the client.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "session/connection.hpp"
#include "session/session.hpp"

namespace linnet::session {

namespace {

/// What one turn may read for one session, so that other clients get their turns: topics looked at,
/// and replays begun.
constexpr std::size_t kLooksPerTurn = 2000;
constexpr std::size_t kReplaysPerTurn = 200;

}  // namespace

void Session::on_overlay(std::uint32_t number, std::vector<MessagePtr> messages) {
  Replay* replay = replays_ ? replays_->find(number) : nullptr;
  if (replay == nullptr) return;
  for (MessagePtr& message : messages) {
    std::string topic(message->topic());
    replay->overlay.insert_or_assign(std::move(topic), std::move(message));
  }
}

void Session::on_subscribed(OperationId operation, bool accepted) {
  if (unconfirmed_) confirm(operation, accepted);
  if (!replays_) return;
  std::vector<std::string> refused;
  for (auto& [number, replay] : replays_->queue) {
    if (replay.operation != operation) continue;
    replay.ready = true;
    if (!accepted) refused.push_back(replay.filter);
  }
  for (const std::string& filter : refused)
    (void)replays_->erase(filter);
  pump();
}

void Session::pump_soon() {
  if (rests_) return;
  rests_ = true;
  services_.peers.pump_later(*this);
}

void Session::on_turn() {
  rests_ = false;
  if (hands_on()) review_soon();  // it may have waited for room
  pump();
}

/// False if the backlog has to wait, too.
bool Session::run_replays() {
  if (rests_) return false;  // it goes on at the end of the turn
  auto& queue = replays_->queue;
  std::size_t looks_left = kLooksPerTurn;
  for (std::size_t run = 0; !queue.empty(); ++run) {
    Replay& replay = queue.begin()->second;
    // Live messages may go on, as long as their topics can be noted.
    if (!replay.ready) return replays_->live.size() < Replays::kLiveMax;
    if (run == kReplaysPerTurn || looks_left == 0) {
      pump_soon();
      return false;
    }
    if (!run_replay(replay, looks_left)) return false;
    (void)replays_->erase(std::string(replay.filter));
  }
  replays_.reset();
  return true;
}

bool Session::run_replay(Replay& replay, std::size_t& looks_left) {
  if (replay.store_done) return run_overlay(replay);
  bool blocked = false;
  std::string shown;
  const auto walk = services_.peers.read_retained(
      {replay.filter, replay.after, looks_left}, [&](const MessageView& message) {
        const bool newer = replay.overlay.find(message.topic) != replay.overlay.end();
        blocked = !newer && !send_retained(replay, message);
        if (!blocked) shown = message.topic;
        return !blocked;
      });
  looks_left -= std::min(walk.looks, looks_left);
  if (!walk.done && !blocked && walk.last.empty()) {  // the store can't be read now
    if (!shown.empty()) replay.after = std::move(shown);
    services_.peers.pump_with_room(*this);
    return false;
  }
  replay.after = walk.last;
  replay.store_done = walk.done;
  if (walk.done) return run_overlay(replay);
  if (blocked) return false;
  pump_soon();  // it was looked at as much as this turn allows
  return false;
}

bool Session::run_overlay(Replay& replay) {
  while (!replay.overlay.empty()) {
    const auto first = replay.overlay.begin();
    const bool exists = !first->second->payload().empty();
    if (exists && !send_retained(replay, first->second->view())) return false;
    replay.overlay.erase(first);
  }
  return true;
}

/// False if there is no room now: the message has not been sent, and the replay goes on later.
bool Session::send_retained(Replay& replay, const MessageView& message) {
  const std::uint64_t now = services_.now_ms();
  if (message.expires_at_ms != kNever && message.expires_at_ms <= now) return true;
  if (replay.terms.no_local && message.publisher == client_id()) return true;
  if (!may_receive(message.topic)) return true;
  const auto& live = replays_->live;
  if (!live.empty() && live.contains(hash64(message.topic, replays_->seed))) return true;
  if (!connection_->has_outbox_room()) return false;
  const Qos qos = outgoing_qos(message.qos, replay.terms.qos);
  const std::uint32_t id = replay.terms.id;
  const std::span<const std::uint32_t> ids(&id, id == 0 ? std::size_t{0} : std::size_t{1});
  if (qos == Qos::at_most_once) {
    OutgoingCopy copy;
    copy.message = &message;
    if (message.payload.size() >= net::Outbox::kShareMin) copy.owner = Message::make(message);
    copy.subscription_ids = ids;
    copy.retain = true;
    if (connection_->send(copy, dropped_) != Connection::Sent::sent) count_dropped(1);
    return true;
  }
  if (!window_open()) return false;
  push_inflight(owe(Message::make(message), Terms{qos, true, ids, nullptr}));
  send_inflight();
  return true;
}

}  // namespace linnet::session

// Sending retained messages to new subscriptions, at the pace of the client.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "session/connection.hpp"
#include "session/session.hpp"

namespace linnet::session {

void Session::on_overlay(std::uint32_t number, std::vector<MessagePtr> messages) {
  if (!replays_) return;
  for (Replay& replay : replays_->queue) {
    if (replay.number != number) continue;
    for (MessagePtr& message : messages) {
      std::string topic(message->topic());
      replay.overlay.insert_or_assign(std::move(topic), std::move(message));
    }
  }
}

void Session::on_subscribed(OperationId operation) {
  if (!replays_) return;
  std::vector<std::pair<std::uint32_t, std::string>> asked;  // an answer may come at once
  for (const Replay& replay : replays_->queue) {
    if (replay.operation == operation) asked.emplace_back(replay.number, replay.filter);
  }
  for (const auto& [number, filter] : asked)
    services_.peers.ask_overlays(*this, filter, number);
}

void Session::on_overlays_complete(std::uint32_t number) {
  if (!replays_) return;
  for (Replay& replay : replays_->queue) {
    if (replay.number == number) replay.ready = true;
  }
  pump();
}

/// False if something has to wait before the next one can be sent.
bool Session::run_replays() {
  auto& queue = replays_->queue;
  while (!queue.empty()) {
    if (!queue.front().ready) return true;  // live messages may go on; it is resumed when ready
    if (!run_replay(queue.front())) return false;
    queue.pop_front();
  }
  replays_.reset();
  return true;
}

bool Session::run_replay(Replay& replay) {
  if (!replay.store_done) {
    std::string last;
    replay.store_done =
        services_.peers.read_retained(replay.filter, replay.after, [&](const MessageView& message) {
          const auto newer = replay.overlay.find(message.topic);
          if (newer == replay.overlay.end() && !send_retained(replay, message)) return false;
          last = message.topic;
          return true;
        });
    if (!last.empty()) replay.after = std::move(last);
    if (!replay.store_done) return false;
  }
  return run_overlay(replay);
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
  if (replay.terms.no_local && message.publisher == client_id_) return true;
  const auto& live = replays_->live;
  if (!live.empty() && live.contains(hash64(message.topic, replays_->seed))) return true;
  if (!connection_->has_outbox_room()) return false;
  const Qos qos = min(message.qos, replay.terms.qos);
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
  push_inflight(owe(Message::make(message), Terms{qos, true, ids, nullptr}), nullptr);
  send_inflight();
  return true;
}

}  // namespace linnet::session

// What this shard sends to the store, and what its answers set free.
#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "shard/shard.hpp"

namespace linnet::shard {

using session::Published;
using session::PublishWaiter;
using session::Saved;

namespace {

store::PutOutgoing put_of(const session::Session& session, const session::OwedMessage& owed) {
  store::PutOutgoing put;
  put.session = session.number();
  put.sequence = owed.sequence;
  put.number = owed.number;
  put.qos = owed.qos;
  put.retain = owed.retain;
  const auto ids = owed.subscription_ids();
  put.subscription_ids.assign(ids.begin(), ids.end());
  if (owed.group != nullptr) put.group = cat(owed.group->group, "/", owed.group->filter);
  return put;
}

}  // namespace

void Shard::submit(store::Request request) {
  // A publication's places in its request would be wrong otherwise.
  LINNET_ASSERT(!saving_open_ || saving_.request.outgoing.empty());
  request.shard = id_;
  submitted_ = true;
  store_.submit(std::move(request));
}

void Shard::submit(Saving& saving) {
  submit(std::move(saving.request));
  for (const auto& [erase, place] : saving.erased)
    store_.erase_outgoing(id_, erase, place);
}

void Shard::save(store::Change change, OperationId operation) {
  add_part(operation);
  store::Request request;
  request.ticket = operation;
  request.changes.push_back(std::move(change));
  submit(std::move(request));
}

void Shard::wait_for_store(OperationId operation) {
  add_part(operation);
  store::Request request;
  request.ticket = operation;
  submit(std::move(request));
}

void Shard::save_outgoing(session::Session& session, session::OwedMessage& owed) {
  owed.place = {store_.next_request(id_),
                static_cast<std::uint32_t>(saving_.request.outgoing.size())};
  saving_.request.outgoing.push_back(put_of(session, owed));
  saving_.saves.push_back({&session, owed.sequence});
  if (saving_open_) return;
  // Outside of a publication: a retained message for a new subscription.
  const Publication publication(owed.message);
  router::Delivering alone;
  submit_saving(publication, alone);
}

void Shard::save_inflight(session::Session& session, const session::OwedMessage& owed, bool wait) {
  const store::PutInflight put{session.number(), owed.number, owed.sequence,
                               store::OutgoingState::sent};
  if (saving_open_ && !wait) {
    saving_.request.changes.emplace_back(put);
    return;
  }
  store::Request request;
  request.changes.emplace_back(put);
  if (wait) {
    request.ticket = open(Operation::Kind::saved);
    Operation& operation = *operations_.find(request.ticket);
    operation.saves.push_back({&session, owed.sequence});
    operation.pending = 1;
    operation.held = false;
  }
  submit(std::move(request));
}

void Shard::tell_when_saved(session::Session& session) {
  store::Request request;
  request.ticket = open(Operation::Kind::saved);
  request.lazy = true;
  Operation& operation = *operations_.find(request.ticket);
  operation.saves.push_back({&session, 0});
  operation.pending = 1;
  operation.held = false;
  submit(std::move(request));
}

void Shard::erase_outgoing(const store::EraseOutgoing& erase, store::Place place) {
  submitted_ = true;
  if (saving_open_ && place.request == store_.next_request(id_)) {
    saving_.erased.emplace_back(erase, place);
    return;
  }
  store_.erase_outgoing(id_, erase, place);
}

void Shard::pump_with_room(session::Session& session) {
  const auto waits = std::find(pumps_with_room_.begin(), pumps_with_room_.end(), &session);
  if (waits == pumps_with_room_.end()) pumps_with_room_.emplace_back(&session);
}

/// From here on what sessions save belongs to one publication.
void Shard::begin_saving() {
  LINNET_ASSERT(!saving_open_ && saving_.empty());
  saving_open_ = true;
}

/// For QoS 2 of a kept session: the packet identifier becomes durable with the message.
void Shard::save_received(const PublishWaiter& waiter) {
  if (waiter.session == nullptr || !waiter.session->kept()) return;
  saving_.request.changes.emplace_back(
      store::PutReceived{waiter.session->number(), waiter.packet_id});
}

/// This shard is the topic's home: it orders the changes of its retained message.
void Shard::retain(Publication& publication) {
  saving_.retained = publication.keep();
  overlay_.set(saving_.retained);
  saving_.request.changes.emplace_back(store::PutRetained{saving_.retained->clone()});
}

/// Sends this shard's part of a publication, whose own answer only those in it wait for.
void Shard::submit_saving(const Publication& publication, router::Delivering& delivering) {
  saving_open_ = false;
  if (saving_.empty()) return;
  Saving saving = std::exchange(saving_, {});
  if (!saving.request.outgoing.empty()) {
    saving.request.message = Message::make(publication.view());
  }
  const OperationId id = open(Operation::Kind::saved);
  Operation& operation = *operations_.find(id);
  operation.saves = std::move(saving.saves);
  operation.retained = std::move(saving.retained);
  operation.pending = 1;
  operation.held = false;
  saving.request.ticket = id;
  saving.request.unit = delivering.unit;
  saving.request.lazy = delivering.unit == 0;
  if (delivering.unit != 0) ++delivering.durable_parts;
  submit(saving);
}

/// The same where no other shard is concerned: the publisher waits for the one answer.
Published Shard::submit_alone(const Publication& publication, const PublishWaiter& waiter,
                              const router::Delivering& delivering) {
  saving_open_ = false;
  Saving saving = std::exchange(saving_, {});
  if (!saving.request.outgoing.empty()) {
    saving.request.message = Message::make(publication.view());
  }
  const OperationId id =
      open(waiter.session != nullptr ? Operation::Kind::received : Operation::Kind::connection);
  Operation& operation = *operations_.find(id);
  operation.connection = waiter.connection;
  operation.session = waiter.session;
  operation.packet_id = waiter.packet_id;
  operation.unit = delivering.unit;
  operation.receivers = delivering.receivers;
  operation.saves = std::move(saving.saves);
  operation.retained = std::move(saving.retained);
  operation.pending = 1;
  operation.held = false;
  saving.request.ticket = id;
  submit(saving);
  return {Published::State::waiting, ReasonCode::success, id};
}

/// A message that another member has lent: it is told what became of it here.
void Shard::submit_offered(const Publication& publication, const ReturnAddress& lender) {
  saving_open_ = false;
  Saving saving = std::exchange(saving_, {});
  saving.request.message = Message::make(publication.view());
  const OperationId id = open(Operation::Kind::relay);
  Operation& operation = *operations_.find(id);
  operation.reply = lender;
  operation.saves = std::move(saving.saves);
  operation.pending = 1;
  operation.held = false;
  saving.request.ticket = id;
  submit(saving);
}

/// The publication is refused: nothing of it goes to the store.
void Shard::give_up_saving() {
  saving_open_ = false;
  Saving saving = std::exchange(saving_, {});
  Operation refused;
  refused.saves = std::move(saving.saves);
  refused.retained = std::move(saving.retained);
  settle(refused, Saved::refused);
}

/// Tells the sessions what became of their messages.
void Shard::settle(const Operation& operation, Saved saved) {
  if (operation.retained && saved != Saved::accepted) {
    overlay_.settle(operation.retained);
    if (saved == Saved::refused) ++counters_.publish_dropped;
  }
  for (const OutgoingSave& one : operation.saves)
    one.session->on_saved(one.sequence, saved);
}

void Shard::on(const StoreLetter& letter) {
  for (const store::Answer& answer : letter.answers)
    on_answer(answer);
}

void Shard::on_answer(const store::Answer& answer) {
  switch (answer.outcome) {
    case store::Outcome::accepted: return on_accepted(answer.ticket);
    case store::Outcome::committed: return arrive(answer.ticket, {0, ReasonCode::success, 0, 0});
    case store::Outcome::full:
    case store::Outcome::refused:
      return arrive(answer.ticket, {0, ReasonCode::quota_exceeded, 0, 0});
  }
}

/// With `durability = "interval"`: whoever waits need not wait any longer, but what was saved can't
/// be read yet.
void Shard::on_accepted(OperationId id) {
  Operation* operation = operations_.find(id);
  if (operation == nullptr) return;
  const bool saves = !operation->saves.empty() || operation->retained;
  if (!saves) return arrive(id, {0, ReasonCode::success, 0, 0});
  // The second answer finds the same name, and nobody but the sessions behind it.
  Operation told = *operation;
  operation->kind = Operation::Kind::saved;
  operation->connection.reset();
  operation->session.reset();
  settle(told, Saved::accepted);
  if (told.unit != 0 && told.receivers == 0) told.worst = ReasonCode::no_matching_subscribers;
  tell(id, told);
}

}  // namespace linnet::shard

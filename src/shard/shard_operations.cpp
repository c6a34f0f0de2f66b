// Operations: who waits, for how many answers, and what happens at the end.
#include "base/assert.hpp"
#include "shard/shard.hpp"

namespace linnet::shard {

OperationId Shard::open(Operation::Kind kind) {
  return operations_.open(kind);
}

OperationId Shard::current_operation() {
  if (current_ == 0) current_ = open(Operation::Kind::relay);
  return current_;
}

void Shard::add_part(OperationId operation) {
  if (operation != 0) ++operations_.find(operation)->pending;
}

OperationId Shard::open_operation(session::Connection& waiter) {
  const OperationId id = open(Operation::Kind::connection);
  operations_.find(id)->connection = &waiter;
  return id;
}

std::optional<ReasonCode> Shard::seal(OperationId id) {
  Operation* operation = operations_.find(id);
  LINNET_ASSERT(operation != nullptr);
  confirm_interest(id);
  operation->held = false;
  return complete(id, false);
}

void Shard::arrive(OperationId id, const AnswerLetter& answer) {
  Operation* operation = operations_.find(id);
  if (operation == nullptr) return;
  LINNET_ASSERT(operation->pending > 0);
  --operation->pending;
  operation->receivers += answer.receivers;
  operation->durable_parts += answer.durable_parts;
  if (answer.reason > operation->worst) operation->worst = answer.reason;
  complete(id, true);
}

std::optional<ReasonCode> Shard::complete(OperationId id, bool tells) {
  Operation* operation = operations_.find(id);
  if (operation->held || operation->pending > 0) return std::nullopt;
  if (!operation->questions.empty() && !ask_questions(id)) return std::nullopt;
  operation = operations_.find(id);
  if (operation->is_unit && !seal_unit(id, *operation)) return std::nullopt;
  Operation ended = operations_.close(id);
  settle(ended, failed(ended.worst) ? session::Saved::refused : session::Saved::committed);
  if (ended.unit != 0 && !failed(ended.worst)) {
    // That a shared group had nobody left says nothing about the other receivers.
    const bool nobody = ended.receivers == 0;
    ended.worst = nobody ? ReasonCode::no_matching_subscribers : ReasonCode::success;
  }
  if (tells) tell(id, ended);
  return ended.worst;
}

/// Once all shards have said how many records they owe to a publication, the writer is told; false
/// if its answer is still to come.
bool Shard::seal_unit(OperationId id, Operation& operation) {
  operation.is_unit = false;
  if (operation.durable_parts == 0) return true;
  operation.pending = 1;
  store::Seal seal;
  seal.shard = id_;
  seal.ticket = id;
  seal.unit = operation.unit;
  seal.parts = operation.durable_parts;
  seal.give_up = failed(operation.worst);
  submitted_ = true;
  store_.submit(seal);
  return false;
}

void Shard::tell(OperationId id, Operation& operation) {
  const ReasonCode reason = operation.worst;
  switch (operation.kind) {
    case Operation::Kind::connection: return operation.connection->on_done(id, reason);
    case Operation::Kind::received:
      return operation.session->on_received(operation.packet_id, id, reason);
    case Operation::Kind::relay:
      return reply(operation.reply, {0, reason, operation.receivers, operation.durable_parts});
    case Operation::Kind::saved: return;
    case Operation::Kind::erasure: return on_erased(id, reason);
    case Operation::Kind::offered:
      return operation.session->on_handed_back(operation.sequence, reason == ReasonCode::success);
    case Operation::Kind::free: break;
  }
  LINNET_ASSERT(false);
}

void Shard::reply(const ReturnAddress& address, AnswerLetter answer) {
  if (address.operation == 0) return;
  answer.operation = address.operation;
  if (address.shard == id_) return arrive(address.operation, answer);
  post(address.shard, answer);
}

void Shard::on(const AnswerLetter& letter) {
  arrive(letter.operation, letter);
}

}  // namespace linnet::shard

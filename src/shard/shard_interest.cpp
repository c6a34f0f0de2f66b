// Interest: what the shards know of each other's subscriptions; and retained messages that are on
// their way to the store, which a new subscription must see.
#include <utility>

#include "shard/shard.hpp"

namespace linnet::shard {

namespace {

constexpr std::string_view kSysPrefix = "$SYS/";

}  // namespace

/// Tells all others of a filter that is new. Who subscribes waits for confirm_interest(), which
/// covers a filter that is known already and may still be unconfirmed, too: letters stay in order.
void Shard::spread_interest(std::string_view filter, bool is_new, OperationId operation) {
  if (Operation* waiting = operations_.find(operation)) waiting->spreads_interest = true;
  if (!is_new) return;
  count_sys_filter(filter, 1);
  for (ShardId shard = 0; shard < shards_; ++shard) {
    if (shard == id_) continue;
    post(shard, InterestLetter{std::string(filter), id_, InterestLetter::Change::add, {}});
  }
}

/// One question to each other shard, however many filters an operation has.
void Shard::confirm_interest(OperationId id) {
  Operation& operation = *operations_.find(id);
  if (!std::exchange(operation.spreads_interest, false)) return;
  operation.pending += shards_ - 1;
  for (ShardId shard = 0; shard < shards_; ++shard) {
    if (shard == id_) continue;
    post(shard, InterestLetter{{}, id_, InterestLetter::Change::none, {id_, id}});
  }
}

void Shard::withdraw_interest(std::string_view filter) {
  count_sys_filter(filter, -1);
  for (ShardId shard = 0; shard < shards_; ++shard) {
    if (shard == id_) continue;
    post(shard, InterestLetter{std::string(filter), id_, InterestLetter::Change::remove, {}});
  }
}

void Shard::on(const InterestLetter& letter) {
  if (letter.change != InterestLetter::Change::none) {
    const bool adds = letter.change == InterestLetter::Change::add;
    count_sys_filter(letter.filter, adds ? 1 : -1);
    router_.set_interest(letter.filter, letter.from, adds);
  }
  reply(letter.reply, {});
}

void Shard::ask_overlays(session::Session& session, std::string_view filter, std::uint32_t replay) {
  const OperationId id = open(Operation::Kind::overlays);
  Operation& operation = *operations_.find(id);
  operation.session = &session;
  operation.sequence = replay;
  operation.pending = shards_;
  operation.held = false;
  for (ShardId shard = 0; shard < shards_; ++shard) {
    OverlayRequestLetter letter{std::string(filter), {id_, id}};
    if (shard != id_) post(shard, std::move(letter));
  }
  on(OverlayRequestLetter{std::string(filter), {id_, id}});
}

void Shard::on(const OverlayRequestLetter& letter) {
  if (id_ == 0 && asks_for_sys(letter.filter)) {
    sys_questions_.push_back({letter.filter, letter.reply});
    return gather_counters();
  }
  std::vector<MessagePtr> messages;
  overlay_.collect(letter.filter, messages);
  send_overlay(letter.reply, std::move(messages));
}

void Shard::send_overlay(const ReturnAddress& address, std::vector<MessagePtr> messages) {
  if (!messages.empty()) {
    OverlayLetter letter{address.operation, std::move(messages)};
    if (address.shard == id_) {
      on(std::move(letter));
    } else {
      post(address.shard, std::move(letter));
    }
  }
  reply(address, {});
}

void Shard::on(OverlayLetter letter) {
  Operation* operation = operations_.find(letter.operation);
  if (operation == nullptr) return;
  const session::SessionPtr session = operation->session;
  session->on_overlay(static_cast<std::uint32_t>(operation->sequence), std::move(letter.messages));
}

store::RetainedWalk Shard::read_retained(const store::RetainedQuery& query,
                                         FunctionRef<bool(const MessageView&)> visit) {
  if (query.filter.starts_with(kSysPrefix)) return {true, {}};  // never stored
  return store_.read_retained(query, visit);
}

// $SYS: only shard 0 knows it, and only while somebody listens.

/// With sys_interval = 0 there is no $SYS.
bool Shard::asks_for_sys(std::string_view filter) const noexcept {
  return filter.starts_with(kSysPrefix) && common_.config.sys_interval.count() != 0;
}

void Shard::count_sys_filter(std::string_view filter, int change) {
  if (id_ != 0 || !asks_for_sys(filter)) return;
  sys_filters_ += static_cast<std::uint32_t>(change);
  if (sys_filters_ == 0) return sys_timer_.cancel();
  if (sys_timer_.armed()) return;
  const auto interval = static_cast<std::uint64_t>(common_.config.sys_interval.count());
  timers_.arm(sys_timer_, timers_.now_ms() + interval);
}

void Shard::on_sys_timer() {
  sys_publish_due_ = true;
  gather_counters();
  const auto interval = static_cast<std::uint64_t>(common_.config.sys_interval.count());
  timers_.arm(sys_timer_, timers_.now_ms() + interval);
}

void Shard::gather_counters() {
  if (counters_missing_ > 0) return;  // the answers that are under way will serve this question too
  counters_sum_ = counters_now();
  counters_missing_ = shards_ - 1;
  for (ShardId shard = 1; shard < shards_; ++shard)
    post(shard, CountersRequestLetter{id_});
  if (counters_missing_ == 0) on_counters_complete();
}

void Shard::on(const CountersRequestLetter& letter) {
  post(letter.from, CountersLetter{counters_now()});
}

void Shard::on(const CountersLetter& letter) {
  counters_sum_ += letter.counters;
  if (--counters_missing_ == 0) on_counters_complete();
}

void Shard::on_counters_complete() {
  sys_topics_.update(counters_sum_, store_.figures(), timers_.now_ms());
  const auto topics = sys_topics_.list();
  std::vector<SysQuestion> questions;
  questions.swap(sys_questions_);
  for (const SysQuestion& question : questions) {
    std::vector<MessagePtr> messages;
    for (const SysTopic& one : topics) {
      if (!topic_matches(question.filter, one.topic)) continue;
      MessageView view;
      view.topic = one.topic;
      view.payload = one.value;
      view.qos = Qos::exactly_once;
      messages.push_back(Message::make(view));
    }
    send_overlay(question.reply, std::move(messages));
  }
  if (!std::exchange(sys_publish_due_, false)) return;
  for (const SysTopic& one : topics) {
    MessageView view;
    view.topic = one.topic;
    view.payload = one.value;
    view.qos = Qos::exactly_once;
    Publication publication(view);
    if (publish(publication, {}).state == session::Published::State::no_room) return;
  }
}

}  // namespace linnet::shard

// Interest: what the shards know of each other's subscriptions; and retained messages that are on
// their way to the store, which a new subscription must see.
#include <algorithm>
#include <utility>

#include "shard/shard.hpp"

namespace linnet::shard {

namespace {

constexpr std::string_view kSysPrefix = "$SYS/";

MessagePtr message_of(const SysTopic& topic) {
  MessageView view;
  view.topic = topic.topic;
  view.payload = topic.value;
  view.qos = Qos::exactly_once;
  return Message::make(view);
}

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

void Shard::ask_overlays(session::Session& session, std::string_view filter, std::uint32_t replay,
                         OperationId id) {
  Operation& operation = *operations_.find(id);
  operation.session = &session;
  operation.questions.push_back({std::string(filter), replay});
}

/// All shards know of the operation's filters now; false if some of them have still to answer.
bool Shard::ask_questions(OperationId id) {
  Operation& operation = *operations_.find(id);
  const auto questions = std::exchange(operation.questions, {});
  operation.held = true;  // this shard's own answer must not end it in here
  operation.pending = shards_;
  for (ShardId shard = 0; shard < shards_; ++shard) {
    if (shard != id_) post(shard, OverlayRequestLetter{questions, {id_, id}});
  }
  on(OverlayRequestLetter{questions, {id_, id}});
  Operation& asked = *operations_.find(id);
  asked.held = false;
  return asked.pending == 0;
}

void Shard::on(OverlayRequestLetter letter) {
  const bool about_sys = id_ == 0 && std::any_of(letter.questions.begin(), letter.questions.end(),
                                                 [this](const OverlayQuestion& question) {
                                                   return asks_for_sys(question.filter);
                                                 });
  if (!about_sys) return answer_questions(letter, {});
  sys_questions_.push_back(std::move(letter));
  gather_counters();
}

/// `topics` are those of $SYS, if they are known here.
void Shard::answer_questions(const OverlayRequestLetter& letter, std::span<const SysTopic> topics) {
  OverlayLetter answer;
  answer.operation = letter.reply.operation;
  for (const OverlayQuestion& question : letter.questions) {
    std::vector<MessagePtr> messages;
    overlay_.collect(question.filter, messages);
    for (const SysTopic& one : topics) {
      if (topic_matches(question.filter, one.topic)) messages.push_back(message_of(one));
    }
    if (!messages.empty()) answer.answers.push_back({question.replay, std::move(messages)});
  }
  if (!answer.answers.empty()) {
    if (letter.reply.shard == id_) {
      on(std::move(answer));
    } else {
      post(letter.reply.shard, std::move(answer));
    }
  }
  reply(letter.reply, {});
}

void Shard::on(OverlayLetter letter) {
  Operation* operation = operations_.find(letter.operation);
  if (operation == nullptr) return;
  const session::SessionPtr session = operation->session;
  for (OverlayAnswer& answer : letter.answers) {
    session->on_overlay(answer.replay, std::move(answer.messages));
  }
}

store::RetainedWalk Shard::read_retained(const store::RetainedQuery& query,
                                         FunctionRef<bool(const MessageView&)> visit) {
  if (query.filter.starts_with(kSysPrefix)) return {true, {}, 0};  // never stored
  return store_.read_retained(query, visit);
}

// $SYS: only shard 0 knows it, and only while somebody listens.

/// With sys_interval = 0 there is no $SYS.
bool Shard::asks_for_sys(std::string_view filter) const noexcept {
  return filter.starts_with(kSysPrefix) && config().sys_interval.count() != 0;
}

void Shard::count_sys_filter(std::string_view filter, int change) {
  if (id_ != 0 || !filter.starts_with(kSysPrefix)) return;
  sys_filters_ += static_cast<std::uint32_t>(change);
  if (sys_filters_ == 0) return sys_timer_.cancel();
  if (!sys_timer_.armed()) arm_sys_timer();
}

void Shard::arm_sys_timer() {
  const auto interval = static_cast<std::uint64_t>(config().sys_interval.count());
  if (interval != 0) timers_.arm(sys_timer_, timers_.now_ms() + interval);
}

/// The interval may be another one.
void Shard::update_sys_timer() {
  sys_timer_.cancel();
  if (sys_filters_ != 0) arm_sys_timer();
}

void Shard::on_sys_timer() {
  sys_publish_due_ = true;
  gather_counters();
  arm_sys_timer();
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
  auto topics = sys_topics_.list();
  append_memory(topics, common_.memory);
  if (common_.sys_source != nullptr) common_.sys_source->append_to(topics);
  std::vector<OverlayRequestLetter> questions;
  questions.swap(sys_questions_);
  for (const OverlayRequestLetter& letter : questions)
    answer_questions(letter, topics);
  if (!std::exchange(sys_publish_due_, false)) return;
  for (const SysTopic& one : topics) {
    Publication publication(message_of(one));
    if (publish(publication, {}).state == session::Published::State::no_room) return;
  }
}

}  // namespace linnet::shard

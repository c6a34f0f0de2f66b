// What the administrator asks and looks at: some of it in each turn.
#include <algorithm>
#include <iterator>
#include <utility>

#include "shard/shard.hpp"

namespace linnet::shard {

namespace {

/// Sessions that one turn looks at, for all questions together.
constexpr std::size_t kLooksPerTurn = 512;
constexpr std::size_t kErasesPerTurn = 64;
/// How often a list begins anew because the table of sessions has changed its order.
constexpr unsigned kRestartsMax = 16;
constexpr std::size_t kFiltersMax = 1000;

void consider(PendingInquiry& one, const session::Session& session) {
  const Question& question = one.inquiry->question();
  if (question.connected_only && session.connection() == nullptr) return;
  const bool by_id = question.order == Question::Order::by_id;
  if (by_id && session.client_id() <= question.after) return;
  const std::uint64_t burden = by_id ? 0 : session.burden();
  if (!by_id && burden == 0) return;
  ++one.found.matching;
  const std::uint64_t rank = by_id ? 0 : ~burden;
  if (one.kept.size() >= question.limit) {
    const auto& [worst_rank, worst_id] = one.kept.rbegin()->first;
    if (rank > worst_rank || (rank == worst_rank && session.client_id() >= worst_id)) return;
  }
  one.kept.insert_or_assign({rank, std::string(session.client_id())}, session.facts());
  if (one.kept.size() > question.limit) one.kept.erase(std::prev(one.kept.end()));
}

void finish(PendingInquiry& one) {
  for (auto& [place, facts] : one.kept)
    one.found.sessions.push_back(std::move(facts));
  one.inquiry->answer(std::move(one.found));
}

}  // namespace

void Shard::on(const ObserverLetter& letter) {
  if (letter.looks) {
    observers_.add(letter.observer);
  } else {
    observers_.remove(letter.observer);
  }
  services_.watch = observers_.empty() ? nullptr : &observers_;
}

void Shard::on(InquiryLetter letter) {
  const Question& question = letter.inquiry->question();
  Findings found;
  switch (question.kind) {
    case Question::Kind::counters: found.counters = counters_now(); break;
    case Question::Kind::kick: kick(question, found); break;
    case Question::Kind::list:
      if (!question.client_id.empty()) {
        describe(question, found);
        break;
      }
      [[fallthrough]];
    case Question::Kind::erase_retained:
      inquiries_.emplace_back().inquiry = std::move(letter.inquiry);
      return;
  }
  letter.inquiry->answer(std::move(found));
}

void Shard::describe(const Question& question, Findings& found) {
  const session::Session* session = find_session(question.client_id);
  if (session == nullptr) return;
  found.matching = 1;
  found.sessions.push_back(session->facts());
  found.sessions.back().filters = session->filters(kFiltersMax);
}

void Shard::kick(const Question& question, Findings& found) {
  const session::SessionPtr session = find_session(question.client_id);
  if (!session) return;
  found.matching = 1;
  if (question.ends_session) session->set_expiry(0);
  if (session::Connection* connection = session->connection()) {
    found.connected = 1;
    connection->kick();
  } else if (question.ends_session) {
    session->end();
  }
  found.ended = session->ended() ? 1 : 0;
}

bool Shard::inquires() const noexcept {
  return std::any_of(inquiries_.begin(), inquiries_.end(),
                     [](const PendingInquiry& one) { return !one.waits; });
}

void Shard::answer_some() {
  if (inquiries_.empty()) return;
  const std::size_t looks = std::max<std::size_t>(kLooksPerTurn / inquiries_.size(), 1);
  for (std::size_t left = inquiries_.size(); left > 0; --left) {
    PendingInquiry one = std::move(inquiries_.front());
    inquiries_.pop_front();
    if (one.inquiry->left_alone()) continue;
    const bool lists = one.inquiry->question().kind == Question::Kind::list;
    const bool done = lists ? look_at_some(one, looks) : erase_some(one);
    if (done) {
      finish(one);
    } else {
      inquiries_.push_back(std::move(one));
    }
  }
}

bool Shard::look_at_some(PendingInquiry& one, std::size_t looks) {
  auto at = sessions_.begin();
  if (one.last) {
    const bool same_order = sessions_.bucket_count() == one.buckets;
    const auto found =
        one.last->ended() || !same_order ? sessions_.end() : sessions_.find(one.last->client_id());
    if (found != sessions_.end()) {
      at = std::next(found);
    } else {
      one.found.matching = 0;
      one.found.partial = ++one.restarts > kRestartsMax;
      if (one.found.partial) return true;
    }
  }
  one.buckets = sessions_.bucket_count();
  for (; at != sessions_.end(); ++at) {
    consider(one, **at);
    if (--looks > 0) continue;
    one.last = *at;
    return false;
  }
  return true;
}

/// Those topics whose home is here: as if a client had published an empty retained message.
bool Shard::erase_some(PendingInquiry& one) {
  if (one.waits) return false;
  const std::vector<std::string>& topics = one.inquiry->question().topics;
  for (std::size_t left = kErasesPerTurn; one.next_topic < topics.size(); ++one.next_topic) {
    const std::string& topic = topics[one.next_topic];
    if (retained_home(topic) != id_) continue;
    if (left-- == 0) return false;
    MessageView view;
    view.topic = topic;
    view.retain = true;
    Publication publication(view);
    if (publish(publication, {}).state == session::Published::State::no_room) {
      one.waits = true;
      return false;
    }
    ++one.found.erased;
  }
  if (one.found.erased == 0) return true;
  one.operation = open(Operation::Kind::erasure);
  wait_for_store(one.operation);
  operations_.find(one.operation)->held = false;
  one.waits = true;
  return false;
}

void Shard::on_erased(OperationId operation, ReasonCode reason) {
  for (PendingInquiry& one : inquiries_) {
    if (one.operation != operation) continue;
    if (failed(reason)) std::swap(one.found.erased, one.found.refused);
    finish(one);
    return void(std::erase_if(inquiries_, [operation](const PendingInquiry& other) {
      return other.operation == operation;
    }));
  }
}

/// There is room again.
void Shard::erase_again() {
  for (PendingInquiry& one : inquiries_) {
    if (one.operation == 0) one.waits = false;
  }
}

}  // namespace linnet::shard

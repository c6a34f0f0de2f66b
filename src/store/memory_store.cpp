#include "store/memory_store.hpp"

#include <algorithm>
#include <mutex>

#include "base/topic.hpp"

namespace linnet::store {

namespace {

/// The part of a filter before its first wildcard: all topics that match begin with it, or are it
/// without its last separator (`a/#` matches `a`).
std::string_view literal_prefix(std::string_view filter) noexcept {
  auto prefix = filter.substr(0, filter.find_first_of("+#"));
  if (prefix.size() < filter.size() && prefix.ends_with('/')) prefix.remove_suffix(1);
  return prefix;
}

}  // namespace

MemoryStore::MemoryStore(const MemoryStoreLimits& limits, AnswerSink& sink)
    : limits_(limits), sink_(sink) {}

void MemoryStore::submit(Request request) {
  if (request.unit == 0) {
    const Ticket ticket = request.ticket;
    const std::uint32_t shard = request.shard;
    const Outcome outcome = apply_alone(std::move(request));
    if (ticket != 0) sink_.answer(shard, {ticket, outcome});
    return;
  }
  const std::unique_lock lock(mutex_);
  Unit& unit = units_[request.unit];
  const UnitId id = request.unit;
  contest(request);
  unit.parts.push_back({std::move(request), ++arrivals_});
  if (!unit.sealed || unit.parts.size() < unit.seal.parts) return;
  finish(unit);
  units_.erase(id);
}

/// A request of no unit. Without a retained message there is nothing to do, and nothing to lock: a
/// shard may submit it from within read_retained().
Outcome MemoryStore::apply_alone(Request&& request) {
  const bool retained =
      std::any_of(request.changes.begin(), request.changes.end(),
                  [](const Change& change) { return std::holds_alternative<PutRetained>(change); });
  if (!retained) return Outcome::committed;
  std::vector<Part> alone(1);
  alone.front().request = std::move(request);
  const std::unique_lock lock(mutex_);
  alone.front().arrival = ++arrivals_;
  const Outcome outcome = apply(alone);
  alone.clear();  // here, since a message's count may be touched only under the lock
  return outcome;
}

void MemoryStore::submit(const Seal& seal) {
  const std::unique_lock lock(mutex_);
  Unit& unit = units_[seal.unit];
  unit.seal = seal;
  unit.sealed = true;
  if (unit.parts.size() < seal.parts) return;
  finish(unit);
  units_.erase(seal.unit);
}

void MemoryStore::finish(Unit& unit) {
  const Outcome outcome = unit.seal.give_up ? Outcome::refused : apply(unit.parts);
  for (const Part& part : unit.parts) {
    settle(part.request);
    if (part.request.ticket != 0) {
      sink_.answer(part.request.shard, {part.request.ticket, outcome});
    }
  }
  if (unit.seal.ticket != 0) sink_.answer(unit.seal.shard, {unit.seal.ticket, outcome});
}

bool MemoryStore::fits(const std::vector<Part>& parts) const {
  std::uint64_t messages = retained_.size();
  std::uint64_t bytes = retained_bytes_;
  for (const Part& part : parts) {
    for (const Change& change : part.request.changes) {
      const auto* put = std::get_if<PutRetained>(&change);
      if (put == nullptr || put->message->payload().empty()) continue;
      const auto old = retained_.find(put->message->topic());
      bytes += put->message->memory_bytes();
      if (old == retained_.end()) {
        ++messages;
      } else {
        bytes -= old->second->memory_bytes();
      }
      if (messages > limits_.retained_messages_max || bytes > limits_.retained_bytes_max) {
        return false;
      }
    }
  }
  return true;
}

Outcome MemoryStore::apply(std::vector<Part>& parts) {
  if (!fits(parts)) return Outcome::full;
  for (Part& part : parts) {
    for (Change& change : part.request.changes) {
      auto* put = std::get_if<PutRetained>(&change);
      if (put == nullptr || is_outdated(put->message->topic(), part.arrival)) continue;
      put_retained(put->message);
    }
  }
  return Outcome::committed;
}

void MemoryStore::contest(const Request& request) {
  for (const Change& change : request.changes) {
    if (const auto* put = std::get_if<PutRetained>(&change)) {
      ++contested_[std::string(put->message->topic())].pending;
    }
  }
}

void MemoryStore::settle(const Request& request) {
  for (const Change& change : request.changes) {
    const auto* put = std::get_if<PutRetained>(&change);
    if (put == nullptr) continue;
    const auto found = contested_.find(put->message->topic());
    if (--found->second.pending == 0) contested_.erase(found);
  }
}

/// Whether a change that came later has been committed; if not, this one is the last from now on.
bool MemoryStore::is_outdated(std::string_view topic, std::uint64_t arrival) {
  const auto found = contested_.find(topic);
  if (found == contested_.end()) return false;
  if (arrival < found->second.applied) return true;
  found->second.applied = arrival;
  return false;
}

void MemoryStore::put_retained(MessagePtr message) {
  const auto old = retained_.find(message->topic());
  if (old != retained_.end()) retained_bytes_ -= old->second->memory_bytes();
  if (message->payload().empty()) {
    if (old != retained_.end()) retained_.erase(old);
    return;
  }
  retained_bytes_ += message->memory_bytes();
  if (old != retained_.end()) {
    old->second = std::move(message);
  } else {
    std::string topic(message->topic());
    retained_.emplace(std::move(topic), std::move(message));
  }
}

RetainedWalk MemoryStore::read_retained(const RetainedQuery& query,
                                        FunctionRef<bool(const MessageView&)> visit) const {
  const std::shared_lock lock(mutex_);
  if (!has_wildcard(query.filter)) {
    const auto found = retained_.find(query.filter);
    const bool wanted = found != retained_.end() && query.after.empty();
    return {!wanted || visit(found->second->view()), {}, 1};
  }
  const auto prefix = literal_prefix(query.filter);
  auto at =
      query.after < prefix ? retained_.lower_bound(prefix) : retained_.upper_bound(query.after);
  if (query.after.empty() && prefix.empty()) at = retained_.begin();
  RetainedWalk walk{false, std::string(query.after), 0};
  for (; at != retained_.end() && at->first.starts_with(prefix); ++at) {
    if (walk.looks == query.looks_max) return walk;
    ++walk.looks;
    if (topic_matches(query.filter, at->first) && !visit(at->second->view())) return walk;
    walk.last = at->first;
  }
  return {true, {}, walk.looks};
}

StoreFigures MemoryStore::figures() const noexcept {
  const std::shared_lock lock(mutex_);
  return {retained_.size(), retained_bytes_};
}

}  // namespace linnet::store

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
  unit.parts.push_back(std::move(request));
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
  std::vector<Request> alone;
  alone.push_back(std::move(request));
  const std::unique_lock lock(mutex_);
  return apply(alone);
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
  for (const Request& part : unit.parts) {
    if (part.ticket != 0) sink_.answer(part.shard, {part.ticket, outcome});
  }
  if (unit.seal.ticket != 0) sink_.answer(unit.seal.shard, {unit.seal.ticket, outcome});
}

bool MemoryStore::fits(const std::vector<Request>& requests) const {
  std::uint64_t messages = retained_.size();
  std::uint64_t bytes = retained_bytes_;
  for (const Request& request : requests) {
    for (const Change& change : request.changes) {
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

Outcome MemoryStore::apply(std::vector<Request>& requests) {
  if (!fits(requests)) return Outcome::full;
  for (Request& request : requests) {
    for (Change& change : request.changes) {
      // Moved out, since its count may be touched only under the lock.
      if (auto* put = std::get_if<PutRetained>(&change)) put_retained(std::move(put->message));
    }
  }
  return Outcome::committed;
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

bool MemoryStore::read_retained(std::string_view filter, std::string_view after,
                                FunctionRef<bool(const MessageView&)> visit) const {
  const std::shared_lock lock(mutex_);
  const auto prefix = literal_prefix(filter);
  auto at = after < prefix ? retained_.lower_bound(prefix) : retained_.upper_bound(after);
  if (after.empty() && prefix.empty()) at = retained_.begin();
  for (; at != retained_.end() && at->first.starts_with(prefix); ++at) {
    if (!topic_matches(filter, at->first)) continue;
    if (!visit(at->second->view())) return false;
  }
  return true;
}

StoreFigures MemoryStore::figures() const noexcept {
  const std::shared_lock lock(mutex_);
  return {retained_.size(), retained_bytes_};
}

}  // namespace linnet::store

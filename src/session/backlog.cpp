#include "session/backlog.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace linnet::session {

namespace {

/// Where a sequence is or would be: they rise from front to back.
std::size_t place_of(const Ring<OwedMessage>& ring, std::uint64_t sequence) noexcept {
  std::size_t first = 0;
  for (std::size_t end = ring.size(); first < end;) {
    const std::size_t middle = first + (end - first) / 2;
    if (ring[middle].sequence < sequence) {
      first = middle + 1;
    } else {
      end = middle;
    }
  }
  return first;
}

bool holds(const Ring<OwedMessage>& ring, std::size_t at, std::uint64_t sequence) noexcept {
  return at < ring.size() && ring[at].sequence == sequence;
}

}  // namespace

Backlog::Stored& Backlog::made_stored() {
  Body& body = this->body();
  if (!body.stored) body.stored = std::make_unique<Stored>();
  return *body.stored;
}

OwedMessage* Backlog::front() noexcept {
  if (stored() != nullptr && !stored()->head.empty()) return &stored()->head.front();
  if (!body_ || must_load() || body_->tail.empty()) return nullptr;
  return &body_->tail.front();
}

OwedMessage Backlog::pop() {
  LINNET_ASSERT(body_ != nullptr);
  auto& [tail, bytes, stored] = *body_;
  const bool from_head = stored && !stored->head.empty();
  LINNET_ASSERT(from_head || !must_load());
  Ring<OwedMessage>& ring = from_head ? stored->head : tail;
  OwedMessage message = std::move(ring.front());
  ring.pop_front();
  bytes -= message.bytes();
  const bool skips = stored && !stored->skip.empty() && !tail.empty();
  if (stored && stored->head.empty() && stored->messages == 0 && !skips) stored.reset();
  return message;
}

OwedMessage* Backlog::find_sequence(std::uint64_t sequence) noexcept {
  if (!body_) return nullptr;
  if (body_->stored) {
    Ring<OwedMessage>& head = body_->stored->head;
    const std::size_t at = place_of(head, sequence);
    if (holds(head, at, sequence)) return &head[at];
  }
  const std::size_t at = place_of(body_->tail, sequence);
  return holds(body_->tail, at, sequence) ? &body_->tail[at] : nullptr;
}

void Backlog::erase_sequence(std::uint64_t sequence) {
  Ring<OwedMessage>& tail = body().tail;
  const std::size_t in_tail = place_of(tail, sequence);
  Ring<OwedMessage>& ring = holds(tail, in_tail, sequence) ? tail : made_stored().head;
  const std::size_t at = &ring == &tail ? in_tail : place_of(ring, sequence);
  body_->bytes -= ring[at].bytes();
  ring.erase_at(at);
  skip(sequence);
}

void Backlog::load(OwedMessage&& message) {
  Stored& stored = *body_->stored;
  LINNET_ASSERT(message.sequence > stored.after && stored.messages > 0);
  stored.after = message.sequence;
  --stored.messages;
  stored.head.push_back(std::move(message));
}

void Backlog::load_nothing() {
  auto& [tail, bytes, stored] = *body_;
  stored->messages = 0;
  if (!stored->head.empty()) return;
  stored.reset();
  bytes = 0;
  for (std::size_t at = 0; at < tail.size(); ++at)
    bytes += tail[at].bytes();
}

void Backlog::rest() {
  if (!body_) return;
  Ring<OwedMessage>& tail = body_->tail;
  while (!tail.empty() && tail.front().committed && !tail.front().lent) {
    Stored& stored = made_stored();
    const std::uint64_t sequence = tail.front().sequence;
    // With nothing stored the range begins here; what lies before was never in it.
    if (stored.messages == 0) stored.after = sequence - 1;
    stored.last = sequence;
    ++stored.messages;
    tail.pop_front();
  }
}

void Backlog::rest_head() {
  Stored* const stored = this->stored();
  if (stored == nullptr || stored->head.empty()) return;
  Ring<OwedMessage>& head = stored->head;
  for (std::size_t at = 0; at < head.size(); ++at) {
    if (head[at].lent) return;
  }
  if (stored->messages == 0) stored->last = head.back().sequence;
  stored->after = head.front().sequence - 1;
  stored->messages += head.size();
  head.clear();
}

Backlog::Dropped Backlog::drop_unstored() {
  Dropped dropped;
  if (!body_) return dropped;
  Ring<OwedMessage>& tail = body_->tail;
  Ring<OwedMessage> kept;
  for (; !tail.empty(); tail.pop_front()) {
    if (tail.front().stored) {
      kept.push_back(std::move(tail.front()));
      continue;
    }
    ++dropped.messages;
    dropped.bytes += tail.front().bytes();
  }
  tail = std::move(kept);
  body_->bytes -= dropped.bytes;
  return dropped;
}

void Backlog::skip(std::uint64_t sequence) {
  if (!body_ || (body_->tail.empty() && !body_->stored)) return;
  made_stored().skip.insert(sequence);
}

void Backlog::restore(std::uint64_t messages, std::uint64_t bytes, std::uint64_t last_sequence) {
  if (messages == 0) return;
  Stored& stored = made_stored();
  stored.messages = messages;
  stored.last = last_sequence;
  body_->bytes = bytes;
}

void Backlog::restore_without(std::uint64_t sequence, std::size_t bytes) {
  if (!any_stored()) return;
  auto& [tail, all_bytes, stored] = *body_;
  --stored->messages;
  all_bytes -= std::min<std::uint64_t>(bytes, all_bytes);
  if (stored->messages == 0 && tail.empty()) {
    stored.reset();
    all_bytes = 0;
  } else {
    stored->skip.insert(sequence);
  }
}

}  // namespace linnet::session

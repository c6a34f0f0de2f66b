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

Backlog::Stored& Backlog::stored() {
  if (!stored_) stored_ = std::make_unique<Stored>();
  return *stored_;
}

OwedMessage* Backlog::front() noexcept {
  if (stored_ && !stored_->head.empty()) return &stored_->head.front();
  if (must_load() || tail_.empty()) return nullptr;
  return &tail_.front();
}

OwedMessage Backlog::pop() {
  const bool from_head = stored_ && !stored_->head.empty();
  LINNET_ASSERT(from_head || !must_load());
  Ring<OwedMessage>& ring = from_head ? stored_->head : tail_;
  OwedMessage message = std::move(ring.front());
  ring.pop_front();
  bytes_ -= message.bytes();
  const bool skips = stored_ && !stored_->skip.empty() && !tail_.empty();
  if (stored_ && stored_->head.empty() && stored_->messages == 0 && !skips) stored_.reset();
  return message;
}

OwedMessage* Backlog::find_sequence(std::uint64_t sequence) noexcept {
  if (stored_) {
    const std::size_t at = place_of(stored_->head, sequence);
    if (holds(stored_->head, at, sequence)) return &stored_->head[at];
  }
  const std::size_t at = place_of(tail_, sequence);
  return holds(tail_, at, sequence) ? &tail_[at] : nullptr;
}

void Backlog::erase_sequence(std::uint64_t sequence) {
  const std::size_t in_tail = place_of(tail_, sequence);
  Ring<OwedMessage>& ring = holds(tail_, in_tail, sequence) ? tail_ : stored().head;
  const std::size_t at = &ring == &tail_ ? in_tail : place_of(ring, sequence);
  bytes_ -= ring[at].bytes();
  ring.erase_at(at);
  skip(sequence);
}

void Backlog::load(OwedMessage message) {
  LINNET_ASSERT(message.sequence > stored_->after && stored_->messages > 0);
  stored_->after = message.sequence;
  --stored_->messages;
  stored_->head.push_back(std::move(message));
}

void Backlog::load_nothing() {
  stored_->messages = 0;
  if (!stored_->head.empty()) return;
  stored_.reset();
  bytes_ = 0;
  for (std::size_t at = 0; at < tail_.size(); ++at)
    bytes_ += tail_[at].bytes();
}

void Backlog::rest() {
  while (!tail_.empty() && tail_.front().committed && !tail_.front().lent) {
    Stored& stored = this->stored();
    const std::uint64_t sequence = tail_.front().sequence;
    // With nothing stored the range begins here; what lies before was never in it.
    if (stored.messages == 0) stored.after = sequence - 1;
    stored.last = sequence;
    ++stored.messages;
    tail_.pop_front();
  }
}

void Backlog::rest_head() {
  if (!stored_ || stored_->head.empty()) return;
  Ring<OwedMessage>& head = stored_->head;
  for (std::size_t at = 0; at < head.size(); ++at) {
    if (head[at].lent) return;
  }
  if (stored_->messages == 0) stored_->last = head.back().sequence;
  stored_->after = head.front().sequence - 1;
  stored_->messages += head.size();
  head.clear();
}

Backlog::Dropped Backlog::drop_unstored() {
  Dropped dropped;
  Ring<OwedMessage> kept;
  for (; !tail_.empty(); tail_.pop_front()) {
    if (tail_.front().stored) {
      kept.push_back(std::move(tail_.front()));
      continue;
    }
    ++dropped.messages;
    dropped.bytes += tail_.front().bytes();
  }
  tail_ = std::move(kept);
  bytes_ -= dropped.bytes;
  return dropped;
}

void Backlog::skip(std::uint64_t sequence) {
  if (tail_.empty() && !stored_) return;
  stored().skip.insert(sequence);
}

void Backlog::restore(std::uint64_t messages, std::uint64_t bytes, std::uint64_t last_sequence) {
  if (messages == 0) return;
  Stored& stored = this->stored();
  stored.messages = messages;
  stored.last = last_sequence;
  bytes_ = bytes;
}

void Backlog::restore_without(std::uint64_t sequence, std::size_t bytes) {
  if (!stored_ || stored_->messages == 0) return;
  --stored_->messages;
  bytes_ -= std::min<std::uint64_t>(bytes, bytes_);
  if (stored_->messages == 0 && tail_.empty()) {
    stored_.reset();
    bytes_ = 0;
  } else {
    stored_->skip.insert(sequence);
  }
}

}  // namespace linnet::session

#include "store/lane.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace linnet::store {

Slot* Lane::find(std::uint64_t number, bool& was_passed) noexcept {
  was_passed = number < first;
  if (!was_passed) {
    if (number >= end()) return nullptr;
    Slot& slot = at(number);
    return slot.body ? &slot : nullptr;
  }
  const auto found = passed.find(number);
  return found == passed.end() ? nullptr : &found->second;
}

void Lane::push(Slot slot) {
  requests_.store(requests_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  bytes_.store(bytes_.load(std::memory_order_relaxed) + slot.bytes, std::memory_order_relaxed);
  slots.push_back(std::move(slot));
}

void Lane::push(const EraseOutgoing& erase) {
  requests_.store(requests_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  bytes_.store(bytes_.load(std::memory_order_relaxed) + kRecordBytes, std::memory_order_relaxed);
  erased.push_back({erase, end()});
}

Slot Lane::pull(std::uint64_t number) {
  Slot pulled;
  if (number >= first) {
    LINNET_ASSERT(number < end());
    pulled = std::move(at(number));
  } else {
    const auto found = passed.find(number);
    LINNET_ASSERT(found != passed.end());
    pulled = std::move(found->second);
    passed.erase(found);
  }
  LINNET_ASSERT(pulled.body);
  count_out({1, pulled.bytes});
  drop_front();
  return pulled;
}

void Lane::drop_front() noexcept {
  while (!slots.empty() && !slots.front().body) {
    slots.pop_front();
    ++first;
  }
}

void Lane::count_out(const LaneUse& out) noexcept {
  // In one order with has_room()'s mark, so that either it sees the room or is told of it.
  requests_.store(requests_.load(std::memory_order_relaxed) - out.requests);
  bytes_.store(bytes_.load(std::memory_order_relaxed) - out.bytes);
}

LaneUse Lane::use() const noexcept {
  return {requests_.load(), bytes_.load()};
}

std::size_t bytes_of(const Request& request) noexcept {
  std::size_t bytes =
      kRecordBytes * std::max(request.outgoing.size() + request.changes.size(), std::size_t{1});
  if (request.message) bytes += request.message->memory_bytes();
  for (const Change& change : request.changes) {
    if (const auto* put = std::get_if<PutRetained>(&change)) bytes += put->message->memory_bytes();
    if (const auto* will = std::get_if<PutWill>(&change)) bytes += will->message->memory_bytes();
    if (const auto* session = std::get_if<PutSession>(&change)) {
      bytes += session->client_id.size() + session->user_name.size();
    }
  }
  return bytes;
}

}  // namespace linnet::store

#include "session/inflight.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace linnet::session {

namespace {

constexpr std::uint32_t kIds = 65'535;

PacketId packet_id_of(std::uint64_t number) noexcept {
  return static_cast<PacketId>((number - 1) % kIds + 1);
}

}  // namespace

OwedMessage owe(MessagePtr message, const Terms& terms) {
  OwedMessage owed;
  owed.message = std::move(message);
  owed.group = terms.group;
  owed.qos = terms.qos;
  owed.retain = terms.retain;
  const auto ids = terms.subscription_ids;
  if (ids.size() == 1) owed.id = ids.front();
  if (ids.size() > 1) {
    owed.ids = std::make_unique<std::vector<std::uint32_t>>(ids.begin(), ids.end());
  }
  return owed;
}

/// Those that were acknowledged in between keep their places, so that a place is a subtraction.
void Inflight::fill_up_to(Window& window, std::uint64_t number) {
  Ring<OwedMessage>& entries = window.entries;
  while (!entries.empty() && entries.back().number + 1 < number) {
    OwedMessage gap;
    gap.number = entries.back().number + 1;
    gap.packet_id = packet_id_of(gap.number);
    gap.state = OwedMessage::State::done;
    entries.push_back(std::move(gap));
  }
}

OwedMessage& Inflight::push(OwedMessage&& message) {
  Window& window = this->window();
  fill_up_to(window, window.last_number + 1);
  message.number = ++window.last_number;
  message.packet_id = packet_id_of(message.number);
  ++window.active;
  return window.entries.push_back(std::move(message));
}

void Inflight::restore(OwedMessage&& message) {
  Window& window = this->window();
  LINNET_ASSERT(window.entries.empty() || message.number > window.entries.back().number);
  fill_up_to(window, message.number);
  window.last_number = std::max(window.last_number, message.number);
  message.packet_id = packet_id_of(message.number);
  ++window.active;
  window.entries.push_back(std::move(message));
}

OwedMessage* Inflight::find(PacketId packet_id) noexcept {
  if (empty() || packet_id == 0) return nullptr;
  Ring<OwedMessage>& entries = window_->entries;
  const std::size_t index = (packet_id + kIds - entries.front().packet_id) % kIds;
  if (index >= entries.size()) return nullptr;
  OwedMessage& entry = entries[index];
  return entry.state == OwedMessage::State::done ? nullptr : &entry;
}

OwedMessage* Inflight::find_sequence(std::uint64_t sequence) noexcept {
  if (!window_) return nullptr;
  Ring<OwedMessage>& entries = window_->entries;
  for (std::size_t at = entries.size(); at-- > 0;) {
    OwedMessage& entry = entries[at];
    if (entry.sequence == sequence && entry.state != OwedMessage::State::done) return &entry;
  }
  return nullptr;
}

void Inflight::finish(OwedMessage& message) noexcept {
  Window& window = *window_;
  message.message.reset();
  message.ids.reset();
  message.state = OwedMessage::State::done;
  --window.active;
  if (message.takes_quota) --window.quota_taken;
  while (!window.entries.empty() && window.entries.front().state == OwedMessage::State::done) {
    window.entries.pop_front();
    if (window.sent > 0) --window.sent;
  }
}

OwedMessage* Inflight::next_to_send() noexcept {
  if (!window_) return nullptr;
  Window& window = *window_;
  while (window.sent < window.entries.size()) {
    OwedMessage& entry = window.entries[window.sent];
    if (entry.state != OwedMessage::State::done) return &entry;
    ++window.sent;
  }
  return nullptr;
}

void Inflight::rewind() noexcept {
  if (!window_) return;
  window_->sent = 0;
  window_->quota_taken = 0;
  for_each([](OwedMessage& entry) {
    entry.takes_quota = false;
    if (entry.state != OwedMessage::State::sent) return;
    entry.state = OwedMessage::State::ready;
    entry.dup = true;
  });
}

void Inflight::clear() noexcept {
  if (!window_) return;
  window_->entries.clear();
  window_->active = 0;
  window_->sent = 0;
  window_->quota_taken = 0;
}

}  // namespace linnet::session

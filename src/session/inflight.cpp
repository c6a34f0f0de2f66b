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
void Inflight::fill_up_to(std::uint64_t number) {
  while (!entries_.empty() && entries_.back().number + 1 < number) {
    OwedMessage gap;
    gap.number = entries_.back().number + 1;
    gap.packet_id = packet_id_of(gap.number);
    gap.state = OwedMessage::State::done;
    entries_.push_back(std::move(gap));
  }
}

OwedMessage& Inflight::push(OwedMessage message) {
  fill_up_to(last_number_ + 1);
  message.number = ++last_number_;
  message.packet_id = packet_id_of(message.number);
  ++active_;
  return entries_.push_back(std::move(message));
}

void Inflight::restore(OwedMessage message) {
  LINNET_ASSERT(entries_.empty() || message.number > entries_.back().number);
  fill_up_to(message.number);
  last_number_ = std::max(last_number_, message.number);
  message.packet_id = packet_id_of(message.number);
  ++active_;
  entries_.push_back(std::move(message));
}

OwedMessage* Inflight::find(PacketId packet_id) noexcept {
  if (entries_.empty() || packet_id == 0) return nullptr;
  const std::size_t index = (packet_id + kIds - entries_.front().packet_id) % kIds;
  if (index >= entries_.size()) return nullptr;
  OwedMessage& entry = entries_[index];
  return entry.state == OwedMessage::State::done ? nullptr : &entry;
}

OwedMessage* Inflight::find_sequence(std::uint64_t sequence) noexcept {
  for (std::size_t at = entries_.size(); at-- > 0;) {
    OwedMessage& entry = entries_[at];
    if (entry.sequence == sequence && entry.state != OwedMessage::State::done) return &entry;
  }
  return nullptr;
}

void Inflight::finish(OwedMessage& message) noexcept {
  message.message.reset();
  message.ids.reset();
  message.state = OwedMessage::State::done;
  --active_;
  if (message.takes_quota) --quota_taken_;
  while (!entries_.empty() && entries_.front().state == OwedMessage::State::done) {
    entries_.pop_front();
    if (sent_ > 0) --sent_;
  }
}

OwedMessage* Inflight::next_to_send() noexcept {
  while (sent_ < entries_.size()) {
    if (entries_[sent_].state != OwedMessage::State::done) return &entries_[sent_];
    ++sent_;
  }
  return nullptr;
}

void Inflight::rewind() noexcept {
  sent_ = 0;
  quota_taken_ = 0;
  for_each([](OwedMessage& entry) {
    entry.takes_quota = false;
    if (entry.state != OwedMessage::State::sent) return;
    entry.state = OwedMessage::State::ready;
    entry.dup = true;
  });
}

void Inflight::clear() noexcept {
  entries_.clear();
  active_ = 0;
  sent_ = 0;
  quota_taken_ = 0;
}

}  // namespace linnet::session

// Retained messages: admission under the limits, the last one of each topic, the index of expiries.
#include <algorithm>

#include "base/log.hpp"
#include "store/table_writer.hpp"

namespace linnet::store {

namespace {

// What a damaged record counts for: it is there, and its size is not known.
constexpr std::uint64_t kDamagedBytes = 1;

std::uint64_t less(std::uint64_t value, std::uint64_t by) noexcept {
  return value - std::min(value, by);
}

bool exceeds(std::uint64_t after, std::uint64_t before, std::uint64_t limit) noexcept {
  return after > limit && after > before;
}

}  // namespace

bool TableWriter::admit_retained(const Message& message) {
  bool clash = false;
  const std::size_t index = retained_change(message, clash);
  if (clash || status_ != Status::ok) return false;
  RetainedChange& change = on_.scratch.retained[index];
  Meta& meta = on_.meta;
  const std::uint64_t bytes = message.payload().empty() ? 0 : owed_bytes(message.view());
  const std::uint64_t messages_after =
      less(meta.retained_messages, change.bytes != 0 ? 1 : 0) + (bytes != 0 ? 1 : 0);
  const std::uint64_t bytes_after = less(meta.retained_bytes, change.bytes) + bytes;
  if (exceeds(messages_after, meta.retained_messages, on_.limits.retained_messages_max) ||
      exceeds(bytes_after, meta.retained_bytes, on_.limits.retained_bytes_max)) {
    return false;
  }
  on_.scratch.retained_before.emplace_back(index, change);
  change.message = &message;
  change.bytes = bytes;
  meta.retained_messages = messages_after;
  meta.retained_bytes = bytes_after;
  return true;
}

/// The place of the topic's change; `clash` if a topic with the same hash is in its place.
std::size_t TableWriter::retained_change(const Message& message, bool& clash) {
  auto& scratch = on_.scratch;
  const auto known = scratch.retained_at.find(message.topic());
  if (known != scratch.retained_at.end()) return known->second;
  RetainedChange change;
  change.topic = message.topic();
  if (!load_retained(change)) {
    clash = true;
    log::error("store",
               "two long topics have the same hash; "
               "the second retained message is refused");
    return 0;
  }
  scratch.retained_at.emplace(change.topic, scratch.retained.size());
  scratch.retained.push_back(change);
  return scratch.retained.size() - 1;
}

/// False if another topic is there.
bool TableWriter::load_retained(RetainedChange& change) {
  const Key key = retained_key(change.topic, on_.meta.seeds);
  std::string_view record;
  if (!get(Table::retained, key, record)) return true;
  change.stored = true;
  MessageView stored;
  if (!read_retained_record(key.bytes(), record, on_.clock, on_.scratch.topic, stored)) {
    note_damage(Table::retained, key.bytes());
    change.bytes = kDamagedBytes;
    return true;
  }
  if (stored.topic != change.topic) return false;
  change.bytes = owed_bytes(stored);
  change.stored_expiry = on_.clock.to_stored(stored.expires_at_ms);
  return true;
}

void TableWriter::write_all_retained() {
  auto& changes = on_.scratch.retained;
  std::sort(changes.begin(), changes.end(),
            [](const auto& one, const auto& other) { return one.topic < other.topic; });
  for (const RetainedChange& change : changes) {
    if (change.message != nullptr && status_ == Status::ok) write_retained(change);
  }
}

void TableWriter::write_retained(const RetainedChange& change) {
  const MessageView message = change.message->view();
  const bool clears = message.payload.empty();
  if (clears && !change.stored) return;
  const Key key = retained_key(change.topic, on_.meta.seeds);
  const std::uint64_t expiry = clears ? 0 : on_.clock.to_stored(message.expires_at_ms);
  if (change.stored_expiry != 0 && change.stored_expiry != expiry) {
    // One of before the last start may be under another time; sweep_expired() finds it then.
    erase(Table::expiries, number_key(change.stored_expiry).raw(key.bytes()));
    expiries_changed_ = true;
  }
  if (clears) {
    erase(Table::retained, key);
    return;
  }
  write_retained_record(on_.scratch.record, key.bytes(), message, on_.clock);
  changed_ = true;
  if (!ok(cursor(retained_, Table::retained).put(key.bytes(), on_.scratch.record))) return;
  if (expiry == 0 || expiry == change.stored_expiry) return;
  const Key entry = number_key(expiry).raw(key.bytes());
  write_empty_record(on_.scratch.record, entry.bytes());
  put(Table::expiries, entry, on_.scratch.record);
  expiries_changed_ = true;
}

void TableWriter::find_next_expiry() {
  on_.scratch.next_expiry = 0;
  Cursor at(on_.transaction, Table::expiries);
  if (status_ == Status::ok && found(at.seek(number_key(0).bytes())) && at.key().size() > 8) {
    on_.scratch.next_expiry = std::max<std::uint64_t>(read_u64(at.key()), 1);
  }
}

}  // namespace linnet::store

// Takes away what has no use any more, a bounded piece at a time: what ended sessions were owed,
// and retained messages that have expired.
#include <algorithm>
#include <string>

#include "store/table_writer.hpp"

namespace linnet::store {

namespace {

// A transaction that never gets long, and far from the number of pages that LMDB allows in one.
constexpr std::size_t kSweepMax = 1'000;

}  // namespace

std::size_t TableWriter::sweep_doomed(std::size_t records_max) {
  std::size_t count = 0;
  while (status_ == Status::ok) {
    SessionNumber session = 0;
    {
      Cursor at(on_.transaction, Table::doomed);
      if (!found(at.seek(number_key(0).bytes()))) {
        on_.scratch.doomed = false;
        break;
      }
      session = read_u64(at.key());
    }
    if (count == records_max) break;
    const std::size_t erased = erase_outgoing_of(session, records_max - count);
    count += erased;
    if (count == records_max) break;
    erase(Table::doomed, number_key(session));
  }
  return count;
}

std::size_t TableWriter::sweep_expired(std::size_t records_max) {
  const std::uint64_t now = on_.clock.now_stored();
  std::size_t count = 0;
  std::string entry;
  expiries_changed_ = true;
  Cursor at(on_.transaction, Table::expiries);
  bool more = status_ == Status::ok && found(at.seek(number_key(0).bytes()));
  for (; more && count < records_max; more = found(at.next()), ++count) {
    entry = at.key();
    constexpr std::size_t kTimeSize = 8;
    if (entry.size() > kTimeSize && read_u64(entry) > now) break;
    changed_ = true;
    if (!ok(at.erase())) break;
    if (entry.size() > kTimeSize) erase_expired(std::string_view(entry).substr(kTimeSize), now);
  }
  return count;
}

/// The entry may be of an earlier message of the topic: the record itself tells.
void TableWriter::erase_expired(std::string_view key_bytes, std::uint64_t now) {
  const Key key = Key().raw(key_bytes);
  std::string_view record;
  if (!get(Table::retained, key, record)) return;
  MessageView message;
  std::uint64_t bytes = 0;
  if (read_retained_record(key_bytes, record, on_.clock, on_.scratch.topic, message)) {
    if (message.expires_at_ms == kNever || on_.clock.to_stored(message.expires_at_ms) > now) return;
    bytes = owed_bytes(message);
  } else {
    note_damage(Table::retained, key_bytes);
  }
  Meta& meta = on_.meta;
  meta.retained_messages -= std::min<std::uint64_t>(meta.retained_messages, 1);
  meta.retained_bytes -= std::min(meta.retained_bytes, bytes);
  erase(Table::retained, key);
}

Status Database::sweep(bool& more) {
  more = false;
  if (!environment_) return Status::failed;
  const auto expired = [this] {
    return scratch_->next_expiry != 0 && scratch_->next_expiry <= clock_.now_stored();
  };
  if (!scratch_->doomed && !expired()) return Status::ok;
  const MapGuard guard;
  Transaction transaction;
  Status status = environment_->begin_write(transaction);
  if (status != Status::ok) return status;
  Meta meta = meta_;
  meta.clock = clock_.mark();
  TableWriter writer({transaction, *scratch_, meta, clock_, options_, damaged_});
  const std::size_t swept = writer.sweep_doomed(kSweepMax);
  writer.sweep_expired(kSweepMax - swept);
  writer.finish();
  status = finish(writer, transaction, guard, meta);
  more = status == Status::ok && (scratch_->doomed || expired());
  return status;
}

}  // namespace linnet::store

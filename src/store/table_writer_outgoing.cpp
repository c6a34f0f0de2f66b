// Outgoing messages: their records, their bodies, what a session is owed in all.
#include <algorithm>

#include "base/assert.hpp"
#include "store/table_writer.hpp"

namespace linnet::store {

namespace {

std::uint64_t less(std::uint64_t value, std::uint64_t by) noexcept {
  return value - std::min(value, by);
}

Key references_key(std::uint64_t body) noexcept {
  return number_key(body).u8(0);
}

}  // namespace

/// The parts carry copies of one message: it is stored once, inline if one session alone is owed
/// it.
void TableWriter::write_outgoing(const Unit& unit) {
  std::size_t wanted = 0;
  for (const Request& part : unit.parts) {
    for (const PutOutgoing& put : part.outgoing) {
      wanted += !put.taken_back && exists(put.session) ? 1U : 0U;
    }
  }
  if (wanted == 0) return;
  const std::uint64_t body = wanted > 1 ? on_.meta.next_body : 0;
  std::uint64_t references = 0;
  const Message* message = nullptr;
  for (const Request& part : unit.parts) {
    for (const PutOutgoing& put : part.outgoing) {
      if (put.taken_back || !exists(put.session)) continue;
      LINNET_ASSERT(part.message);
      if (!put_outgoing(*part.message, put, body)) continue;
      ++references;
      if (message == nullptr) message = part.message.get();
    }
  }
  if (body == 0 || references == 0) return;
  ++on_.meta.next_body;
  put_body(body, references, *message);
}

/// False if it is there already: the batch is then written a second time, and the record counted.
bool TableWriter::put_outgoing(const Message& message, const PutOutgoing& put_out,
                               std::uint64_t body) {
  if (status_ != Status::ok) return false;
  const MessageView view = message.view();
  const std::size_t bytes = owed_bytes(view);
  const Key key = outgoing_key(put_out.session, put_out.sequence);
  if (body == 0) {
    write_record(on_.scratch.record, key.bytes(), put_out, view, on_.clock);
  } else {
    const BodyReference reference{body, static_cast<std::uint32_t>(bytes)};
    write_record(on_.scratch.record, key.bytes(), put_out, reference);
  }
  const Status status = cursor(outgoing_, Table::sessions).put_new(key.bytes(), on_.scratch.record);
  if (status == Status::exists || !ok(status)) return false;
  changed_ = true;
  SessionState& state = session_of(put_out.session);
  ++state.owed.messages;
  state.owed.bytes += bytes;
  touch_owed(put_out.session, state);
  if (put_out.number != 0) {
    put_inflight({put_out.session, put_out.number, put_out.sequence, OutgoingState::sent});
  }
  return true;
}

void TableWriter::put_body(std::uint64_t body, std::uint64_t references, const Message& message) {
  const Key key = number_key(body);
  write_body_record(on_.scratch.record, key.bytes(), static_cast<std::uint32_t>(references),
                    message.view(), on_.clock);
  put(Table::bodies, key, on_.scratch.record);
  const Key count = references_key(body);
  write_record(on_.scratch.record, count.bytes(), OwedTotals{references, 0});
  put(Table::bodies, count, on_.scratch.record);
}

void TableWriter::put_inflight(const PutInflight& put_in) {
  if (status_ != Status::ok) return;
  const Key key = inflight_key(put_in.session, put_in.number);
  write_record(on_.scratch.record, key.bytes(), put_in);
  changed_ = true;
  ok(cursor(inflight_, Table::sessions).put(key.bytes(), on_.scratch.record));
}

void TableWriter::apply(const PutInflight& put_in) {
  if (!exists(put_in.session)) return;
  if (put_in.state == OutgoingState::released) {
    if (!erase_outgoing(put_in.session, put_in.sequence)) return;
  } else {
    std::string_view record;
    if (!get(Table::sessions, outgoing_key(put_in.session, put_in.sequence), record)) return;
  }
  put_inflight(put_in);
}

void TableWriter::erase(const EraseOutgoing& erase_out) {
  if (status_ != Status::ok || !exists(erase_out.session)) return;
  erase_outgoing(erase_out.session, erase_out.sequence);
  if (erase_out.number == 0 || status_ != Status::ok) return;
  const Key key = inflight_key(erase_out.session, erase_out.number);
  Cursor& at = cursor(inflight_erased_, Table::sessions);
  if (!found(at.seek(key.bytes())) || at.key() != key.bytes()) return;
  changed_ = true;
  ok(at.erase());
}

bool TableWriter::erase_outgoing(SessionNumber session, std::uint64_t sequence) {
  if (status_ != Status::ok) return false;
  const Key key = outgoing_key(session, sequence);
  Cursor& at = cursor(erased_, Table::sessions);
  if (!found(at.seek(key.bytes())) || at.key() != key.bytes()) return false;
  OutgoingRecord record;
  std::size_t bytes = 0;
  if (read_record(key.bytes(), at.value(), on_.clock, record)) {
    bytes = drop_body(record);
  } else {
    note_damage(Table::sessions, key.bytes());
  }
  changed_ = true;
  if (!ok(at.erase())) return false;
  SessionState& state = session_of(session);
  state.owed.messages = less(state.owed.messages, 1);
  state.owed.bytes = less(state.owed.bytes, bytes);
  touch_owed(session, state);
  return true;
}

/// Returns the bytes that the message counts for.
std::size_t TableWriter::drop_body(const OutgoingRecord& record) {
  if (record.reference.body == 0) return owed_bytes(record.message);
  ++on_.scratch.dropped[record.reference.body];
  return record.reference.bytes;
}

std::size_t TableWriter::erase_outgoing_of(SessionNumber session, std::size_t records_max) {
  if (status_ != Status::ok) return 0;
  Cursor at(on_.transaction, Table::sessions);
  std::size_t count = 0;
  bool more = found(at.seek(outgoing_key(session, 0).bytes()));
  for (; more && count < records_max; more = found(at.next())) {
    SessionKey key;
    if (!parse_session_key(at.key(), key) || key.session != session) break;
    OutgoingRecord record;
    if (read_record(at.key(), at.value(), on_.clock, record)) {
      drop_body(record);
    } else {
      note_damage(Table::sessions, at.key());
    }
    changed_ = true;
    if (!ok(at.erase())) break;
    ++count;
  }
  return count;
}

/// In the order of their keys, since neighbours stand on one page.
void TableWriter::write_drops() {
  auto& drops = on_.scratch.dropped_in_order;
  drops.assign(on_.scratch.dropped.begin(), on_.scratch.dropped.end());
  std::sort(drops.begin(), drops.end());
  for (const auto& [body, dropped] : drops) {
    const Key key = references_key(body);
    std::string_view record;
    OwedTotals references;
    if (!get(Table::bodies, key, record)) continue;
    if (!read_record(key.bytes(), record, references)) {
      // Who else refers to it is not known: it stays.
      note_damage(Table::bodies, key.bytes());
      continue;
    }
    references.messages = less(references.messages, dropped);
    if (references.messages == 0) {
      erase(Table::bodies, key);
      erase(Table::bodies, number_key(body));
      continue;
    }
    write_record(on_.scratch.record, key.bytes(), references);
    put(Table::bodies, key, on_.scratch.record);
  }
}

void TableWriter::write_owed() {
  auto& sessions = on_.scratch.owed_changed;
  std::sort(sessions.begin(), sessions.end());
  for (const SessionNumber session : sessions) {
    SessionState& state = session_of(session);
    state.owed_changed = false;
    if (!state.exists) continue;
    const Key key = session_key(session, Kind::owed);
    if (state.owed.messages == 0) {
      state.owed.bytes = 0;
      erase(Table::sessions, key);
      continue;
    }
    write_record(on_.scratch.record, key.bytes(), state.owed);
    put(Table::sessions, key, on_.scratch.record);
  }
}

}  // namespace linnet::store

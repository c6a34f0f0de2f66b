#include "store/table_writer.hpp"

#include <algorithm>

#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet::store {

bool TableWriter::ok(Status status) noexcept {
  if (status_ == Status::ok) status_ = status;
  return status_ == Status::ok;
}

bool TableWriter::found(Status status) noexcept {
  if (status == Status::not_found) return false;
  return ok(status);
}

bool TableWriter::get(Table table, const Key& key, std::string_view& value) {
  return status_ == Status::ok && found(on_.transaction.get(table, key.bytes(), value));
}

void TableWriter::put(Table table, const Key& key, std::string_view record) {
  if (status_ != Status::ok) return;
  changed_ = true;
  ok(on_.transaction.put(table, key.bytes(), record));
}

bool TableWriter::erase(Table table, const Key& key) {
  if (status_ != Status::ok || !found(on_.transaction.erase(table, key.bytes()))) return false;
  changed_ = true;
  return true;
}

void TableWriter::note_damage(Table table, std::string_view key) noexcept {
  on_.damaged.fetch_add(1, std::memory_order_relaxed);
  log::warn("store", cat("a damaged record is replaced or erased: table ",
                         static_cast<unsigned>(table), ", key of ", key.size(), " bytes"));
}

Cursor& TableWriter::cursor(std::optional<Cursor>& cursor, Table table) {
  if (!cursor) cursor.emplace(on_.transaction, table);
  return *cursor;
}

void TableWriter::write(Unit& unit) {
  if (status_ != Status::ok || unit.outcome == Outcome::refused) return;
  if (unit.outcome == Outcome::full) unit.outcome = Outcome::committed;
  if (!admit(unit)) {
    if (status_ == Status::ok) unit.outcome = Outcome::full;
    return;
  }
  for (const Request& part : unit.parts) {
    for (const Change& change : part.changes) {
      if (const auto* put = std::get_if<PutSession>(&change)) apply(*put);
    }
  }
  write_outgoing(unit);
  for (const Request& part : unit.parts) {
    for (const Change& change : part.changes) {
      std::visit(
          [this](const auto& step) {
            using Step = std::remove_cvref_t<decltype(step)>;
            constexpr bool kDone =
                std::is_same_v<Step, PutSession> || std::is_same_v<Step, PutRetained>;
            if constexpr (!kDone) apply(step);
          },
          change);
    }
  }
}

/// Counts the unit's retained messages as if they were written, and takes that back if one of them
/// is too much: a unit is whole or not at all.
bool TableWriter::admit(const Unit& unit) {
  auto& before = on_.scratch.retained_before;
  before.clear();
  const std::uint64_t messages = on_.meta.retained_messages;
  const std::uint64_t bytes = on_.meta.retained_bytes;
  bool fits = true;
  for (const Request& part : unit.parts) {
    for (const Change& change : part.changes) {
      if (const auto* put = std::get_if<PutRetained>(&change)) {
        fits = fits && admit_retained(*put->message);
      } else if (const auto* subscription = std::get_if<PutSubscription>(&change)) {
        fits = fits && admit_subscription(*subscription);
      }
    }
  }
  if (fits && status_ == Status::ok) return true;
  std::for_each(before.rbegin(), before.rend(),
                [this](const auto& old) { on_.scratch.retained[old.first] = old.second; });
  on_.meta.retained_messages = messages;
  on_.meta.retained_bytes = bytes;
  return false;
}

bool TableWriter::admit_subscription(const PutSubscription& put) {
  if (!is_hashed(put.filter)) return true;
  const Key key = subscription_key(put.session, put.filter, on_.meta.seeds);
  std::string_view record;
  StoredSubscription stored;
  if (!get(Table::sessions, key, record) || !read_record(key.bytes(), record, stored) ||
      stored.filter == put.filter) {
    return true;
  }
  log::error("store",
             "two long topic filters of one session have the same hash; "
             "the second one is refused");
  return false;
}

SessionState& TableWriter::session_of(SessionNumber session) {
  const auto [at, is_new] = on_.scratch.sessions.try_emplace(session);
  SessionState& state = at->second;
  if (!is_new) return state;
  std::string_view record;
  state.exists = get(Table::sessions, session_key(session, Kind::session), record);
  if (!state.exists) return state;
  const Key key = session_key(session, Kind::owed);
  if (get(Table::sessions, key, record) && !read_record(key.bytes(), record, state.owed)) {
    note_damage(Table::sessions, key.bytes());
  }
  return state;
}

void TableWriter::touch_owed(SessionNumber session, SessionState& state) {
  if (state.owed_changed) return;
  state.owed_changed = true;
  on_.scratch.owed_changed.push_back(session);
}

void TableWriter::apply(const PutSession& put_session) {
  session_of(put_session.session).exists = true;
  on_.meta.next_session = std::max(on_.meta.next_session, put_session.session + 1);
  const Key key = session_key(put_session.session, Kind::session);
  write_record(on_.scratch.record, key.bytes(), put_session, on_.clock);
  put(Table::sessions, key, on_.scratch.record);
}

void TableWriter::apply(const EraseSession& erase_session) {
  SessionState& state = session_of(erase_session.session);
  if (!state.exists || status_ != Status::ok) return;
  state.exists = false;
  state.owed = {};
  changed_ = true;
  Cursor at(on_.transaction, Table::sessions);
  bool more = found(at.seek(number_key(erase_session.session).bytes()));
  for (; more; more = found(at.next())) {
    SessionKey key;
    if (!parse_session_key(at.key(), key) || key.session != erase_session.session) return;
    if (key.kind == Kind::outgoing) break;
    if (!ok(at.erase())) return;
  }
  if (!more) return;
  const Key key = number_key(erase_session.session);
  write_empty_record(on_.scratch.record, key.bytes());
  put(Table::doomed, key, on_.scratch.record);
  on_.scratch.doomed = true;
}

void TableWriter::apply(const PutWill& put_will) {
  if (!exists(put_will.session)) return;
  const Key key = session_key(put_will.session, Kind::will);
  write_record(on_.scratch.record, key.bytes(), put_will, on_.clock);
  put(Table::sessions, key, on_.scratch.record);
}

void TableWriter::apply(const EraseWill& erase_will) {
  if (!exists(erase_will.session)) return;
  erase(Table::sessions, session_key(erase_will.session, Kind::will));
}

void TableWriter::apply(const PutSubscription& put_subscription) {
  if (!exists(put_subscription.session)) return;
  const Key key =
      subscription_key(put_subscription.session, put_subscription.filter, on_.meta.seeds);
  write_record(on_.scratch.record, key.bytes(), put_subscription);
  put(Table::sessions, key, on_.scratch.record);
}

void TableWriter::apply(const EraseSubscription& erase_subscription) {
  if (!exists(erase_subscription.session)) return;
  const Key key =
      subscription_key(erase_subscription.session, erase_subscription.filter, on_.meta.seeds);
  std::string_view record;
  StoredSubscription stored;
  const bool others = is_hashed(erase_subscription.filter) && get(Table::sessions, key, record) &&
                      read_record(key.bytes(), record, stored) &&
                      stored.filter != erase_subscription.filter;
  if (!others) erase(Table::sessions, key);
}

void TableWriter::apply(const PutReceived& put_received) {
  if (!exists(put_received.session)) return;
  const Key key = received_key(put_received.session, put_received.packet_id);
  write_empty_record(on_.scratch.record, key.bytes());
  put(Table::sessions, key, on_.scratch.record);
}

void TableWriter::apply(const EraseReceived& erase_received) {
  if (!exists(erase_received.session)) return;
  erase(Table::sessions, received_key(erase_received.session, erase_received.packet_id));
}

void TableWriter::finish() {
  write_all_retained();
  write_drops();
  write_owed();
  if (expiries_changed_) find_next_expiry();
  for (auto* at : {&outgoing_, &erased_, &inflight_, &inflight_erased_, &retained_})
    at->reset();
  if (!changed_) return;
  const Key key = Key().raw(kMetaKey);
  write_record(on_.scratch.record, key.bytes(), on_.meta);
  put(Table::main, key, on_.scratch.record);
}

}  // namespace linnet::store

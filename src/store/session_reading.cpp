#include <algorithm>
#include <vector>

#include "store/damage.hpp"
#include "store/reading.hpp"
#include "store/record.hpp"

namespace linnet::store {

namespace {

constexpr std::size_t kNumberedKeySize = 17;  // session, kind, 8 bytes

/// Joins outgoing records with their messages.
class OutgoingReader {
 public:
  explicit OutgoingReader(const Reading& reading) : reading_(reading) {}

  enum class Found : std::uint8_t { whole, damaged, failed };
  /// `outgoing` is valid until the next call.
  Found read(std::string_view key, std::string_view value, StoredOutgoing& outgoing);

 private:
  Found join();

  const Reading& reading_;
  OutgoingRecord record_;
};

OutgoingReader::Found OutgoingReader::read(std::string_view key, std::string_view value,
                                           StoredOutgoing& outgoing) {
  Found found = Found::damaged;
  if (key.size() == kNumberedKeySize && read_record(key, value, reading_.clock, record_)) {
    found = record_.reference.body == 0 ? Found::whole : join();
  }
  if (reading_.guard.hit()) return Found::failed;
  if (found == Found::damaged) note_damage(reading_.damaged, Table::sessions, key);
  if (found != Found::whole) return found;
  outgoing = {read_u64(key.substr(kNumberedKeySize - 8)),
              record_.message,
              record_.qos,
              record_.retain,
              {record_.subscription_ids.data(), record_.subscription_ids.size()},
              record_.group};
  return found;
}

/// The message is in a record of its own.
OutgoingReader::Found OutgoingReader::join() {
  const Key key = number_key(record_.reference.body);
  std::string_view value;
  const Status status = reading_.transaction.get(Table::bodies, key.bytes(), value);
  if (status == Status::not_found) return Found::damaged;
  if (status != Status::ok) return Found::failed;
  BodyRecord body;
  if (!read_record(key.bytes(), value, reading_.clock, body)) return Found::damaged;
  record_.message = body.message;
  return Found::whole;
}

/// What follows the kind, as a number; for keys that end with one.
std::uint64_t number_of(const SessionKey& key) noexcept {
  return key.rest.size() == 8 ? read_u64(key.rest) : 0;
}

}  // namespace

bool visit_outgoing(const Reading& reading, const OutgoingRange& range,
                    FunctionRef<bool(const StoredOutgoing&)> visit) {
  if (range.after >= range.up_to) return true;
  const Key first = outgoing_key(range.session, range.after + 1);
  const Key last = outgoing_key(range.session, range.up_to);
  Cursor cursor(reading.transaction, Table::sessions);
  OutgoingReader reader(reading);
  StoredOutgoing outgoing;
  Status status = cursor.seek(first.bytes());
  for (; status == Status::ok && cursor.key() <= last.bytes(); status = cursor.next()) {
    const auto found = reader.read(cursor.key(), cursor.value(), outgoing);
    if (found == OutgoingReader::Found::failed) return false;
    if (found == OutgoingReader::Found::whole && !visit(outgoing)) return true;
  }
  return ended_well(reading, status);
}

bool visit_inflight(const Reading& reading, SessionNumber session,
                    FunctionRef<void(const StoredInflight&)> visit) {
  const Key prefix = session_key(session, Kind::inflight);
  Cursor cursor(reading.transaction, Table::sessions);
  OutgoingReader reader(reading);
  Status status = cursor.seek(prefix.bytes());
  for (; status == Status::ok && cursor.key().starts_with(prefix.bytes()); status = cursor.next()) {
    InflightRecord record;
    const bool whole = cursor.key().size() == kNumberedKeySize &&
                       read_record(cursor.key(), cursor.value(), record);
    if (reading.guard.hit()) return false;
    if (!whole) {
      note_damage(reading.damaged, Table::sessions, cursor.key());
      continue;
    }
    StoredInflight inflight;
    inflight.number = read_u64(cursor.key().substr(kNumberedKeySize - 8));
    inflight.sequence = record.sequence;
    inflight.state = record.state;
    if (record.state != OutgoingState::released) {
      const Key key = outgoing_key(session, record.sequence);
      std::string_view value;
      const Status got = reading.transaction.get(Table::sessions, key.bytes(), value);
      if (got == Status::not_found) continue;
      if (got != Status::ok) return false;
      const auto found = reader.read(key.bytes(), value, inflight.message);
      if (found == OutgoingReader::Found::failed) return false;
      if (found != OutgoingReader::Found::whole) continue;
    }
    visit(inflight);
  }
  return ended_well(reading, status);
}

bool visit_received(const Reading& reading, SessionNumber session,
                    FunctionRef<void(std::uint16_t)> visit) {
  const Key prefix = session_key(session, Kind::received);
  Cursor cursor(reading.transaction, Table::sessions);
  Status status = cursor.seek(prefix.bytes());
  for (; status == Status::ok && cursor.key().starts_with(prefix.bytes()); status = cursor.next()) {
    const std::string_view id = cursor.key().substr(prefix.bytes().size());
    const bool whole = id.size() == 2 && is_whole(cursor.key(), cursor.value());
    if (reading.guard.hit()) return false;
    if (!whole) {
      note_damage(reading.damaged, Table::sessions, cursor.key());
      continue;
    }
    const unsigned high = static_cast<unsigned char>(id[0]);
    visit(static_cast<std::uint16_t>(high << 8 | static_cast<unsigned char>(id[1])));
  }
  return ended_well(reading, status);
}

namespace {

/// Walks over the sessions, and over their messages in one step.
class SessionLoader {
 public:
  using Visit = FunctionRef<void(const StoredSession&)>;

  SessionLoader(const Reading& reading, Visit visit)
      : reading_(reading), visit_(visit), cursor_(reading.transaction, Table::sessions) {}

  bool run();

 private:
  void load(SessionNumber session);
  bool load_head();
  void load_inflight();
  void load_outgoing();
  void step_back_to_outgoing();
  void count_outgoing();
  [[nodiscard]] bool is_at(Kind kind) const noexcept { return here_ && key_.kind == kind; }
  void next() { arrive(cursor_.next()); }
  void seek(const Key& key) { arrive(cursor_.seek(key.bytes())); }
  void seek_next_session();
  void arrive(Status status);
  void note_damage() { store::note_damage(reading_.damaged, Table::sessions, cursor_.key()); }

  const Reading& reading_;
  Visit visit_;
  Cursor cursor_;
  Status status_ = Status::ok;
  // Where the cursor stands
  SessionKey key_;
  bool here_ = false;  // on a key of `stored_`
  // The session in the making
  StoredSession stored_;
  std::vector<StoredSubscription> subscriptions_;
};

bool SessionLoader::run() {
  status_ = cursor_.next();
  while (status_ == Status::ok && !reading_.guard.hit()) {
    if (parse_session_key(cursor_.key(), key_)) {
      load(key_.session);
    } else {
      note_damage();
      status_ = cursor_.next();
    }
  }
  return ended_well(reading_, status_);
}

void SessionLoader::arrive(Status status) {
  status_ = status;
  here_ = false;
  while (status_ == Status::ok) {
    if (parse_session_key(cursor_.key(), key_)) break;
    note_damage();
    status_ = cursor_.next();
  }
  here_ = status_ == Status::ok && key_.session == stored_.number;
}

void SessionLoader::seek_next_session() {
  if (stored_.number == UINT64_MAX) return arrive(Status::not_found);
  seek(number_key(stored_.number + 1));
}

void SessionLoader::load(SessionNumber session) {
  stored_ = {};
  stored_.number = session;
  subscriptions_.clear();
  here_ = true;
  // Without its first record, it is what is left of an ended session.
  if (!is_at(Kind::session) || !load_head()) return seek_next_session();
  if (is_at(Kind::received)) seek(inflight_key(session, 0));
  load_inflight();
  load_outgoing();
  if (reading_.guard.hit()) return;
  stored_.subscriptions = subscriptions_;
  visit_(stored_);
}

/// The records in front of those that only a client that is back needs.
bool SessionLoader::load_head() {
  SessionRecord session;
  if (!read_record(cursor_.key(), cursor_.value(), reading_.clock, session)) {
    note_damage();
    return false;
  }
  stored_.client_id = session.client_id;
  stored_.user_name = session.user_name;
  stored_.expiry_s = session.expiry_s;
  stored_.protocol_version = session.protocol_version;
  stored_.connected = session.connected;
  stored_.ends_at_ms = session.ends_at_ms;
  stored_.will_due_ms = session.will_due_ms;
  next();
  if (is_at(Kind::will)) {
    StoredWill will;
    if (read_record(cursor_.key(), cursor_.value(), reading_.clock, will)) {
      stored_.will = will;
    } else {
      note_damage();
    }
    next();
  }
  for (; is_at(Kind::subscription); next()) {
    StoredSubscription subscription;
    if (read_record(cursor_.key(), cursor_.value(), subscription)) {
      subscriptions_.push_back(subscription);
    } else {
      note_damage();
    }
  }
  return true;
}

/// A released message is gone from the outgoing ones, but its sequence is in use.
void SessionLoader::load_inflight() {
  for (; is_at(Kind::inflight); next()) {
    InflightRecord inflight;
    if (read_record(cursor_.key(), cursor_.value(), inflight)) {
      stored_.last_sequence = std::max(stored_.last_sequence, inflight.sequence);
    } else {
      note_damage();
    }
  }
}

void SessionLoader::load_outgoing() {
  OwedTotals owed;
  bool counted = false;
  if (is_at(Kind::owed)) {
    counted = read_record(cursor_.key(), cursor_.value(), owed);
    if (!counted) note_damage();
    next();
  }
  stored_.outgoing_messages = owed.messages;
  stored_.outgoing_bytes = owed.bytes;
  if (!is_at(Kind::outgoing)) return;
  if (!counted) return count_outgoing();
  seek_next_session();
  if (status_ != Status::ok && status_ != Status::not_found) return;
  step_back_to_outgoing();
  if (!is_at(Kind::outgoing)) return;
  stored_.last_sequence = std::max(stored_.last_sequence, number_of(key_));
  next();
}

/// From behind the session, which has outgoing messages, to the last of them.
void SessionLoader::step_back_to_outgoing() {
  status_ = status_ == Status::ok ? cursor_.previous() : cursor_.last();
  for (; status_ == Status::ok; status_ = cursor_.previous()) {
    here_ = parse_session_key(cursor_.key(), key_) && key_.session == stored_.number;
    if (is_at(Kind::outgoing)) return;
    note_damage();
  }
  here_ = false;
}

/// The totals are lost, which must not make the messages so.
void SessionLoader::count_outgoing() {
  OutgoingRecord record;
  stored_.outgoing_messages = 0;
  stored_.outgoing_bytes = 0;
  for (; is_at(Kind::outgoing); next()) {
    stored_.last_sequence = std::max(stored_.last_sequence, number_of(key_));
    if (!read_record(cursor_.key(), cursor_.value(), reading_.clock, record)) continue;
    ++stored_.outgoing_messages;
    stored_.outgoing_bytes += record.reference.bytes;
  }
}

}  // namespace

bool visit_sessions(const Reading& reading, FunctionRef<void(const StoredSession&)> visit) {
  return SessionLoader(reading, visit).run();
}

}  // namespace linnet::store

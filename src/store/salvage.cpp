#include "store/salvage.hpp"

#include <algorithm>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "base/cat.hpp"
#include "base/random.hpp"
#include "store/salvage_source.hpp"

namespace linnet::store {
namespace {

// Of a transaction: LMDB keeps its pages in memory.
constexpr std::uint64_t kCommitBytes = std::uint64_t{4} << 20;

/// Many small writes in transactions of a bounded size. The first step that fails ends the work.
class BulkWriter {
 public:
  explicit BulkWriter(Environment& environment) : environment_(environment) {}

  /// Does nothing where there is a record already.
  bool put_new(Table table, std::string_view key, std::string_view value) {
    std::string_view existing;
    if (!ready(key.size() + value.size())) return false;
    const Status status = transaction_.put_new(table, key, value, existing);
    return check(status == Status::exists ? Status::ok : status);
  }
  bool put(Table table, std::string_view key, std::string_view value) {
    return ready(key.size() + value.size()) && check(transaction_.put(table, key, value));
  }
  bool erase(Table table, std::string_view key) {
    if (!ready(key.size())) return false;
    const Status status = transaction_.erase(table, key);
    return check(status == Status::not_found ? Status::ok : status);
  }
  bool commit() {
    bytes_ = 0;
    return status_ == Status::ok && (!transaction_ || check(transaction_.commit()));
  }
  [[nodiscard]] Status status() const noexcept { return status_; }

 private:
  bool ready(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ > kCommitBytes && !commit()) return false;
    if (status_ != Status::ok || transaction_) return status_ == Status::ok;
    if (!check(environment_.prepare_space(2 * kCommitBytes))) return false;
    return check(environment_.begin_write(transaction_));
  }
  bool check(Status status) {
    if (status_ == Status::ok) status_ = status;
    return status_ == Status::ok;
  }

  Environment& environment_;
  Transaction transaction_;
  std::uint64_t bytes_ = 0;
  Status status_ = Status::ok;
};

/// Makes what was copied consistent, and counts it.
class Mender {
 public:
  Mender(Environment& environment, const Meta& meta, SalvageResult& result)
      : environment_(environment),
        writer_(environment),
        result_(result),
        meta_(meta),
        standing_(meta.clock),
        clock_(standing_, standing_.mark()) {}

  void mend() {
    meta_.retained_messages = 0;
    meta_.retained_bytes = 0;
    find_bodies();
    find_sessions();
    mend_sessions();
    mend_bodies();
    mend_retained();
    write_record(record_, kMetaKey, meta_);
    // Alone in its transaction: everything else is then there.
    if (writer_.commit() && writer_.put(Table::main, kMetaKey, record_)) writer_.commit();
    if (result_.status == Status::ok) result_.status = writer_.status();
  }

 private:
  struct Window {
    std::string key;
    std::uint64_t sequence = 0;
    bool needs_message = false;
  };

  void find_bodies();
  void find_sessions();
  void mend_sessions();
  void mend_session_record(const SessionKey& parsed, std::string_view key, std::string_view value);
  void mend_outgoing(const SessionKey& parsed, std::string_view key, std::string_view value);
  void end_session();
  void mend_bodies();
  void mend_retained();
  /// Walks a table as it is now; what is written meanwhile is not seen.
  template <class Visit>
  void for_each(Table table, Visit visit);
  void drop(Table table, std::string_view key) {
    ++result_.lost;
    writer_.erase(table, key);
  }

  Environment& environment_;
  BulkWriter writer_;
  SalvageResult& result_;
  Meta meta_;
  StandingClock standing_;
  StoreClock clock_;
  std::string record_;
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> references_;  // by body
  /// An older state may bring back a session that was ended before the next one of its client.
  boost::unordered_flat_map<std::string, SessionNumber> newest_;  // by client identifier

  // Of the session at hand
  SessionNumber session_ = 0;
  bool exists_ = false;
  OwedTotals owed_;
  boost::unordered_flat_set<std::uint64_t> sequences_;
  std::vector<Window> window_;
};

template <class Visit>
void Mender::for_each(Table table, Visit visit) {
  if (!writer_.commit()) return;
  Transaction transaction;
  Status status = environment_.begin_read(transaction);
  if (status == Status::ok) {
    Cursor at(transaction, table);
    for (status = at.seek(std::string_view("\0", 1)); status == Status::ok; status = at.next()) {
      visit(at.key(), at.value());
    }
  }
  if (status != Status::not_found && result_.status == Status::ok) result_.status = status;
}

void Mender::find_bodies() {
  for_each(Table::bodies, [this](std::string_view key, std::string_view) {
    const std::uint64_t body = read_u64(key);
    meta_.next_body = std::max(meta_.next_body, body + 1);
    if (key.size() == 8) references_.try_emplace(body, 0);
  });
}

void Mender::find_sessions() {
  for_each(Table::sessions, [this](std::string_view key, std::string_view value) {
    SessionKey parsed;
    SessionRecord record;
    if (!parse_session_key(key, parsed) || parsed.kind != Kind::session) return;
    if (!read_record(key, value, clock_, record)) return;
    SessionNumber& newest = newest_[std::string(record.client_id)];
    newest = std::max(newest, parsed.session);
  });
}

void Mender::mend_sessions() {
  for_each(Table::sessions, [this](std::string_view key, std::string_view value) {
    SessionKey parsed;
    if (parse_session_key(key, parsed)) mend_session_record(parsed, key, value);
  });
  end_session();
}

void Mender::mend_session_record(const SessionKey& parsed, std::string_view key,
                                 std::string_view value) {
  if (parsed.session != session_) {
    end_session();
    session_ = parsed.session;
    meta_.next_session = std::max(meta_.next_session, session_ + 1);
    // The first of its records, if it is there.
    SessionRecord record;
    exists_ = parsed.kind == Kind::session && read_record(key, value, clock_, record) &&
              newest_[std::string(record.client_id)] == session_;
    if (exists_) ++result_.sessions;
  }
  if (parsed.kind == Kind::owed) {
    writer_.erase(Table::sessions, key);
  } else if (!exists_) {
    drop(Table::sessions, key);
  } else if (parsed.kind == Kind::outgoing) {
    mend_outgoing(parsed, key, value);
  } else if (parsed.kind == Kind::inflight) {
    InflightRecord inflight;
    if (!read_record(key, value, inflight)) return drop(Table::sessions, key);
    const bool needs_message = inflight.state != OutgoingState::released;
    window_.push_back({std::string(key), inflight.sequence, needs_message});
  }
}

void Mender::mend_outgoing(const SessionKey& parsed, std::string_view key, std::string_view value) {
  OutgoingRecord record;
  if (!read_record(key, value, clock_, record)) return drop(Table::sessions, key);
  std::uint64_t bytes = record.reference.bytes;
  if (record.reference.body == 0) {
    bytes = owed_bytes(record.message);
  } else {
    const auto body = references_.find(record.reference.body);
    if (body == references_.end()) return drop(Table::sessions, key);
    ++body->second;
  }
  ++owed_.messages;
  owed_.bytes += bytes;
  ++result_.outgoing_messages;
  sequences_.insert(read_u64(parsed.rest));
}

void Mender::end_session() {
  if (exists_ && owed_.messages != 0) {
    const Key key = session_key(session_, Kind::owed);
    write_record(record_, key.bytes(), owed_);
    writer_.put(Table::sessions, key.bytes(), record_);
  }
  for (const Window& place : window_) {
    if (place.needs_message && !sequences_.contains(place.sequence)) {
      drop(Table::sessions, place.key);
    }
  }
  exists_ = false;
  owed_ = {};
  sequences_.clear();
  window_.clear();
}

void Mender::mend_bodies() {
  for_each(Table::bodies, [this](std::string_view key, std::string_view value) {
    const auto body = references_.find(read_u64(key));
    const std::uint64_t count = body == references_.end() ? 0 : body->second;
    if (count == 0 || key.size() != 8) {
      OwedTotals written;
      const bool right = read_record(key, value, written) && written.messages == count;
      if (count == 0 || !right) writer_.erase(Table::bodies, key);
    }
  });
  for (const auto& [body, count] : references_) {
    if (count == 0) continue;
    const Key key = number_key(body).u8(0);
    write_record(record_, key.bytes(), OwedTotals{count, 0});
    writer_.put_new(Table::bodies, key.bytes(), record_);
  }
}

void Mender::mend_retained() {
  std::string topic;
  for_each(Table::retained, [&](std::string_view key, std::string_view value) {
    MessageView message;
    if (!read_retained_record(key, value, clock_, topic, message)) {
      return drop(Table::retained, key);
    }
    ++meta_.retained_messages;
    meta_.retained_bytes += owed_bytes(message);
    if (message.expires_at_ms == kNever) return;
    const Key entry = number_key(clock_.to_stored(message.expires_at_ms)).raw(key);
    write_empty_record(record_, entry.bytes());
    writer_.put(Table::expiries, entry.bytes(), record_);
  });
  result_.retained_messages = meta_.retained_messages;
}

Meta new_meta(const SalvageSource& source) {
  Meta meta;
  if (source.meta()) {
    meta = *source.meta();
    // An older state may have given it, and newer ones the records.
    meta.format = kFormat;
    return meta;
  }
  Random random;
  meta.seeds = {random.u64(), random.u64()};
  return meta;
}

}  // namespace

SalvageResult salvage(const std::string& damaged, Environment& target) {
  SalvageResult result;
  std::optional<LmdbFile> file = LmdbFile::open(damaged, result.error);
  if (!file) return result;
  SalvageSource source(*file);
  BulkWriter writer(target);
  source.for_each([&](Table table, std::string_view key, std::string_view value) {
    result.found = true;
    return writer.put_new(table, key, value);
  });
  writer.commit();
  result.status = writer.status();
  result.lost = source.lost();
  if (result.status == Status::ok) Mender(target, new_meta(source), result).mend();
  if (result.status == Status::ok) result.status = target.sync();
  if (result.status != Status::ok) result.error = target.last_error();
  return result;
}

}  // namespace linnet::store

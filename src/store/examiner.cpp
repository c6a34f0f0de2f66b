#include "store/examiner.hpp"

#include <algorithm>

#include "base/cat.hpp"

namespace linnet::store {
namespace {

constexpr std::size_t kReportMax = 100;
// In the order of `Table`.
constexpr std::array<std::string_view, kTables> kNames = {"main",   "sessions", "retained",
                                                          "bodies", "expiries", "doomed"};

bool is_good_session_record(std::string_view key, std::string_view value, const StoreClock& clock) {
  SessionKey parsed;
  if (!parse_session_key(key, parsed)) return false;
  const std::string_view rest = parsed.rest;
  switch (parsed.kind) {
    case Kind::session: {
      SessionRecord session;
      return rest.empty() && read_record(key, value, clock, session);
    }
    case Kind::will: {
      StoredWill will;
      return rest.empty() && read_record(key, value, clock, will);
    }
    case Kind::subscription: {
      StoredSubscription subscription;
      return !rest.empty() && read_record(key, value, subscription);
    }
    case Kind::received: return rest.size() == 2 && is_whole(key, value);
    case Kind::inflight: {
      InflightRecord inflight;
      return rest.size() == 8 && read_record(key, value, inflight);
    }
    case Kind::owed: {
      OwedTotals owed;
      return rest.empty() && read_record(key, value, owed);
    }
    case Kind::outgoing: {
      OutgoingRecord outgoing;
      return rest.size() == 8 && read_record(key, value, clock, outgoing);
    }
  }
  return false;
}

}  // namespace

StandingClock::StandingClock(const ClockMark& mark) noexcept
    : time_ms_(std::max<std::uint64_t>(mark.time_ms, 1)), wall_ms_(mark.wall_ms) {}

std::string_view name_of(Table table) noexcept {
  return kNames[static_cast<std::size_t>(table)];
}

std::optional<Table> table_of(std::string_view name) noexcept {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Table>(found - kNames.begin());
}

bool is_good(Table table, std::string_view key, std::string_view value, const StoreClock& clock) {
  switch (table) {
    case Table::main: {
      Meta meta;
      return key == kMetaKey && read_record(key, value, meta);
    }
    case Table::sessions: return is_good_session_record(key, value, clock);
    case Table::retained: {
      std::string topic;
      MessageView message;
      return !key.empty() && read_retained_record(key, value, clock, topic, message);
    }
    case Table::bodies: {
      BodyRecord body;
      OwedTotals references;
      if (key.size() == 8) return read_record(key, value, clock, body);
      return is_references_key(key) && read_record(key, value, references);
    }
    case Table::expiries: return key.size() > 8 && is_whole(key, value);
    case Table::doomed: return key.size() == 8 && is_whole(key, value);
  }
  return false;
}

bool is_references_key(std::string_view key) noexcept {
  return key.size() == 9 && key.back() == '\0';
}

std::string key_text(Table table, std::string_view key) {
  SessionKey parsed;
  if (table == Table::sessions && parse_session_key(key, parsed)) {
    static constexpr std::array<const char*, 7> kKinds = {
        "",         ", will",        ", subscription", ", received identifier",
        ", window", ", owed totals", ", outgoing"};
    const std::string what =
        cat("session ", parsed.session, kKinds[static_cast<std::size_t>(parsed.kind)]);
    if (parsed.kind == Kind::subscription) return cat(what, ' ', parsed.rest);
    if (parsed.rest.size() == 8) return cat(what, ' ', read_u64(parsed.rest));
    return what;
  }
  if (table == Table::retained) {
    std::string topic;
    topic_of_key(key, topic);
    return cat("topic ", topic);
  }
  if (key.size() == 8 || is_references_key(key)) return cat("number ", read_u64(key));
  return cat("a key of ", key.size(), " bytes");
}

Examiner::Examiner(bool compares)
    : compares_(compares), standing_({}), clock_(standing_, standing_.mark()) {}

void Examiner::note(std::string text) {
  ++problems_;
  if (report_.size() < kReportMax) report_.push_back(std::move(text));
}

std::uint64_t Examiner::records(Table table) const noexcept {
  return records_[static_cast<std::size_t>(table)];
}

void Examiner::examine(Table table, std::string_view key, std::string_view value) {
  ++records_[static_cast<std::size_t>(table)];
  if (!is_good(table, key, value, clock_)) {
    return note(
        cat("table ", name_of(table), ": the record of ", key_text(table, key), " is damaged"));
  }
  if (table == Table::main) {
    Meta meta;
    if (read_record(key, value, meta)) meta_ = meta;
    return;
  }
  count_kinds(table, key);
  if (!compares_) return;
  if (table == Table::sessions) {
    examine_session(key, value);
  } else if (table == Table::doomed) {
    sessions_[read_u64(key)].doomed = true;
  } else if (table == Table::bodies) {
    BodySums& sums = bodies_[read_u64(key)];
    OwedTotals references;
    if (key.size() == 8) {
      sums.exists = true;
    } else if (read_record(key, value, references)) {
      sums.written = references.messages;
    }
  } else if (table == Table::retained) {
    std::string topic;
    MessageView message;
    if (read_retained_record(key, value, clock_, topic, message)) {
      retained_bytes_ += owed_bytes(message);
    }
  }
}

void Examiner::count_kinds(Table table, std::string_view key) noexcept {
  SessionKey parsed;
  if (table != Table::sessions || !parse_session_key(key, parsed)) return;
  if (parsed.kind == Kind::session) ++session_count_;
  if (parsed.kind == Kind::outgoing) ++outgoing_;
}

void Examiner::examine_session(std::string_view key, std::string_view value) {
  SessionKey parsed;
  if (!parse_session_key(key, parsed)) return;
  if (parsed.session != at_) end_session();
  at_ = parsed.session;
  SessionSums& sums = sessions_[parsed.session];
  switch (parsed.kind) {
    case Kind::session: sums.exists = true; break;
    case Kind::inflight: {
      InflightRecord inflight;
      if (read_record(key, value, inflight) && inflight.state != OutgoingState::released) {
        inflight_.insert(inflight.sequence);
      }
      break;
    }
    case Kind::owed: static_cast<void>(read_record(key, value, sums.written)); break;
    case Kind::outgoing: examine_outgoing(parsed, key, value); break;
    default: break;
  }
}

void Examiner::examine_outgoing(const SessionKey& parsed, std::string_view key,
                                std::string_view value) {
  OutgoingRecord record;
  if (!read_record(key, value, clock_, record)) return;
  inflight_.erase(read_u64(parsed.rest));
  OwedTotals& counted = sessions_[parsed.session].counted;
  ++counted.messages;
  if (record.reference.body == 0) {
    counted.bytes += owed_bytes(record.message);
  } else {
    counted.bytes += record.reference.bytes;
    ++bodies_[record.reference.body].counted;
  }
}

void Examiner::end_session() {
  inflight_alone_ += inflight_.size();
  inflight_.clear();
}

void Examiner::cross_check() {
  end_session();
  check_sessions();
  check_bodies();
  check_retained();
}

void Examiner::check_sessions() {
  std::uint64_t strays = 0;
  std::uint64_t wrong = 0;
  for (const auto& [number, sums] : sessions_) {
    if (!sums.exists) {
      strays += sums.doomed ? 0 : 1;
    } else {
      const bool same = sums.counted.messages == sums.written.messages &&
                        sums.counted.bytes == sums.written.bytes;
      wrong += same ? 0 : 1;
    }
    if (meta_ && number >= meta_->next_session) {
      note(cat("session ", number, " has a number that was not given yet"));
    }
  }
  if (strays != 0) note(cat(strays, " sessions have records, but are not there"));
  if (wrong != 0) note(cat(wrong, " sessions count wrongly what they are owed"));
  if (inflight_alone_ != 0) note(cat(inflight_alone_, " messages in flight are missing"));
}

void Examiner::check_bodies() {
  std::uint64_t missing = 0;
  std::uint64_t wrong = 0;
  std::uint64_t newest = 0;
  for (const auto& [number, sums] : bodies_) {
    newest = std::max(newest, number);
    if (!sums.exists) {
      missing += sums.counted;
    } else if (sums.counted != sums.written) {
      ++wrong;
    }
  }
  if (missing != 0) note(cat(missing, " outgoing messages have lost their bodies"));
  if (wrong != 0) note(cat(wrong, " bodies have a wrong number of references"));
  if (meta_ && newest >= meta_->next_body) {
    note(cat("body ", newest, " has a number that was not given yet"));
  }
}

void Examiner::check_retained() {
  std::uint64_t all = 0;
  for (const std::uint64_t count : records_)
    all += count;
  if (!meta_) {
    if (all != 0) note("the head record of the store is missing");
    return;
  }
  const std::uint64_t count = records(Table::retained);
  if (count != meta_->retained_messages || retained_bytes_ != meta_->retained_bytes) {
    note(cat("there are ", count, " retained messages of ", retained_bytes_, " bytes, and not ",
             meta_->retained_messages, " of ", meta_->retained_bytes));
  }
}

}  // namespace linnet::store

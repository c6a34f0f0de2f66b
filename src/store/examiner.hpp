// Whether records are what they should be, each by itself and all of them together. Fed with the
// records of a store, by whoever can read them; knows no files. One thread.
//
//   Examiner examiner;
//   for (every record of `main`, `sessions`, `doomed`, `bodies`, then of the rest)
//     examiner.examine(table, key, value);
//   examiner.cross_check();              // only if nothing was left out
//   if (examiner.problems() != 0) tell(examiner.report());
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "base/clock.hpp"
#include "store/environment.hpp"
#include "store/record.hpp"

namespace linnet::store {

/// A clock that stands still so that stored times stay as they are when records are read and
/// written: with it, a StoreClock converts nothing.
class StandingClock final : public Clock {
 public:
  explicit StandingClock(const ClockMark& mark) noexcept;
  [[nodiscard]] std::uint64_t now_ms() const noexcept override { return time_ms_; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return wall_ms_; }
  /// For the StoreClock.
  [[nodiscard]] ClockMark mark() const noexcept { return {time_ms_, wall_ms_}; }

 private:
  std::uint64_t time_ms_;
  std::int64_t wall_ms_;
};

[[nodiscard]] std::string_view name_of(Table table) noexcept;
[[nodiscard]] std::optional<Table> table_of(std::string_view name) noexcept;
/// Whether the record belongs into this table: its checksum is right and its content makes sense
/// there.
[[nodiscard]] bool is_good(Table table, std::string_view key, std::string_view value,
                           const StoreClock& clock);
/// Whether it is the key of a count of references in `bodies`.
[[nodiscard]] bool is_references_key(std::string_view key) noexcept;
/// A key for people: a session's as numbers, a topic as text.
[[nodiscard]] std::string key_text(Table table, std::string_view key);

class Examiner {
 public:
  /// Without `compares` it keeps nothing of what it has seen, and there is no cross_check().
  explicit Examiner(bool compares = true);
  Examiner(const Examiner&) = delete;
  Examiner& operator=(const Examiner&) = delete;

  /// Notes what is wrong with the record, and what the cross checks have to know of it.
  void examine(Table table, std::string_view key, std::string_view value);
  /// Notes a problem that the caller has found.
  void note(std::string text);
  /// Compares what the records say of each other. Notes each kind of contradiction once.
  void cross_check();

  [[nodiscard]] std::uint64_t records(Table table) const noexcept;
  [[nodiscard]] std::uint64_t problems() const noexcept { return problems_; }
  [[nodiscard]] std::uint64_t sessions() const noexcept { return session_count_; }
  [[nodiscard]] std::uint64_t outgoing_messages() const noexcept { return outgoing_; }
  /// The first problems, each in one line; there may be more.
  [[nodiscard]] const std::vector<std::string>& report() const noexcept { return report_; }
  [[nodiscard]] const std::optional<Meta>& meta() const noexcept { return meta_; }

 private:
  struct SessionSums {
    bool exists = false;
    bool doomed = false;
    OwedTotals counted;
    OwedTotals written;
  };
  struct BodySums {
    bool exists = false;
    std::uint64_t counted = 0;
    std::uint64_t written = 0;
  };

  void examine_session(std::string_view key, std::string_view value);
  void examine_outgoing(const SessionKey& parsed, std::string_view key, std::string_view value);
  void end_session();
  void check_sessions();
  void check_bodies();
  void check_retained();

  void count_kinds(Table table, std::string_view key) noexcept;

  const bool compares_;
  StandingClock standing_;
  StoreClock clock_;
  std::optional<Meta> meta_;
  std::array<std::uint64_t, kTables> records_{};
  std::uint64_t problems_ = 0;
  std::uint64_t session_count_ = 0;
  std::uint64_t outgoing_ = 0;
  std::uint64_t retained_bytes_ = 0;
  boost::unordered_flat_map<SessionNumber, SessionSums> sessions_;
  boost::unordered_flat_map<std::uint64_t, BodySums> bodies_;
  SessionNumber at_ = 0;                               // the session at hand
  boost::unordered_flat_set<std::uint64_t> inflight_;  // of it: messages that were not seen yet
  std::uint64_t inflight_alone_ = 0;                   // places of windows without a message
  std::vector<std::string> report_;
};

}  // namespace linnet::store

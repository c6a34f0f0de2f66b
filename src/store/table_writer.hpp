// One write transaction on the tables: what each change does to them. The first step that fails
// ends the work: all later ones do nothing, and status() says why. The writer's thread only.
#pragma once

#include <atomic>
#include <optional>

#include "store/database.hpp"
#include "store/environment.hpp"
#include "store/intake.hpp"
#include "store/record.hpp"
#include "store/write_scratch.hpp"

namespace linnet::store {

class TableWriter {
 public:
  /// What it works on; all of it must outlive the writer.
  struct Setting {
    Transaction& transaction;
    WriteScratch& scratch;
    Meta& meta;
    const StoreClock& clock;
    const DatabaseOptions& limits;
    std::atomic<std::uint64_t>& damaged;
  };
  explicit TableWriter(const Setting& setting) : on_(setting) {}

  /// Writes all of the unit, or sets its outcome to `full` and writes nothing of it.
  void write(Unit& unit);
  void erase(const EraseOutgoing& erase);

  // For Database::sweep(): at most `records_max` are erased; returns how many were.
  std::size_t sweep_doomed(std::size_t records_max);
  std::size_t sweep_expired(std::size_t records_max);

  /// Writes what was only counted so far. No other step may follow, and then the transaction may be
  /// committed if changed().
  void finish();

  [[nodiscard]] Status status() const noexcept { return status_; }
  /// Whether there is anything to commit.
  [[nodiscard]] bool changed() const noexcept { return changed_; }

 private:
  // Steps, that remember what went wrong
  bool ok(Status status) noexcept;
  bool found(Status status) noexcept;
  bool get(Table table, const Key& key, std::string_view& value);
  void put(Table table, const Key& key, std::string_view record);
  bool erase(Table table, const Key& key);
  void note_damage(Table table, std::string_view key) noexcept;
  Cursor& cursor(std::optional<Cursor>& cursor, Table table);

  // Units and their admission
  [[nodiscard]] bool admit(const Unit& unit);
  [[nodiscard]] bool admit_retained(const Message& message);
  [[nodiscard]] bool admit_subscription(const PutSubscription& put);
  std::size_t retained_change(const Message& message, bool& clash);
  [[nodiscard]] bool load_retained(RetainedChange& change);

  // Sessions
  SessionState& session_of(SessionNumber session);
  bool exists(SessionNumber session) { return session_of(session).exists; }
  void touch_owed(SessionNumber session, SessionState& state);
  void apply(const PutSession& put);
  void apply(const EraseSession& erase);
  void apply(const PutWill& put);
  void apply(const EraseWill& erase);
  void apply(const PutSubscription& put);
  void apply(const EraseSubscription& erase);
  void apply(const PutInflight& put);
  void apply(const PutReceived& put);
  void apply(const EraseReceived& erase);

  // Outgoing messages and their bodies
  void write_outgoing(const Unit& unit);
  bool put_outgoing(const Message& message, const PutOutgoing& put, std::uint64_t body);
  void put_inflight(const PutInflight& put);
  bool erase_outgoing(SessionNumber session, std::uint64_t sequence);
  std::size_t drop_body(const OutgoingRecord& record);
  void put_body(std::uint64_t body, std::uint64_t references, const Message& message);
  std::size_t erase_outgoing_of(SessionNumber session, std::size_t records_max);

  // Retained messages, and what is written at the end
  void erase_expired(std::string_view key, std::uint64_t now);
  void write_retained(const RetainedChange& change);
  void write_all_retained();
  void write_owed();
  void write_drops();
  void find_next_expiry();

  Setting on_;
  Status status_ = Status::ok;
  bool changed_ = false;
  bool expiries_changed_ = false;
  // One for each place that records are written at in order
  std::optional<Cursor> outgoing_;
  std::optional<Cursor> erased_;
  std::optional<Cursor> inflight_;
  std::optional<Cursor> inflight_erased_;
  std::optional<Cursor> retained_;
};

}  // namespace linnet::store

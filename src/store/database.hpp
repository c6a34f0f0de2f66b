// The tables as a whole: what a batch of the shards' requests does to them, and how they are read.
// No threads of its own: write() and the rest of the upper part belong to one thread at a time, the
// reading functions to any thread at any time.
#pragma once

#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>

#include "base/clock.hpp"
#include "store/environment.hpp"
#include "store/intake.hpp"
#include "store/record.hpp"
#include "store/store.hpp"

namespace linnet::store {

struct DatabaseOptions {
  EnvironmentOptions environment;
  std::uint64_t retained_messages_max = 0;
  std::uint64_t retained_bytes_max = 0;
};

class TableWriter;
struct WriteScratch;

class Database {
 public:
  /// Opens, and makes what is not there. Null as with Environment::open; a store of a newer format
  /// is `failed`, too. `clock` must outlive it.
  [[nodiscard]] static std::unique_ptr<Database> open(const DatabaseOptions& options,
                                                      const Clock& clock, Status& status,
                                                      std::string& error);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // The writer's

  /// Writes the batch in one transaction and commits it. Units that a limit refuses get the outcome
  /// `full`, those that were given up are passed over. With any status but `ok` nothing of the
  /// batch is written; writing the same batch again is then right, also after reopen(). A batch
  /// that only takes away may use the reserve of space, and so works on a full disk.
  [[nodiscard]] Status write(Batch& batch);
  /// Takes away what has no use any more: a bounded part of ended sessions' messages and of expired
  /// retained messages. True if more is left to do at once.
  [[nodiscard]] Status sweep(bool& more);
  /// When the next retained message expires, in ms of the monotonic clock; kNever: none does.
  [[nodiscard]] std::uint64_t next_expiry_ms() const noexcept;
  /// After an I/O error: closes the environment and opens it again. Readers find nothing meanwhile.
  [[nodiscard]] Status reopen(std::string& error);
  /// Not after a reopen() that failed.
  [[nodiscard]] Environment& environment() noexcept { return *environment_; }
  [[nodiscard]] bool is_open() const noexcept { return environment_ != nullptr; }

  // Anybody's; see Store. False (not `done`, no `last`) if the store can't be read now.
  RetainedWalk read_retained(const RetainedQuery& query,
                             FunctionRef<bool(const MessageView&)> visit) const;
  bool read_outgoing(SessionNumber session, std::uint64_t after, std::uint64_t up_to,
                     FunctionRef<bool(const StoredOutgoing&)> visit) const;
  bool read_inflight(SessionNumber session, FunctionRef<void(const StoredInflight&)> visit) const;
  bool read_received(SessionNumber session, FunctionRef<void(std::uint16_t)> visit) const;
  void load_sessions(FunctionRef<void(const StoredSession&)> visit) const;
  /// A copy into `file`, which must not exist, without the free pages. The writer goes on
  /// meanwhile, but a reopen() waits.
  [[nodiscard]] Status copy_to(const std::string& file, std::string& error) const;
  /// As it was when it was opened: larger than every number that the store knows.
  [[nodiscard]] SessionNumber next_session() const noexcept { return next_session_; }
  [[nodiscard]] std::uint64_t retained_messages() const noexcept { return retained_messages_; }
  [[nodiscard]] std::uint64_t retained_bytes() const noexcept { return retained_bytes_; }
  /// Records that were found damaged and passed over, since the start.
  [[nodiscard]] std::uint64_t damaged_records() const noexcept { return damaged_; }

 private:
  Database(const DatabaseOptions& options, std::unique_ptr<Environment> environment,
           const Meta& meta, const Clock& clock);

  [[nodiscard]] static Status load_meta(Environment& environment, Meta& meta, std::string& error);
  [[nodiscard]] Status write_all(Batch& batch);
  [[nodiscard]] Status finish(const TableWriter& writer, Transaction& transaction,
                              const MapGuard& guard, const Meta& meta);
  void committed(const Meta& meta) noexcept;
  [[nodiscard]] Status look_ahead();

  // Constant but for reopen(), which holds the lock that a reader tries to share
  const DatabaseOptions options_;
  mutable std::shared_mutex readers_;
  std::unique_ptr<Environment> environment_;  // null after a reopen() that failed
  Meta meta_;  // its seeds are everybody's, and never change; the rest is the writer's
  const SessionNumber next_session_;

  // The writer's; others call only what is const of the clock
  StoreClock clock_;
  std::unique_ptr<WriteScratch> scratch_;

  // Anybody's
  std::atomic<std::uint64_t> retained_messages_{0};
  std::atomic<std::uint64_t> retained_bytes_{0};
  mutable std::atomic<std::uint64_t> damaged_{0};
};

}  // namespace linnet::store

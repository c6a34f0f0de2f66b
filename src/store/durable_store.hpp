// The store that a broker uses: an intake, the writer's thread and the database behind them.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "store/database.hpp"
#include "store/intake.hpp"
#include "store/store.hpp"
#include "store/writer.hpp"
#include <linnet/config.hpp>

namespace linnet::store {

struct DurableStoreOptions {
  DatabaseOptions database;  // with Durability::none its environment is opened with sync = false
  Durability durability = Durability::commit;
  std::chrono::milliseconds interval{1'000};
  IntakeLimits intake;
  std::size_t commit_bytes_max = std::size_t{4} << 20;
  std::uint32_t shards = 1;
};

class DurableStore final : public Store {
 public:
  /// Null as with Database::open. `clock` and `sink` must outlive the store.
  [[nodiscard]] static std::unique_ptr<DurableStore> open(DurableStoreOptions options,
                                                          const Clock& clock, AnswerSink& sink,
                                                          Status& status, std::string& error);
  /// Over a database that is open already, by `options.database`.
  DurableStore(const DurableStoreOptions& options, std::unique_ptr<Database> database,
               const Clock& clock, AnswerSink& sink);
  ~DurableStore() override;

  /// Begins to write. Before it requests only gather.
  void start() { writer_.start(); }
  /// Writes all that was submitted; no shard may submit any more. Idempotent.
  void stop() { writer_.stop(); }
  /// Runs `job` on the writer's thread between two transactions, and waits for it; false, and not
  /// run, if the database can't be used now. Any thread but the writer's.
  [[nodiscard]] bool run(FunctionRef<void(Database&)> job);

  [[nodiscard]] SessionNumber new_session() noexcept override {
    return next_session_.fetch_add(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t next_request(std::uint32_t shard) const noexcept override {
    return intake_.next_request(shard);
  }
  void submit(Request request) override { intake_.submit(std::move(request)); }
  void submit(const Seal& seal) override { intake_.submit(seal); }
  void erase_outgoing(std::uint32_t shard, const EraseOutgoing& erase, Place place) override {
    intake_.erase_outgoing(shard, erase, place);
  }
  void end_turn(std::uint32_t shard) noexcept override { intake_.end_turn(shard); }
  [[nodiscard]] bool has_room() const noexcept override { return intake_.has_room(); }
  [[nodiscard]] bool accepts() const noexcept override { return writer_.accepts(); }

  RetainedWalk read_retained(const RetainedQuery& query,
                             FunctionRef<bool(const MessageView&)> visit) const override {
    return database_->read_retained(query, visit);
  }
  bool read_outgoing(SessionNumber session, std::uint64_t after, std::uint64_t up_to,
                     FunctionRef<bool(const StoredOutgoing&)> visit) const override {
    return database_->read_outgoing(session, after, up_to, visit);
  }
  bool read_inflight(SessionNumber session,
                     FunctionRef<void(const StoredInflight&)> visit) const override {
    return database_->read_inflight(session, visit);
  }
  bool read_received(SessionNumber session, FunctionRef<void(std::uint16_t)> visit) const override {
    return database_->read_received(session, visit);
  }
  void load_sessions(FunctionRef<void(const StoredSession&)> visit) const override {
    database_->load_sessions(visit);
  }
  [[nodiscard]] StoreFigures figures() const override;

 private:
  class Target final : public WriterTarget {
   public:
    Target(Database& database, std::string directory, std::uint64_t map_bytes);
    [[nodiscard]] Status write(Batch& batch) override { return database_.write(batch); }
    [[nodiscard]] Status sweep(bool& more) override { return database_.sweep(more); }
    [[nodiscard]] std::uint64_t next_expiry_ms() override { return database_.next_expiry_ms(); }
    [[nodiscard]] Status reopen(std::string& error) override;
    [[nodiscard]] Status look_for_room() override;
    [[nodiscard]] std::string describe(Status status) override;
    [[nodiscard]] SpaceFigures space() override { return database_.environment().space(); }

   private:
    Database& database_;
    const std::string directory_;
    const std::uint64_t map_bytes_;
    std::string reopen_error_;  // empty: the database is open
  };

  const std::unique_ptr<Database> database_;
  std::atomic<SessionNumber> next_session_;
  Target target_;
  Intake intake_;
  Writer writer_;  // the last: it ends first
};

}  // namespace linnet::store

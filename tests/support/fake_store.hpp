// The store of the shard tests: the real intake and the real tables, in a temporary directory, with
// a writer that takes a step only when it is told to. Answers can be held, reordered between shards
// (never within one), refused, and there can be no room. Nothing is committed before its step.
//
//   c.store().hold();                 // from now on nothing is committed
//   a.sends_publish("x", "1", {.qos = 1});
//   c.store().release();              // one unit; release_all() ends the holding
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "store/database.hpp"
#include "store/intake.hpp"

namespace linnet::test {

/// A directory that goes with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

/// A clock that the test moves.
struct FakeClock final : Clock {
  std::uint64_t now = 1'000'000;
  std::int64_t wall_offset = 1'790'000'000'000;  // the wall clock goes with the other one

  [[nodiscard]] std::uint64_t now_ms() const noexcept override { return now; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override {
    return wall_offset + static_cast<std::int64_t>(now);
  }
};

struct FakeStoreOptions {
  std::uint32_t shards = 1;
  std::uint64_t retained_messages_max = 0;
  std::uint64_t retained_bytes_max = 0;
};

class FakeStore final : public store::Store {
 public:
  FakeStore(const FakeStoreOptions& options, const std::string& directory, const Clock& clock,
            store::AnswerSink& sink);

  [[nodiscard]] store::SessionNumber new_session() noexcept override { return next_session_++; }
  [[nodiscard]] std::uint64_t next_request(std::uint32_t shard) const noexcept override {
    return intake_.next_request(shard);
  }
  void submit(store::Request request) override;
  void submit(const store::Seal& seal) override;
  void erase_outgoing(std::uint32_t shard, const store::EraseOutgoing& erase,
                      store::Place place) override;
  void end_turn(std::uint32_t shard) noexcept override {
    unended_ &= ~(std::uint64_t{1} << shard);
    intake_.end_turn(shard);
  }
  [[nodiscard]] bool has_room() const noexcept override { return !full_ && intake_.has_room(); }
  [[nodiscard]] bool accepts() const noexcept override { return accepts_; }
  store::RetainedWalk read_retained(const store::RetainedQuery& query,
                                    FunctionRef<bool(const MessageView&)> visit) const override {
    return readable_ ? database_->read_retained(query, visit) : store::RetainedWalk{};
  }
  bool read_outgoing(store::SessionNumber session, std::uint64_t after, std::uint64_t up_to,
                     FunctionRef<bool(const store::StoredOutgoing&)> visit) const override {
    return readable_ && database_->read_outgoing(session, after, up_to, visit);
  }
  bool read_inflight(store::SessionNumber session,
                     FunctionRef<void(const store::StoredInflight&)> visit) const override {
    return readable_ && database_->read_inflight(session, visit);
  }
  bool read_received(store::SessionNumber session,
                     FunctionRef<void(std::uint16_t)> visit) const override {
    return readable_ && database_->read_received(session, visit);
  }
  void load_sessions(FunctionRef<void(const store::StoredSession&)> visit) const override {
    database_->load_sessions(visit);
  }
  [[nodiscard]] store::StoreFigures figures() const override;

  void hold() noexcept { held_ = true; }
  /// Lets the writer take the next `units` units.
  void release(std::size_t units = 1) noexcept { allowed_ += units; }
  void release_all() noexcept {
    held_ = false;
    allowed_ = 0;
  }
  /// From now on the shard whose unit comes next is drawn.
  void reorder(std::uint64_t seed);
  /// The next `count` units of which somebody wants an answer are refused as "full".
  void refuse(std::size_t count) noexcept { refusals_ = count; }
  /// The way to the writer is full.
  void set_full(bool full);
  /// The disk is full.
  void set_accepts(bool accepts);
  /// The tables can't be read, as while they are opened again.
  void set_readable(bool readable);

  /// All changes that were asked for so far, in words: "PutOutgoing a #1 sent id=3".
  [[nodiscard]] const std::vector<std::string>& asked() const noexcept { return asked_; }
  /// How many of them begin with these words.
  [[nodiscard]] std::size_t count(std::string_view words) const;
  [[nodiscard]] std::uint64_t taken_back() const noexcept { return intake_.taken_back(); }

  /// One step of the writer; false if there was nothing that it may do. It does nothing in the
  /// middle of a shard's turn, so that a turn that is never ended is noticed.
  bool step();

 private:
  void describe(const store::Request& request);
  [[nodiscard]] store::Batch take_one();
  [[nodiscard]] const std::string& name_of(store::SessionNumber session);

  const std::uint32_t shards_;
  store::AnswerSink& sink_;
  std::unique_ptr<store::Database> database_;
  store::Intake intake_;
  store::SessionNumber next_session_;
  std::map<store::SessionNumber, std::string> names_;
  std::uint64_t unended_ = 0;  // shards that have submitted in a turn that has not ended, as bits
  std::vector<std::string> asked_;
  std::mt19937_64 random_;
  std::size_t allowed_ = 0;
  std::size_t refusals_ = 0;
  bool held_ = false;
  bool reorders_ = false;
  bool full_ = false;
  bool accepts_ = true;
  bool readable_ = true;
};

}  // namespace linnet::test

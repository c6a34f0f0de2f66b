// Power cuts, simulated: a workload runs on a store whose every write and sync is recorded; then
// the file that a cut at some point of the record could leave is made, opened and compared with
// what was answered before that point. LINNET_POWER_CUTS sets how many cuts, LINNET_SEED where to
// begin.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>
#include <unistd.h>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "faults/disk.hpp"
#include "faults/model.hpp"
#include "faults/replay.hpp"
#include "faults/workload.hpp"
#include "store/durable_store.hpp"
#include "store/inspect.hpp"
#include "store/open_checked.hpp"

namespace linnet::faults {
namespace {

constexpr std::uint64_t kBegun = 1;     // a mark: the batch of this number is about to be written
constexpr std::uint64_t kAnswered = 2;  // a mark: it was answered
constexpr std::uint64_t kMapBytes = 64 << 20;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

struct StandingClock final : Clock {
  [[nodiscard]] std::uint64_t now_ms() const noexcept override { return 1'000'000; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return 1'790'000'000'000; }
};

/// In memory where that is possible; goes with its owner.
class Folder {
 public:
  Folder() {
    std::string name = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : testing::TempDir();
    name += "/linnet-power-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string file(std::string_view name) const { return cat(path_, '/', name); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

store::DatabaseOptions options_for(const std::string& directory, bool sync) {
  store::DatabaseOptions options;
  options.environment.directory = directory;
  options.environment.map_bytes = kMapBytes;
  options.environment.sync = sync;
  options.environment.ahead_bytes = 128 << 10;
  options.retained_messages_max = 1'000;
  options.retained_bytes_max = std::uint64_t{64} << 20;
  return options;
}

struct Silent final : store::AnswerSink {
  void answer(std::uint32_t, std::span<const store::Answer>) override {}
  void has_room_again() override {}
};

/// What a run has left behind.
struct Recorded {
  std::vector<TraceStep> trace;
  std::vector<std::string> states;  // after each batch; the first is the empty store's
};

/// The store as a shard sees it, with a writer that works when it is told to.
class Rig final : public Submitter {
 public:
  Rig(const Folder& folder, const std::string& trace, bool sync)
      : options_(options_for(folder.path(), sync)), trace_(trace) {
    open();
  }

  std::uint64_t next_request(std::uint32_t shard) override { return intake_.next_request(shard); }
  void submit(store::Request request) override { intake_.submit(std::move(request)); }
  void submit(const store::Seal& seal) override { intake_.submit(seal); }
  void erase_outgoing(std::uint32_t shard, const store::EraseOutgoing& erase,
                      store::Place place) override {
    intake_.erase_outgoing(shard, erase, place);
  }

  void reopen() {
    database_.reset();
    open();
  }

  /// Writes all that has come. If `fails`, one sync on the way does, and what was not synced is
  /// lost.
  void commit(Recorded& run, bool fails) {
    for (std::uint32_t shard = 0; shard < Workload::kShards; ++shard)
      intake_.end_turn(shard);
    store::Batch batch = intake_.take({});
    disk().mark(kBegun, run.states.size());
    if (fails) disk().fail_sync(EIO, static_cast<int>(run.states.size() % 2));
    store::Status status = database_->write(batch);
    if (fails && status != store::Status::ok) {
      lose_what_is_not_synced(run.states.size() % 4 < 2);
      std::string error;
      ASSERT_EQ(database_->reopen(error), store::Status::ok) << error;
      status = database_->write(batch);
    }
    disk().fail_sync(0, 0);
    ASSERT_EQ(status, store::Status::ok);
    model_.apply(batch);
    run.states.push_back(model_.text());
    store::answer(sink_, batch);
    disk().mark(kAnswered, run.states.size() - 1);
    ASSERT_EQ(text_of(*database_), run.states.back());
  }

  void sweep() {
    for (bool more = true; more;)
      ASSERT_EQ(database_->sweep(more), store::Status::ok);
  }

 private:
  void open() {
    std::string error;
    database_ = store::open_checked(options_, false, clock_, error);
    if (!database_) throw std::runtime_error(error);
  }

  /// The kernel may show what was written for a while, or what the disk holds.
  void lose_what_is_not_synced(bool at_once) const {
    if (!at_once) return;
    const std::vector<TraceStep> steps = read_trace(trace_);
    Replay replay;
    for (const TraceStep& step : steps)
      replay.play(step);
    std::mt19937_64 random;
    const std::string file = replay.image(Survival::nothing, random);
    const int fd = libc().open(cat(options_.environment.directory, "/data.mdb").c_str(), O_RDWR);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(libc().pwrite(fd, file.data(), file.size(), 0), static_cast<ssize_t>(file.size()));
    libc().close(fd);
    disk().give_up();
  }

  const store::DatabaseOptions options_;
  const std::string trace_;
  StandingClock clock_;
  Silent sink_;
  store::Intake intake_{Workload::kShards, {}, sink_};
  std::unique_ptr<store::Database> database_;
  Model model_;
};

struct Disturbance {
  bool sync = true;            // whether the store syncs at all
  std::uint64_t fails_in = 0;  // one batch in so many meets a sync that fails; 0: none
};

Recorded run_workload(std::uint64_t seed, const Disturbance& disturbance) {
  constexpr int kBatches = 120;
  const Folder folder;
  const Folder records;
  Recorded run;
  run.states.push_back({});
  const std::string trace = records.file("trace");
  disk().trace_to(trace.c_str());
  Rig rig(folder, trace, disturbance.sync);
  Workload workload(seed, rig);
  std::mt19937_64 random(seed + 1);
  for (int batch = 0; batch < kBatches && !testing::Test::HasFatalFailure(); ++batch) {
    for (std::uint64_t step = 1 + random() % 20; step > 0; --step)
      workload.step();
    rig.commit(run, disturbance.fails_in != 0 && random() % disturbance.fails_in == 0);
    workload.committed();
    if (random() % 4 == 0) rig.sweep();
    if (random() % 30 == 0) rig.reopen();
  }
  disk().trace_to(nullptr);
  run.trace = read_trace(trace);
  return run;
}

/// Where to cut, and how.
struct Cut {
  std::size_t position = 0;  // how much of the trace was done
  Survival survival = Survival::nothing;
};

/// Cuts a run's power, and looks at what is left.
class Examination {
 public:
  Examination(const Recorded& run, std::uint64_t seed) : run_(run), random_(seed) {}

  /// What is wrong after some cuts; at most one line for each.
  std::vector<std::string> cut(std::size_t cuts) {
    std::vector<Cut> places(cuts);
    for (Cut& place : places)
      place = {random_() % (run_.trace.size() + 1), static_cast<Survival>(random_() % kSurvivals)};
    std::sort(places.begin(), places.end(),
              [](const Cut& one, const Cut& other) { return one.position < other.position; });
    std::vector<std::string> faults;
    for (const Cut& place : places) {
      advance_to(place.position);
      const std::string fault = look(replay_.image(place.survival, random_));
      if (fault.empty()) continue;
      faults.push_back(cat("cut ", place.position, " of ", run_.trace.size(), ", survival ",
                           static_cast<int>(place.survival), ": ", fault));
    }
    return faults;
  }

 private:
  void advance_to(std::size_t position) {
    for (; position_ < position; ++position_) {
      const TraceStep& step = run_.trace[position_];
      replay_.play(step);
      if (step.entry.kind != TraceKind::mark) continue;
      (step.entry.file == kBegun ? begun_ : answered_) = step.entry.offset;
    }
  }

  std::string look(const std::string& image) {
    std::filesystem::remove(folder_.file("lock.mdb"));
    std::ofstream(folder_.file("data.mdb"), std::ios::binary | std::ios::trunc) << image;
    // Of a store that is not finished nothing was answered: to begin again is right.
    if (answered_ == 0) return look_inside();
    const store::Inspection found = store::inspect(folder_.path(), {});
    if (found.verdict != store::Verdict::sound || !found.complete) {
      return cat("not sound: ", found.problems.empty() ? "no store" : found.problems.front());
    }
    return look_inside();
  }

  std::string look_inside() {
    std::string error;
    const auto database =
        store::open_checked(options_for(folder_.path(), false), false, clock_, error);
    if (!database) return cat("can't be opened: ", error);
    const std::string state = text_of(*database);
    if (database->damaged_records() != 0) return "damaged records";
    for (std::size_t batch = answered_; batch <= std::max(begun_, answered_); ++batch) {
      if (state == run_.states[batch]) return {};
    }
    const auto other = std::find(run_.states.begin(), run_.states.end(), state);
    if (other == run_.states.end()) return cat("a state that never was, after batch ", answered_);
    return cat("the state of batch ", other - run_.states.begin(), ", but batch ", answered_,
               " was answered");
  }

  const Recorded& run_;
  const Folder folder_;
  const StandingClock clock_;
  std::mt19937_64 random_;
  Replay replay_;
  std::size_t position_ = 0;
  std::size_t begun_ = 0;
  std::size_t answered_ = 0;
};

std::string joined(const std::vector<std::string>& lines) {
  std::string result;
  for (const std::string& line : lines)
    result += line + '\n';
  return result;
}

class PowerCut : public testing::Test {
 protected:
  static void SetUpTestSuite() { log::set_level(log::Level::off); }
};

TEST_F(PowerCut, NothingAnsweredIsLost) {
  constexpr std::uint64_t kCutsPerRun = 300;
  const std::uint64_t cuts = number_from("LINNET_POWER_CUTS", 1'500);
  const std::uint64_t seed = number_from("LINNET_SEED", 20'260'401);
  for (std::uint64_t done = 0; done < cuts; done += kCutsPerRun) {
    SCOPED_TRACE(cat("LINNET_SEED=", seed + done));
    const Recorded run = run_workload(seed + done, {});
    ASSERT_FALSE(HasFatalFailure());
    Examination examination(run, seed + done);
    const auto faults = examination.cut(std::min(kCutsPerRun, cuts - done));
    ASSERT_TRUE(faults.empty()) << joined(faults);
  }
}

TEST_F(PowerCut, NothingAnsweredIsLostWhenSyncsFail) {
  constexpr std::uint64_t kCuts = 300;
  const std::uint64_t seed = number_from("LINNET_SEED", 20'260'402);
  const Recorded run = run_workload(seed, {.fails_in = 4});
  ASSERT_FALSE(HasFatalFailure());
  const auto failed = std::count_if(run.trace.begin(), run.trace.end(), [](const TraceStep& step) {
    return step.entry.kind == TraceKind::sync_failed;
  });
  EXPECT_GT(failed, 10);
  Examination examination(run, seed);
  const auto faults = examination.cut(kCuts);
  ASSERT_TRUE(faults.empty()) << joined(faults);
}

/// A process may end between a write and its sync. The next one then finds work done that a power
/// cut could still undo.
TEST_F(PowerCut, WhatIsSeenAtTheStartIsOnTheDisk) {
  const Folder folder;
  const Folder records;
  const std::string trace = records.file("trace");
  const StandingClock clock;
  std::string error;
  disk().trace_to(trace.c_str());
  auto database = store::open_checked(options_for(folder.path(), false), false, clock, error);
  ASSERT_TRUE(database) << error;
  store::Batch batch;
  batch.units.emplace_back().parts.emplace_back().changes.emplace_back(
      store::PutSession{1, "client"});
  ASSERT_EQ(database->write(batch), store::Status::ok);
  database.reset();
  database = store::open_checked(options_for(folder.path(), true), false, clock, error);
  disk().trace_to(nullptr);
  ASSERT_TRUE(database) << error;
  EXPECT_NE(text_of(*database).find("client"), std::string::npos);
  const auto steps = read_trace(trace);
  Replay replay;
  for (const TraceStep& step : steps)
    replay.play(step);
  EXPECT_TRUE(replay.all_synced());
}

/// Otherwise the simulator would find nothing that it is made to find.
TEST_F(PowerCut, WithoutSyncsLossesAreFound) {
  const Recorded run = run_workload(7, {.sync = false});
  ASSERT_FALSE(HasFatalFailure());
  Examination examination(run, 7);
  const auto faults = examination.cut(100);
  EXPECT_GT(faults.size(), 20U);
  const auto count = [&faults](std::string_view words) {
    return std::count_if(faults.begin(), faults.end(), [words](const std::string& fault) {
      return fault.find(words) != std::string::npos;
    });
  };
  EXPECT_GT(count("was answered"), 0) << joined(faults);
  EXPECT_GT(count("not sound"), 0) << joined(faults);
}

TEST_F(PowerCut, EveryAnswerFollowsItsSync) {
  const Recorded run = run_workload(11, {});
  ASSERT_FALSE(HasFatalFailure());
  Replay replay;
  std::size_t answers = 0;
  std::size_t written = 0;
  for (const TraceStep& step : run.trace) {
    replay.play(step);
    written += step.entry.kind == TraceKind::written ? 1U : 0U;
    if (step.entry.kind != TraceKind::mark || step.entry.file != kAnswered) continue;
    ++answers;
    ASSERT_TRUE(replay.all_synced()) << "batch " << step.entry.offset;
  }
  EXPECT_EQ(answers + 1, run.states.size());
  EXPECT_GT(written, 2 * answers);
}

/// The real writer, on its own thread. What is taken back is answered on the test's.
class RunningStore final : public Submitter, private store::AnswerSink {
 public:
  explicit RunningStore(const Folder& folder) {
    store::Status status = store::Status::ok;
    std::string error;
    store::DurableStoreOptions options;
    options.database = options_for(folder.path(), true);
    options.shards = Workload::kShards;
    store_ = store::DurableStore::open(options, clock_, *this, status, error);
    if (!store_) throw std::runtime_error(error);
    store_->start();
  }

  std::uint64_t next_request(std::uint32_t shard) override { return store_->next_request(shard); }
  void submit(store::Request request) override {
    expect(request.ticket);
    store_->submit(std::move(request));
  }
  void submit(const store::Seal& seal) override {
    expect(seal.ticket);
    store_->submit(seal);
  }
  void erase_outgoing(std::uint32_t shard, const store::EraseOutgoing& erase,
                      store::Place place) override {
    store_->erase_outgoing(shard, erase, place);
  }

  void end_turn() {
    for (std::uint32_t shard = 0; shard < Workload::kShards; ++shard)
      store_->end_turn(shard);
  }
  void wait_for_answers() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(answered_.wait_for(lock, std::chrono::seconds(30), [this] { return open_ == 0; }));
  }
  void stop() { store_->stop(); }
  [[nodiscard]] std::size_t refusals() const { return refusals_; }

 private:
  void expect(store::Ticket ticket) {
    const std::scoped_lock lock(mutex_);
    open_ += ticket != 0 ? 1U : 0U;
  }
  void answer(std::uint32_t, std::span<const store::Answer> answers) override {
    const std::scoped_lock lock(mutex_);
    for (const store::Answer& one : answers) {
      if (one.outcome != store::Outcome::committed) ++refusals_;
      if (std::this_thread::get_id() != tester_) disk().mark(kAnswered, one.ticket);
      --open_;
    }
    answered_.notify_all();
  }
  void has_room_again() override {}

  const std::thread::id tester_ = std::this_thread::get_id();
  const StandingClock clock_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::size_t open_ = 0;
  std::size_t refusals_ = 0;
  std::unique_ptr<store::DurableStore> store_;
};

TEST_F(PowerCut, EveryAnswerOfTheWriterFollowsItsSync) {
  constexpr int kSteps = 2'000;
  const Folder folder;
  const Folder records;
  const std::string trace = records.file("trace");
  disk().trace_to(trace.c_str());
  RunningStore store(folder);
  Workload workload(13, store);
  for (int step = 1; step <= kSteps; ++step) {
    workload.step();
    if (step % 7 == 0) store.end_turn();
    if (step % 300 == 0) {
      if (step == 900) disk().fail_sync(EIO, 1);
      store.end_turn();
      store.wait_for_answers();
      workload.committed();
    }
  }
  store.end_turn();
  store.wait_for_answers();
  store.stop();
  disk().fail_sync(0, 0);
  disk().trace_to(nullptr);
  EXPECT_EQ(store.refusals(), 0U);

  const std::vector<TraceStep> steps = read_trace(trace);
  Replay replay;
  std::size_t answers = 0;
  std::size_t failures = 0;
  for (const TraceStep& step : steps) {
    replay.play(step);
    failures += step.entry.kind == TraceKind::sync_failed ? 1U : 0U;
    if (step.entry.kind != TraceKind::mark) continue;
    ++answers;
    ASSERT_TRUE(replay.all_synced()) << "ticket " << step.entry.offset;
  }
  EXPECT_GT(answers, 500U);
  EXPECT_EQ(failures, 1U);
}

}  // namespace
}  // namespace linnet::faults

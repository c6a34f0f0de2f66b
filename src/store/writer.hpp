// The one thread that writes the store: group commit. It takes all that has come, has it written in
// one transaction, tells the shards, and begins again; what comes during a commit goes together
// into the next. A lone message never waits for company.
//
// With Durability::interval a commit comes once an interval, or when much is waiting; what was
// taken is answered twice: `accepted` at once, and what became of it after the commit. At most the
// last interval can be lost, and never more, since every commit is synced.
//
// Faults. Without room, what adds data is answered `full`, what takes away is still written, and
// the alarm is raised until there is room again. After an I/O error the database is opened again
// and the same batch written again, until it works; who waits for longer than `refuse_after` is
// answered `full`. A store that turns out to be damaged refuses everything until the next start
// mends it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/function_ref.hpp"
#include "base/rate_limit.hpp"
#include "store/environment.hpp"
#include "store/intake.hpp"
#include "store/store.hpp"
#include <linnet/config.hpp>

namespace linnet::store {

/// What the writer writes to: the database, or a test's idea of it. On the writer's thread only.
class WriterTarget {
 public:
  /// As Database::write(), sweep(), next_expiry_ms() and reopen().
  [[nodiscard]] virtual Status write(Batch& batch) = 0;
  [[nodiscard]] virtual Status sweep(bool& more) = 0;
  [[nodiscard]] virtual std::uint64_t next_expiry_ms() = 0;
  [[nodiscard]] virtual Status reopen(std::string& error) = 0;
  /// Whether there is room for some more transactions, in the store and on the disk.
  [[nodiscard]] virtual Status look_for_room() = 0;
  /// What has happened and how it is mended, as one line; after a step that was not `ok`.
  [[nodiscard]] virtual std::string describe(Status status) = 0;
  [[nodiscard]] virtual SpaceFigures space() = 0;

 protected:
  ~WriterTarget() = default;
};

struct WriterOptions {
  using milliseconds = std::chrono::milliseconds;

  Durability durability = Durability::commit;
  milliseconds interval{1'000};                         // with Durability::interval
  std::size_t commit_bytes_max = std::size_t{4} << 20;  // of requests, in one transaction
  IntakeLimits intake;                                  // those of the intake
  SessionNumber next_session = 1;                       // who has this number or more is new

  // Rather for tests
  milliseconds lazy{250};            // what nobody waits for may wait so long for company
  milliseconds retry_first{100};     // after an I/O error; doubles
  milliseconds retry_max{5'000};     // ... up to this
  milliseconds refuse_after{2'000};  // from the error on
  milliseconds look_again{1'000};    // for room
};

class Writer {
 public:
  /// All of them must outlive the writer.
  Writer(const WriterOptions& options, const Clock& clock, Intake& intake, WriterTarget& target,
         AnswerSink& sink);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void start();
  /// Writes all that was submitted, and ends the thread. Idempotent; the thread of start().
  void stop();

  /// False while durable work is refused. Any thread.
  [[nodiscard]] bool accepts() const noexcept { return accepts_.load(std::memory_order_relaxed); }
  /// Runs `job` on the writer's thread between two transactions, and waits for it. False, and not
  /// run, if the database is not open or the writer does not run. Any thread but the writer's.
  [[nodiscard]] bool run(FunctionRef<void()> job);
  /// Fills in what the writer knows. Any thread.
  void report(StoreFigures& figures) const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  enum class Trouble : std::uint8_t { none, no_space, failing, damaged };
  struct Job {
    FunctionRef<void()> function;
    bool done = false;
    bool ran = false;
  };

  void loop();
  [[nodiscard]] bool step();
  [[nodiscard]] std::optional<Time> wake_at() const;
  void take();
  void sweep();
  void commit(Batch batch);
  [[nodiscard]] Status write(Batch& batch);
  [[nodiscard]] Status write_without_room(Batch& batch);
  void note_written(const Batch& batch, Time began);
  void answer_full(Batch batch);
  void raise(Trouble trouble, Status status);
  void clear();
  void look_for_room();

  void hold(Batch batch, Status status);
  [[nodiscard]] bool step_held();
  void retry();
  void take_identifiers_back(const Batch& refused);
  void refuse_waiting();
  void give_up();
  void run_jobs(bool ended);

  // Constant after construction
  const WriterOptions options_;
  const Clock& clock_;
  Intake& intake_;
  WriterTarget& target_;
  AnswerSink& sink_;

  // The writer's own
  Trouble trouble_ = Trouble::none;
  SessionNumber next_session_;
  Batch pending_;  // accepted, and to be committed at due_
  Time due_;
  bool holds_ = false;  // nothing can be written now; held_ comes first when it works again
  Batch held_;
  Time held_since_;
  Time retry_at_;
  std::chrono::milliseconds retry_delay_{0};
  Time look_at_;  // for room
  bool sweep_wanted_ = true;
  Time swept_at_;
  Time measured_at_;
  LogLimiter limiter_{6, 60'000};
  bool logged_ = false;  // the trouble

  std::atomic<bool> accepts_{true};
  std::atomic<int> thread_number_{0};
  std::atomic<std::uint64_t> bytes_dirtied_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> commit_ns_{0};
  std::atomic<std::uint64_t> outgoing_saved_{0};
  std::atomic<std::uint64_t> file_bytes_{0};
  std::atomic<std::uint64_t> used_bytes_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::string alarm_;
  std::vector<Job*> jobs_;
  bool running_ = false;
  std::condition_variable job_done_;

  std::thread thread_;
};

}  // namespace linnet::store

#include "store/writer.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

#include "base/assert.hpp"
#include "base/cat.hpp"
#include "base/log.hpp"
#include "store/batch.hpp"

namespace linnet::store {

namespace {

using std::chrono::steady_clock;

/// Expired messages may stay for this long: they are not shown to anybody.
constexpr auto kSweepGap = std::chrono::seconds(1);
constexpr auto kMeasureGap = std::chrono::seconds(10);

/// Nothing where the file is root's: it is so in a process that others must not look into.
std::optional<std::uint64_t> written_by_thread(int number) {
  std::ifstream file(cat("/proc/self/task/", number, "/io"));
  std::string word;
  while (file >> word) {
    std::uint64_t value = 0;
    if (word == "wchar:" && file >> value) return value;
  }
  return std::nullopt;
}

/// In bytes, by the pages that the calling thread has changed in files; file systems in memory do
/// not count.
std::uint64_t dirtied_by_this_thread() noexcept {
  constexpr std::uint64_t kBlock = 512;
  rusage usage{};
  if (getrusage(RUSAGE_THREAD, &usage) != 0) return 0;
  return static_cast<std::uint64_t>(usage.ru_oublock) * kBlock;
}

}  // namespace

Writer::Writer(const WriterOptions& options, const Clock& clock, Intake& intake,
               WriterTarget& target, AnswerSink& sink)
    : options_(options),
      clock_(clock),
      intake_(intake),
      target_(target),
      sink_(sink),
      next_session_(options.next_session) {}

Writer::~Writer() {
  stop();
}

void Writer::start() {
  LINNET_ASSERT(!thread_.joinable());
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  thread_ = std::thread([this] { loop(); });
}

void Writer::stop() {
  if (!thread_.joinable()) return;
  intake_.stop();
  thread_.join();
}

void Writer::loop() {
  thread_number_ = ::gettid();
  while (step())
    run_jobs(false);
  run_jobs(true);
}

/// One turn; false if it was the last.
bool Writer::step() {
  if (holds_) return step_held();
  const auto woken = intake_.wait(options_.lazy, wake_at());
  if (woken == Intake::Woken::work) take();
  const bool stops = woken == Intake::Woken::stopped;
  if (!pending_.empty() && (stops || steady_clock::now() >= due_))
    commit(std::exchange(pending_, {}));
  if (stops && holds_) return step_held();
  if (stops) return false;
  if (trouble_ == Trouble::no_space && !holds_ && steady_clock::now() >= look_at_) look_for_room();
  const bool idle = woken == Intake::Woken::timeout;
  if (!holds_ && (idle || steady_clock::now() >= swept_at_ + kSweepGap)) sweep();
  return true;
}

/// When there is something to do, even if nothing comes.
std::optional<Writer::Time> Writer::wake_at() const {
  const Time now = steady_clock::now();
  if (sweep_wanted_) return now;
  std::optional<Time> first;
  const auto consider = [&first](Time time) { first = std::min(first.value_or(time), time); };
  if (!pending_.empty()) consider(due_);
  if (trouble_ == Trouble::no_space) consider(look_at_);
  if (const std::uint64_t expiry_ms = target_.next_expiry_ms(); expiry_ms != kNever) {
    const std::uint64_t now_ms = clock_.now_ms();
    const std::chrono::milliseconds left(expiry_ms > now_ms ? expiry_ms - now_ms : 0);
    consider(std::max(now + left, swept_at_ + kSweepGap));
  }
  return first;
}

void Writer::take() {
  const bool waits = options_.durability == Durability::interval;
  const std::size_t bytes_max =
      waits ? std::min(options_.commit_bytes_max, options_.intake.bytes_max / 2)
            : options_.commit_bytes_max;
  const std::size_t used = std::min(pending_.bytes, bytes_max - 1);
  Batch batch = intake_.take({.bytes_max = bytes_max - used});
  if (batch.empty()) return;
  sweep_wanted_ = true;
  if (!waits) return commit(std::move(batch));
  if (trouble_ == Trouble::no_space) {
    answer_full(split_off(batch, [this](const Unit& unit) {
      return growth_of(unit, next_session_) == Growth::grows;
    }));
  }
  answer(sink_,
         split_off(batch, [](const Unit& unit) { return unit.outcome == Outcome::refused; }));
  answer_accepted(sink_, batch);
  if (pending_.empty()) due_ = steady_clock::now() + options_.interval;
  append(pending_, std::move(batch));
  const std::size_t requests = pending_.units.size() + pending_.erased.size();
  const bool much = pending_.bytes >= bytes_max || requests >= options_.intake.requests_max / 2;
  if (much) commit(std::exchange(pending_, {}));
}

void Writer::sweep() {
  if (trouble_ == Trouble::damaged) return;
  const Time now = steady_clock::now();
  const bool wanted = std::exchange(sweep_wanted_, false);
  if (!wanted && now < swept_at_ + kSweepGap) return;
  swept_at_ = now;
  const Status status = target_.sweep(sweep_wanted_);
  // What a full disk does not let go today it will let go later.
  if (status == Status::failed || status == Status::damaged) hold({}, status);
}

/// To the end: everybody in the batch is answered, or it is held.
void Writer::commit(Batch batch) {
  Status status = trouble_ == Trouble::no_space ? Status::no_space : write(batch);
  if (status == Status::no_space) {
    if (trouble_ != Trouble::no_space) raise(Trouble::no_space, status);
    status = write_without_room(batch);
  }
  bytes_dirtied_ = dirtied_by_this_thread();
  if (status == Status::ok) return answer(sink_, batch);
  hold(std::move(batch), status);
}

/// Writes as much of the batch as does not need room, and refuses the rest.
Status Writer::write_without_room(Batch& batch) {
  Status status = Status::no_space;
  for (const Growth refused : {Growth::grows, Growth::moves}) {
    answer_full(split_off(
        batch, [&](const Unit& unit) { return growth_of(unit, next_session_) >= refused; }));
    status = write(batch);
    if (status != Status::no_space) return status;
  }
  return status;
}

Status Writer::write(Batch& batch) {
  const bool nothing = batch.erased.empty() &&
                       std::all_of(batch.units.begin(), batch.units.end(), [](const Unit& unit) {
                         return unit.outcome == Outcome::refused;
                       });
  if (nothing) return Status::ok;
  const Time began = steady_clock::now();
  const Status status = target_.write(batch);
  if (status == Status::ok) note_written(batch, began);
  return status;
}

void Writer::note_written(const Batch& batch, Time began) {
  const Time now = steady_clock::now();
  const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(now - began).count();
  const auto took_ns = static_cast<std::uint64_t>(took);
  const std::uint64_t before = commit_ns_.load(std::memory_order_relaxed);
  commit_ns_ = before == 0 ? took_ns : before - before / 8 + took_ns / 8;
  ++commits_;
  const BatchSummary summary = summary_of(batch);
  outgoing_saved_ += summary.outgoing;
  next_session_ = std::max(next_session_, summary.last_session + 1);
  if (now < measured_at_ + kMeasureGap) return;
  measured_at_ = now;
  const SpaceFigures space = target_.space();
  file_bytes_ = space.file_bytes;
  used_bytes_ = space.used_bytes - std::min(space.used_bytes, space.free_bytes);
}

void Writer::answer_full(Batch batch) {
  for (Unit& unit : batch.units) {
    if (unit.outcome != Outcome::refused) unit.outcome = Outcome::full;
  }
  answer(sink_, batch);
}

void Writer::raise(Trouble trouble, Status status) {
  trouble_ = trouble;
  accepts_ = false;
  look_at_ = steady_clock::now() + options_.look_again;
  std::string text = target_.describe(status);
  const auto verdict = limiter_.ask(clock_.now_ms());
  logged_ = verdict.allowed;
  if (logged_) log::error("store", cat(text, more_like_it(verdict)));
  const std::lock_guard lock(mutex_);
  alarm_ = std::move(text);
}

void Writer::clear() {
  trouble_ = Trouble::none;
  {
    const std::lock_guard lock(mutex_);
    alarm_.clear();
  }
  accepts_ = true;
  if (logged_) log::info("store", "the store works again: durable work is accepted");
  sink_.has_room_again();
}

void Writer::look_for_room() {
  look_at_ = steady_clock::now() + options_.look_again;
  sweep_wanted_ = true;  // it makes room
  if (target_.look_for_room() == Status::ok) clear();
}

bool Writer::run(FunctionRef<void()> job) {
  Job mine{job};
  std::unique_lock lock(mutex_);
  if (!running_) return false;
  jobs_.push_back(&mine);
  intake_.interrupt();
  job_done_.wait(lock, [&mine] { return mine.done; });
  return mine.ran;
}

void Writer::run_jobs(bool ended) {
  std::vector<Job*> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
    if (ended) running_ = false;
  }
  if (jobs.empty()) return;
  const bool open = trouble_ == Trouble::none || trouble_ == Trouble::no_space;
  for (Job* const job : jobs) {
    if (open && !ended) job->function();
    const std::lock_guard lock(mutex_);
    job->ran = open && !ended;
    job->done = true;
  }
  job_done_.notify_all();
  if (open && !ended) sink_.has_room_again();  // for those who could not read meanwhile
}

void Writer::report(StoreFigures& figures) const {
  figures.commits = commits_;
  figures.commit_us = commit_ns_ / 1'000;
  figures.outgoing_saved = outgoing_saved_;
  figures.file_bytes = file_bytes_;
  figures.used_bytes = used_bytes_;
  figures.bytes_written =
      thread_number_ == 0 ? 0 : written_by_thread(thread_number_).value_or(bytes_dirtied_);
  const std::lock_guard lock(mutex_);
  figures.alarm = alarm_;
}

}  // namespace linnet::store

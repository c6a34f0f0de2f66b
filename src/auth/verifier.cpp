#include "auth/verifier.hpp"

#include <csignal>
#include <pthread.h>
#include <sys/resource.h>
#include <utility>

namespace linnet::auth {

namespace {

/// Signals are for the threads that wait for them.
void block_signals() noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

/// On a board with one core a storm of logins must not take the shard's time.
void lower_priority() noexcept {
  constexpr int kNice = 10;
  constexpr id_t kThisThread = 0;
  setpriority(PRIO_PROCESS, kThisThread, kNice);
}

}  // namespace

Verifier::Verifier(VerdictSink& sink, VerifierLimits limits, std::size_t remembered_max)
    : sink_(sink), remembered_(remembered_max), limits_(limits), thread_([this] { work(); }) {}

Verifier::~Verifier() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  something_.notify_one();
  thread_.join();
}

bool Verifier::submit(LoginJob job) {
  const std::uint64_t source = job.source;
  Waiting made;
  made[source].push_back(std::move(job));
  {
    const std::lock_guard lock(mutex_);
    if (count_ >= limits_.waiting_max) return false;
    const auto of_source = waiting_.find(source);
    if (of_source == waiting_.end()) {
      waiting_.insert(made.extract(made.begin()));
    } else {
      if (of_source->second.size() >= limits_.of_source_max()) return false;
      of_source->second.splice(of_source->second.end(), made.begin()->second);
    }
    ++count_;
  }
  something_.notify_one();
  return true;
}

void Verifier::use(VerifierLimits limits, std::size_t remembered_max) {
  remembered_.resize(remembered_max);
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

/// The next job of the source after the one that had its turn. Under the lock.
Verifier::Taken Verifier::take() {
  auto turn = waiting_.upper_bound(last_source_);
  if (turn == waiting_.end()) turn = waiting_.begin();
  last_source_ = turn->first;
  Taken taken;
  taken.job.splice(taken.job.begin(), turn->second, turn->second.begin());
  if (turn->second.empty()) taken.of = waiting_.extract(turn);
  --count_;
  return taken;
}

void Verifier::work() {
  block_signals();
  lower_priority();
  std::unique_lock lock(mutex_);
  while (true) {
    something_.wait(lock, [this] { return stopping_ || count_ > 0; });
    if (stopping_) return;
    {
      const Taken taken = take();
      lock.unlock();
      answer(taken.job.front());
      // The job goes before the lock is back: with it may go the last policy of before a reload.
    }
    lock.lock();
  }
}

void Verifier::answer(const LoginJob& job) {
  LoginVerdict verdict = verify(job);
  if (verdict.outcome == LoginVerdict::Outcome::accepted) remembered_.add(job);
  sink_.on_verdict(job.shard, std::move(verdict));
}

}  // namespace linnet::auth

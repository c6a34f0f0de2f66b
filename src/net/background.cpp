#include "net/background.hpp"

#include <csignal>
#include <pthread.h>
#include <system_error>
#include <utility>

namespace linnet::net {

Background::~Background() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  something_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Background::run(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kWaitingMax) return false;
  if (!thread_.joinable() && !start()) return false;
  waiting_.push_back(std::move(job));
  something_.notify_one();
  return true;
}

/// Under the lock.
bool Background::start() {
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void Background::work() {
  // Signals are for the threads that wait for them.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (true) {
    something_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it holds may end here
    lock.lock();
  }
}

}  // namespace linnet::net

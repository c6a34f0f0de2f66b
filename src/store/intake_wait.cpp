// How the intake's writer sleeps and is woken.

#include <algorithm>
#include <utility>

#include "store/intake.hpp"

namespace linnet::store {

void Intake::end_turn(std::uint32_t shard) noexcept {
  Lane& lane = *lanes_[shard];
  if (lane.turn == Urgency::none) return;
  Urgency urgency = std::exchange(lane.turn, Urgency::none);
  if (urgency == Urgency::lazy) {
    const LaneUse now = use();
    const bool much = now.requests > limits_.requests_max / 4 || now.bytes > limits_.bytes_max / 4;
    if (much) urgency = Urgency::urgent;
  }
  signal(urgency);
}

void Intake::signal(Urgency urgency) noexcept {
  std::atomic<bool>& flag = urgency == Urgency::urgent ? urgent_ : lazy_;
  // A mark that still stands is removed before the writer looks into the lanes, so that it will see
  // what this turn has put there.
  if (flag.load()) return;
  bool wakes = false;
  {
    const std::lock_guard lock(wait_mutex_);
    if (urgency == Urgency::lazy && !lazy_.load()) lazy_since_ = std::chrono::steady_clock::now();
    flag.store(true);
    wakes = sleeping_;
  }
  if (wakes) woken_.notify_one();
}

Intake::Woken Intake::start_work() noexcept {
  left_over_ = true;  // until take(): whoever is told of work may do something else first
  urgent_.store(false);
  lazy_.store(false);
  return Woken::work;
}

Intake::Woken Intake::wait(std::chrono::milliseconds lazy,
                           std::optional<std::chrono::steady_clock::time_point> until) {
  std::unique_lock lock(wait_mutex_);
  for (;;) {
    if (std::exchange(interrupted_, false)) return Woken::timeout;
    if (urgent_.load() || left_over_) return start_work();
    if (stopping_) {
      if (stop_seen_ && took_nothing_) return Woken::stopped;
      stop_seen_ = true;
      return start_work();
    }
    const bool waits = lazy_.load();
    std::optional<std::chrono::steady_clock::time_point> deadline = until;
    if (waits) deadline = std::min(lazy_since_ + lazy, until.value_or(lazy_since_ + lazy));
    if (deadline && std::chrono::steady_clock::now() >= *deadline) {
      return waits && *deadline == lazy_since_ + lazy ? start_work() : Woken::timeout;
    }
    sleeping_ = true;
    if (deadline) {
      woken_.wait_until(lock, *deadline);
    } else {
      woken_.wait(lock);
    }
    sleeping_ = false;
  }
}

Intake::Woken Intake::sleep(std::chrono::steady_clock::time_point until) {
  left_over_ = true;
  std::unique_lock lock(wait_mutex_);
  // Marked as awake, so that the shards do not wake it in vain.
  const auto is_over = [this] { return interrupted_ || stopping_; };
  woken_.wait_until(lock, until, is_over);
  interrupted_ = false;
  return stopping_ ? Woken::stopped : Woken::timeout;
}

void Intake::stop() {
  {
    const std::lock_guard lock(wait_mutex_);
    stopping_ = true;
  }
  woken_.notify_one();
}

void Intake::interrupt() {
  {
    const std::lock_guard lock(wait_mutex_);
    interrupted_ = true;
  }
  woken_.notify_one();
}

}  // namespace linnet::store

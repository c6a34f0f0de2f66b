// The worker that verifies logins, without a thread: a test says when it works.
#pragma once

#include <deque>
#include <optional>
#include <random>
#include <utility>

#include "auth/login.hpp"

namespace linnet::test {

class FakeLogins final : public auth::LoginQueue {
 public:
  explicit FakeLogins(auth::VerdictSink& sink) noexcept : sink_(sink) {}

  [[nodiscard]] bool remembers(const auth::LoginJob&) override { return false; }
  void squeeze(bool /*is_short*/) override {}
  [[nodiscard]] bool submit(auth::LoginJob job) override {
    if (jobs_.size() >= room_) return false;
    jobs_.push_back(std::move(job));
    return true;
  }

  /// Nothing is verified until release().
  void hold() noexcept { held_ = true; }
  void release() noexcept { held_ = false; }
  /// No more than so many may wait.
  void set_room(std::size_t room) noexcept { room_ = room; }
  /// From now on the login that comes next is drawn.
  void reorder(std::uint64_t seed) { random_.emplace(seed); }
  [[nodiscard]] std::size_t waiting() const noexcept { return jobs_.size(); }

  /// Verifies the next one; false if there is none.
  bool step() {
    if (held_ || jobs_.empty()) return false;
    const std::size_t at = random_ ? (*random_)() % jobs_.size() : 0;
    const auth::LoginJob job = std::move(jobs_[at]);
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(at));
    sink_.on_verdict(job.shard, auth::verify(job));
    return true;
  }

 private:
  auth::VerdictSink& sink_;
  std::deque<auth::LoginJob> jobs_;
  std::size_t room_ = 1'000;
  std::optional<std::mt19937_64> random_;
  bool held_ = false;
};

}  // namespace linnet::test

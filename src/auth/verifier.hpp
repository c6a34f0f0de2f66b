// The worker thread that verifies logins. Its queue is bounded, and each source (a client's
// address) gets its turn: whoever guesses passwords waits behind himself.
//
// Its priority is lower than the shards', which may be on the same core; so what they wait for, its
// mutex, is held for a few instructions: under it nothing is allocated or freed.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "auth/login.hpp"
#include "auth/remembered_logins.hpp"

namespace linnet::auth {

struct VerifierLimits {
  std::size_t waiting_max = 1'000;
  /// Of one source, a part of waiting_max.
  [[nodiscard]] std::size_t of_source_max() const noexcept { return (waiting_max + 3) / 4; }
};

class Verifier final : public LoginQueue {
 public:
  /// Starts the thread. `sink` outlives it.
  Verifier(VerdictSink& sink, VerifierLimits limits, std::size_t remembered_max);
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;
  /// Ends the thread; what still waits is not answered.
  ~Verifier();

  [[nodiscard]] bool remembers(const LoginJob& job) override { return remembered_.holds(job); }
  [[nodiscard]] bool submit(LoginJob job) override;
  void squeeze(bool is_short) override { remembered_.squeeze(is_short); }
  /// After a reload.
  void use(VerifierLimits limits, std::size_t remembered_max);

 private:
  using Jobs = std::list<LoginJob>;
  using Waiting = std::map<std::uint64_t, Jobs>;
  struct Taken {
    Jobs job;               // one
    Waiting::node_type of;  // its source, if that was its last one
  };

  void work();
  void answer(const LoginJob& job);
  [[nodiscard]] Taken take();

  VerdictSink& sink_;
  RememberedLogins remembered_;

  std::mutex mutex_;
  std::condition_variable something_;
  VerifierLimits limits_;
  Waiting waiting_;                // by source; none is empty
  std::uint64_t last_source_ = 0;  // whose turn it was
  std::size_t count_ = 0;
  bool stopping_ = false;

  std::thread thread_;  // last: it uses the others
};

}  // namespace linnet::auth

#include "shard/shard_thread.hpp"

#include <csignal>
#include <pthread.h>

namespace linnet::shard {

namespace {

/// OpenSSL writes to its socket without MSG_NOSIGNAL. For this thread alone: what the rest of the
/// program does with the signal is its own matter.
void block_sigpipe() noexcept {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

void run(Shard& shard, const std::atomic<bool>& abort) {
  block_sigpipe();
  shard.own();
  net::Reactor& reactor = shard.reactor();
  while (!shard.stopped() && !abort.load(std::memory_order_relaxed)) {
    reactor.poll(shard.wait_ms());
    shard.work();
    reactor.flush();
  }
}

}  // namespace linnet::shard

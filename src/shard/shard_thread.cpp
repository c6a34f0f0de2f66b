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

/// So many links with bytes to write make a turn in which looking again costs nothing beside
/// writing: whatever comes in meanwhile leaves with the same calls. With several shards half of a
/// turn's messages come by letter, a little later than the other half.
constexpr std::size_t kManyFlushes = 32;
constexpr int kLooksMax = 3;

}  // namespace

void run(Shard& shard, const std::atomic<bool>& abort) {
  block_sigpipe();
  shard.own();
  net::Reactor& reactor = shard.reactor();
  while (!shard.stopped() && !abort.load(std::memory_order_relaxed)) {
    reactor.poll(shard.wait_ms());
    shard.work();
    for (int look = 0; look < kLooksMax && reactor.flushes() >= kManyFlushes; ++look) {
      if (reactor.poll(0) == 0) break;
      shard.work();
    }
    reactor.flush();
  }
}

}  // namespace linnet::shard

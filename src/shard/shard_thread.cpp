#include "shard/shard_thread.hpp"

namespace linnet::shard {

void run(Shard& shard, const std::atomic<bool>& abort) {
  shard.own();
  net::Reactor& reactor = shard.reactor();
  while (!shard.stopped() && !abort.load(std::memory_order_relaxed)) {
    reactor.poll(shard.wait_ms());
    shard.work();
    reactor.flush();
  }
}

}  // namespace linnet::shard

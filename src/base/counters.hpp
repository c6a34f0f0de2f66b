// What one shard counts: plain integers of its own thread. Shard 0 adds the shards' counters up
// when somebody listens to $SYS.
#pragma once

#include <cstdint>

namespace linnet {

struct Counters {
  // Sums since the start
  std::uint64_t messages_received = 0;  // control packets of any kind
  std::uint64_t messages_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t publish_received = 0;
  std::uint64_t publish_sent = 0;
  std::uint64_t publish_dropped = 0;
  std::uint64_t publish_bytes_received = 0;
  std::uint64_t publish_bytes_sent = 0;
  std::uint64_t publish_expired = 0;
  std::uint64_t publish_refused = 0;
  std::uint64_t sockets_total = 0;  // links that have come, whatever they said
  std::uint64_t connections_total = 0;
  std::uint64_t clients_expired = 0;
  std::uint64_t memory_dropped = 0;  // messages that the memory budget had no room for
  std::uint64_t memory_paused = 0;   // how often it has held a client back
  std::uint64_t memory_connections_refused = 0;
  std::uint64_t memory_subscriptions_refused = 0;
  std::uint64_t clients_slowed = 0;         // how often a rate has paused a client
  std::uint64_t publish_denied = 0;         // by a rule
  std::uint64_t subscriptions_denied = 0;   // by a rule
  std::uint64_t subscriptions_removed = 0;  // because the rules have changed

  // Right now
  std::uint64_t sockets = 0;
  std::uint64_t clients_connected = 0;
  std::uint64_t sessions = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t shared_subscriptions = 0;
  std::uint64_t backlog_messages = 0;
  std::uint64_t backlog_bytes = 0;

  Counters& operator+=(const Counters& other) noexcept;
};

}  // namespace linnet

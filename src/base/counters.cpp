#include "base/counters.hpp"

namespace linnet {

Counters& Counters::operator+=(const Counters& other) noexcept {
  messages_received += other.messages_received;
  messages_sent += other.messages_sent;
  bytes_received += other.bytes_received;
  bytes_sent += other.bytes_sent;
  publish_received += other.publish_received;
  publish_sent += other.publish_sent;
  publish_dropped += other.publish_dropped;
  publish_bytes_received += other.publish_bytes_received;
  publish_bytes_sent += other.publish_bytes_sent;
  publish_expired += other.publish_expired;
  publish_refused += other.publish_refused;
  sockets_total += other.sockets_total;
  connections_total += other.connections_total;
  clients_expired += other.clients_expired;
  memory_dropped += other.memory_dropped;
  memory_paused += other.memory_paused;
  memory_connections_refused += other.memory_connections_refused;
  memory_subscriptions_refused += other.memory_subscriptions_refused;
  clients_slowed += other.clients_slowed;
  publish_denied += other.publish_denied;
  subscriptions_denied += other.subscriptions_denied;
  subscriptions_removed += other.subscriptions_removed;
  sockets += other.sockets;
  clients_connected += other.clients_connected;
  sessions += other.sessions;
  subscriptions += other.subscriptions;
  shared_subscriptions += other.shared_subscriptions;
  backlog_messages += other.backlog_messages;
  backlog_bytes += other.backlog_bytes;
  return *this;
}

}  // namespace linnet

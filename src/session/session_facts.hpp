// What an administrator is told of a session and its connection: a copy, which may go to any
// thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <linnet/types.hpp>

namespace linnet::session {

struct SubscriptionFacts {
  std::string filter;  // with `$share/`, as the client has sent it
  Qos qos = Qos::at_most_once;
};

struct SessionFacts {
  std::string client_id;
  std::string user;  // empty: none
  std::uint32_t expiry_s = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t inflight = 0;  // sent and not acknowledged
  std::uint64_t backlog_messages = 0;
  std::uint64_t backlog_bytes = 0;
  std::uint64_t dropped = 0;  // since the client was last told; MQTT 3 can't be told

  // Of the connection, if there is one
  bool connected = false;
  std::string address;
  std::string listener;
  std::string version;  // "MQTT 5.0"
  std::uint16_t keep_alive_s = 0;
  std::uint64_t outbox_bytes = 0;
  /// Why nothing is read from it now; empty: it is read.
  std::string waits_for;

  /// Only where they were asked for.
  std::vector<SubscriptionFacts> filters;
};

}  // namespace linnet::session

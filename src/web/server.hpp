// HTTP's side of a listener: MQTT over WebSocket (RFC 6455; MQTT 5.0, section 6), and a clear
// answer to every other request. Immutable once it is made, so any thread; it must outlive its
// channels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/channel.hpp"
#include "net/networks.hpp"

namespace linnet::web {

struct Rules {
  /// Where a WebSocket is offered: "/mqtt". Any other path is answered with 404.
  std::vector<std::string> paths;
  /// The listener's host as configured, without brackets; empty: all addresses.
  std::string own_host;
  /// Where that is empty: the names of this machine, which count as the listener's host.
  std::vector<std::string> machine_names;
  /// Pages of these origins may connect, beside the listener's own host and loopback:
  /// "https://app.example.com" or "https://app.example.com:8443"; "*": any page.
  std::vector<std::string> origins;
  /// X-Forwarded-For is believed from these.
  net::Networks trusted_proxies;
  /// permessage-deflate is offered; it costs about 50 KiB per connection, and 80 for a client that
  /// can't be told a smaller window (Firefox).
  bool deflate = false;
  /// A longer WebSocket message gets close code 1009. In bytes, on the wire and after inflating.
  std::uint64_t message_max = 16 << 20;
};

class Server {
 public:
  /// Throws std::system_error if the system has no descriptors left (start-up and reload only).
  explicit Server(Rules rules);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// The channel of a connection whose peer is `peer`, and that speaks HTTP over `below` (null: the
  /// socket itself). `known` has been read from it already.
  [[nodiscard]] std::unique_ptr<net::Channel> accept(std::unique_ptr<net::Channel> below,
                                                     const net::Endpoint& peer,
                                                     std::string_view known) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::web

// What a listener offers to those who come through it: which protocols, by which certificates, and
// whom it believes. Made at start, before the shards, and outlives them; any thread.
#pragma once

#include <memory>

#include "net/link.hpp"
#include "net/networks.hpp"
#include "net/url.hpp"
#include "tls/server_context.hpp"
#include "web/server.hpp"
#include <linnet/config.hpp>

namespace linnet::transport {

struct Entrance {
  net::ListenerTraits traits;
  net::Scheme scheme = net::Scheme::mqtt;
  /// Each connection begins with a PROXY header, which is believed from these alone.
  bool proxy_protocol = false;
  net::Networks trusted_proxies;
  net::Networks allow;  // where clients may come from; empty: from anywhere
  net::Networks deny;   // and where they must not
  /// The common name that a proxy tells of its client's certificate is the client's user name.
  bool takes_proxied_name = false;
  std::unique_ptr<tls::ServerContext> tls;  // null: no TLS
  std::unique_ptr<web::Server> web;         // null: no HTTP
};

/// Null if the listener can't be served; `error` then says what is wrong, and the mend. `url` is
/// that of the bound sockets. Start-up and reload only.
[[nodiscard]] std::unique_ptr<Entrance> open_entrance(const ListenerConfig& listener,
                                                      const net::Url& url, const Limits& limits,
                                                      std::string& error);

/// The channel that a new connection begins with; null for plain MQTT. `failed` if there is no
/// memory for it.
struct FirstChannel {
  std::unique_ptr<net::Channel> channel;
  bool failed = false;
};
[[nodiscard]] FirstChannel first_channel(const Entrance& entrance, int socket,
                                         const net::Endpoint& peer);

}  // namespace linnet::transport

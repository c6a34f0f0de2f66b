// The header that a load balancer writes in front of a connection: HAProxy's PROXY protocol
// (haproxy.org, proxy-protocol.txt), versions 1 (a line of text) and 2 (binary, with TLVs). Pure;
// every byte is hostile, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/endpoint.hpp"

namespace linnet::net {

/// What the proxy says of the connection that it took.
struct ProxyHeader {
  /// The client's address; nothing for LOCAL (a health check of the proxy itself), for UNKNOWN or
  /// AF_UNSPEC, and for a client on a Unix socket of the proxy's machine: then the proxy's own
  /// address stands. It may be a loopback address, of the proxy's machine and not of ours.
  std::optional<Endpoint> client;
  /// PP2_TYPE_SSL with a certificate that the proxy has verified: its common name, an MQTT string.
  /// Empty if it is not verified, or has none.
  std::string common_name;
  bool certificate_verified = false;
  /// PP2_TYPE_ALPN, as the client asked for it.
  std::string alpn;
};

struct ProxyParse {
  enum class State : std::uint8_t {
    incomplete,  // it is right so far; `count` says how many bytes of what was shown are certain to
                 // belong to the header
    whole,       // the first `count` bytes are the header
    bad,         // `error` says why
  };
  State state = State::incomplete;
  std::size_t count = 0;
  ProxyHeader header;
  const char* error = "";
};

/// No header may be longer, in bytes; version 2 could say up to 65,551.
inline constexpr std::size_t kProxyHeaderMax = 4096;

/// Parses what has come so far, from the connection's first byte on.
[[nodiscard]] ProxyParse parse_proxy_header(std::string_view bytes);

}  // namespace linnet::net

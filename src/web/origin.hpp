// Which web page a request comes from (RFC 6454). A browser tells the truth about it, and the page
// can't change it; other clients need not say anything. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/endpoint.hpp"

namespace linnet::web {

struct Origin {
  std::string scheme;      // in lower case
  std::string host;        // in lower case, without brackets and without a dot at its end
  std::uint16_t port = 0;  // the scheme's own if none is written; 0: it has none

  friend bool operator==(const Origin&, const Origin&) = default;
};

/// "https://app.example.com:8443". Nothing for "null", a list, or what has a path.
[[nodiscard]] std::optional<Origin> parse_origin(std::string_view text);

/// localhost and the names below it, 127.0.0.0/8, ::1.
[[nodiscard]] bool is_loopback_host(std::string_view host);
/// Two names are the same without regard to case, two addresses if their bytes are.
[[nodiscard]] bool is_same_host(std::string_view one, std::string_view other);

struct ReadyRules;
/// Whether the page may connect. `local` is our own address on this connection.
[[nodiscard]] bool is_allowed_origin(std::string_view text, const ReadyRules& rules,
                                     const net::Endpoint& local);

}  // namespace linnet::web

// The addresses of a name: of this machine's to listen at, or of a service's to connect to. It
// blocks, for the network too: start-up, reload and threads of their own only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "net/socket_address.hpp"

namespace linnet::net {

struct Lookup {
  std::vector<SocketAddress> addresses;  // each once, in the system's order of preference
  std::string error;                     // the system's words; empty: it worked
};

/// `host` is a name or an address without brackets; empty: all addresses of this machine.
[[nodiscard]] Lookup look_up(const std::string& host, std::uint16_t port);

/// Whether it is an address, which needs no asking.
[[nodiscard]] bool is_address(const std::string& host) noexcept;

}  // namespace linnet::net

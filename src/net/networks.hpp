// A list of networks: "10.0.0.0/8", "2001:db8::/32", a single address, "loopback" or "unix".
// Immutable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"

namespace linnet::net {

class Networks {
 public:
  Networks() noexcept = default;
  /// Parses each text; nothing if one is wrong, and then `error` says which, and how it is written.
  [[nodiscard]] static std::optional<Networks> parse(std::span<const std::string> texts,
                                                     std::string& error);

  [[nodiscard]] bool empty() const noexcept { return networks_.empty(); }
  /// Whether one of them holds the address. "loopback" is 127.0.0.0/8, ::1 and Unix sockets; "unix"
  /// is Unix sockets alone.
  [[nodiscard]] bool contains(const Endpoint& endpoint) const noexcept;

 private:
  struct Network {
    Endpoint::Family family = Endpoint::Family::unknown;
    std::uint8_t bits = 0;
    std::array<std::uint8_t, 16> bytes{};
  };

  [[nodiscard]] bool add(std::string_view text, std::string& error);

  std::vector<Network> networks_;
};

}  // namespace linnet::net

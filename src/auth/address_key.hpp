// An address as accounts and bans count it: an IPv4 address, or the network of 64 bits that an IPv6
// address is in, since whoever has one of those has them all. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/endpoint.hpp"

namespace linnet::auth {

class AddressKey {
 public:
  /// Nothing for Unix sockets and unknown addresses.
  [[nodiscard]] static std::optional<AddressKey> of(const net::Endpoint& address) noexcept;

  /// Of IPv6, the network of 48 bits around it, which is what a site has at most as a rule.
  [[nodiscard]] std::optional<AddressKey> site() const noexcept;

  /// 4 or 8 bytes (of a site 6), in network order: those of IPv4 are never those of IPv6.
  [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_, size_}; }
  /// "192.0.2.7", "2001:db8::/64" or "2001:db8::/48".
  [[nodiscard]] std::string text() const;

  friend bool operator==(const AddressKey& a, const AddressKey& b) noexcept {
    return a.bytes() == b.bytes();
  }

 private:
  AddressKey() noexcept = default;

  char bytes_[8] = {};
  std::uint8_t size_ = 0;
};

}  // namespace linnet::auth

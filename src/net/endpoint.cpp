#include "net/endpoint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

#include "base/cat.hpp"

namespace linnet::net {

Endpoint Endpoint::from(const sockaddr_storage& address) noexcept {
  Endpoint endpoint;
  if (address.ss_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    std::memcpy(endpoint.bytes_.data(), &ipv4.sin_addr, sizeof ipv4.sin_addr);
    endpoint.port_ = ntohs(ipv4.sin_port);
    endpoint.family_ = Family::ipv4;
  } else if (address.ss_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof ipv6);
    endpoint.port_ = ntohs(ipv6.sin6_port);
    endpoint.family_ = Family::ipv6;
    std::copy_n(std::begin(ipv6.sin6_addr.s6_addr), 16, endpoint.bytes_.begin());
    if (IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr)) {
      std::rotate(endpoint.bytes_.begin(), endpoint.bytes_.begin() + 12, endpoint.bytes_.end());
      std::fill(endpoint.bytes_.begin() + 4, endpoint.bytes_.end(), std::uint8_t{0});
      endpoint.family_ = Family::ipv4;
    }
  } else if (address.ss_family == AF_UNIX) {
    endpoint.family_ = Family::unix_socket;
  }
  return endpoint;
}

std::string Endpoint::address_text() const {
  if (family_ == Family::unknown) return "unknown";
  if (family_ == Family::unix_socket) return "unix";
  char text[INET6_ADDRSTRLEN] = "";
  const int family = family_ == Family::ipv4 ? AF_INET : AF_INET6;
  if (::inet_ntop(family, bytes_.data(), text, sizeof text) == nullptr) return "unknown";
  return text;
}

std::string Endpoint::text() const {
  if (family_ == Family::ipv4) return cat(address_text(), ':', port_);
  if (family_ == Family::ipv6) return cat('[', address_text(), "]:", port_);
  return address_text();
}

bool Endpoint::is_loopback() const noexcept {
  switch (family_) {
    case Family::unix_socket: return true;
    case Family::ipv4: return bytes_[0] == 127;
    case Family::ipv6:
      return bytes_[15] == 1 &&
             std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; });
    case Family::unknown: break;
  }
  return false;
}

}  // namespace linnet::net

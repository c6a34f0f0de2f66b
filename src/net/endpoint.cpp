#include "net/endpoint.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

#include "base/cat.hpp"

namespace linnet::net {

namespace {

/// ::ffff:0:0/96, of which the last 4 bytes are an IPv4 address.
constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

}  // namespace

Endpoint Endpoint::from(const sockaddr_storage& address) noexcept {
  Endpoint endpoint;
  if (address.ss_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    char bytes[4];
    std::memcpy(bytes, &ipv4.sin_addr, sizeof bytes);
    return from_bytes({bytes, sizeof bytes}, ntohs(ipv4.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof ipv6);
    char bytes[16];
    std::memcpy(bytes, &ipv6.sin6_addr, sizeof bytes);
    return from_bytes({bytes, sizeof bytes}, ntohs(ipv6.sin6_port));
  }
  if (address.ss_family == AF_UNIX) endpoint.family_ = Family::unix_socket;
  return endpoint;
}

Endpoint Endpoint::from_bytes(std::string_view bytes, std::uint16_t port) noexcept {
  Endpoint endpoint;
  if (bytes.size() == 16 && bytes.starts_with(kMapped)) bytes.remove_prefix(kMapped.size());
  if (bytes.size() != 4 && bytes.size() != 16) return endpoint;
  std::copy(bytes.begin(), bytes.end(), endpoint.bytes_.begin());
  endpoint.port_ = port;
  endpoint.family_ = bytes.size() == 4 ? Family::ipv4 : Family::ipv6;
  return endpoint;
}

std::optional<Endpoint> Endpoint::parse(std::string_view address, std::uint16_t port) {
  const bool brackets = address.starts_with('[') && address.ends_with(']') && address.size() > 2;
  if (brackets) address = address.substr(1, address.size() - 2);
  // A zero would end the text for inet_pton.
  if (address.find('\0') != std::string_view::npos) return std::nullopt;
  const bool is_ipv6 = address.find(':') != std::string_view::npos;
  if (brackets && !is_ipv6) return std::nullopt;
  char text[INET6_ADDRSTRLEN] = "";
  if (address.size() >= sizeof text) return std::nullopt;
  address.copy(text, address.size());
  char bytes[16];
  if (::inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, bytes) != 1) return std::nullopt;
  return from_bytes({bytes, is_ipv6 ? 16U : 4U}, port);
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

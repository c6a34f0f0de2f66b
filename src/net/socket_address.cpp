#include "net/socket_address.hpp"

#include <cstring>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/assert.hpp"
#include "net/endpoint.hpp"

namespace linnet::net {

namespace {

template <class Name>
const Name& as(const SocketAddress& address) noexcept {
  return reinterpret_cast<const Name&>(address.storage);
}

}  // namespace

SocketAddress SocketAddress::of(int socket) noexcept {
  SocketAddress address;
  address.size = sizeof address.storage;
  auto* target = reinterpret_cast<sockaddr*>(&address.storage);
  if (::getsockname(socket, target, &address.size) != 0) return {};
  return address;
}

SocketAddress SocketAddress::of_path(const std::string& path) noexcept {
  SocketAddress address;
  auto& name = reinterpret_cast<sockaddr_un&>(address.storage);
  LINNET_ASSERT(path.size() < sizeof name.sun_path);
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
  address.size = sizeof name;
  return address;
}

const sockaddr* SocketAddress::get() const noexcept {
  return reinterpret_cast<const sockaddr*>(&storage);
}

std::uint16_t SocketAddress::port() const noexcept {
  if (family() == AF_INET) return ntohs(as<sockaddr_in>(*this).sin_port);
  if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(*this).sin6_port);
  return 0;
}

void SocketAddress::set_port(std::uint16_t port) noexcept {
  const in_port_t wire = htons(port);
  if (family() == AF_INET) reinterpret_cast<sockaddr_in&>(storage).sin_port = wire;
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6&>(storage).sin6_port = wire;
}

bool SocketAddress::is_ipv6_any() const noexcept {
  return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&as<sockaddr_in6>(*this).sin6_addr);
}

std::string SocketAddress::text() const {
  if (family() != AF_UNIX) return Endpoint::from(storage).text();
  return as<sockaddr_un>(*this).sun_path;
}

bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept {
  if (a.family() != b.family() || a.port() != b.port()) return false;
  switch (a.family()) {
    case AF_INET: return as<sockaddr_in>(a).sin_addr.s_addr == as<sockaddr_in>(b).sin_addr.s_addr;
    case AF_INET6: {
      const auto& ipv6 = as<sockaddr_in6>(a);
      const auto& other = as<sockaddr_in6>(b);
      return ipv6.sin6_scope_id == other.sin6_scope_id &&
             IN6_ARE_ADDR_EQUAL(&ipv6.sin6_addr, &other.sin6_addr);
    }
    case AF_UNIX: {
      // An abstract socket's name begins with a zero: it has no path, and equals nothing.
      const char* const path = as<sockaddr_un>(a).sun_path;
      return path[0] != '\0' && std::strcmp(path, as<sockaddr_un>(b).sun_path) == 0;
    }
    default: return false;
  }
}

}  // namespace linnet::net

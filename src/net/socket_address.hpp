// An address as the kernel takes it: IPv4, IPv6 or the path of a Unix socket. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <sys/socket.h>

namespace linnet::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  /// What the socket is bound to; family() is AF_UNSPEC if it is no socket.
  [[nodiscard]] static SocketAddress of(int socket) noexcept;
  /// The path is at most 107 bytes.
  [[nodiscard]] static SocketAddress of_path(const std::string& path) noexcept;

  [[nodiscard]] int family() const noexcept { return storage.ss_family; }
  [[nodiscard]] const sockaddr* get() const noexcept;
  [[nodiscard]] std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  /// [::]
  [[nodiscard]] bool is_ipv6_any() const noexcept;
  /// "127.0.0.1:1883" or a path.
  [[nodiscard]] std::string text() const;

  /// The same place to listen at.
  friend bool operator==(const SocketAddress& a, const SocketAddress& b) noexcept;
};

}  // namespace linnet::net

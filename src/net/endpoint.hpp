// The address of the other side: 20 bytes, kept with its link, since the kernel forgets it when the
// connection is lost. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace linnet::net {

class Endpoint {
 public:
  enum class Family : std::uint8_t { unknown, ipv4, ipv6, unix_socket };

  Endpoint() noexcept = default;
  /// An IPv4 address that an IPv6 socket shows (::ffff:192.0.2.7) becomes an IPv4 address.
  [[nodiscard]] static Endpoint from(const sockaddr_storage& address) noexcept;

  /// From an address as people and proxies write it: "192.0.2.7", "2001:db8::1", "[2001:db8::1]".
  /// An IPv4 address in IPv6 becomes an IPv4 address here too. Nothing for all else: no zone
  /// (fe80::1%eth0), no port, no space, no zeros in front of decimal numbers.
  [[nodiscard]] static std::optional<Endpoint> parse(std::string_view address, std::uint16_t port);
  /// From the 4 or 16 bytes of an address in network order; any other size gives an unknown one.
  [[nodiscard]] static Endpoint from_bytes(std::string_view bytes, std::uint16_t port) noexcept;

  [[nodiscard]] Family family() const noexcept { return family_; }
  /// 0 if there is none.
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  /// Network order; the first 4 bytes of an IPv4 address, all 16 of an IPv6 address.
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }

  /// "192.0.2.7:51234", "[2001:db8::1]:1883", "unix" or "unknown".
  [[nodiscard]] std::string text() const;
  /// The same without port and brackets.
  [[nodiscard]] std::string address_text() const;
  /// Local to this machine: 127.0.0.0/8, ::1 or a Unix socket.
  [[nodiscard]] bool is_loopback() const noexcept;

  friend bool operator==(const Endpoint&, const Endpoint&) noexcept = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::uint16_t port_ = 0;
  Family family_ = Family::unknown;
};

}  // namespace linnet::net

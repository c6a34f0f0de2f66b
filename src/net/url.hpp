// Where a listener listens: mqtt://127.0.0.1:1883, wss://*:8084/mqtt, unix:/run/linnet.sock. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

namespace linnet::net {

enum class Scheme : std::uint8_t { mqtt, mqtts, ws, wss, http, https, any, unix_socket };

struct Url {
  Scheme scheme = Scheme::mqtt;
  /// A name or an address without brackets; empty: all addresses of this machine.
  std::string host;
  /// 0: the kernel chooses one.
  std::uint16_t port = 0;
  /// "/mqtt" for ws, the socket's path for unix; empty where it has no meaning.
  std::string path;

  /// As it is written, with the port: "mqtt://*:1883".
  [[nodiscard]] std::string text() const;
};

struct UrlError {
  std::string text;  // what is wrong, and how it is written
};

/// Default ports: mqtt and any 1883, mqtts 8883, ws 8083, wss 8084, http 80, https 443. A missing
/// host or `*` means all addresses; IPv6 stands in brackets; the path of ws is /mqtt if none is
/// given.
[[nodiscard]] boost::system::result<Url, UrlError> parse_url(std::string_view text);

/// "mqtt", "wss" ...
[[nodiscard]] std::string_view name_of(Scheme scheme) noexcept;
/// Whether all of its connections speak TLS; `any` may speak it.
[[nodiscard]] bool is_tls(Scheme scheme) noexcept;
/// Whether a connection may speak HTTP or WebSocket.
[[nodiscard]] bool may_speak_http(Scheme scheme) noexcept;
/// Whether the host is loopback by its name or address, or a Unix socket.
[[nodiscard]] bool is_loopback(const Url& url) noexcept;

}  // namespace linnet::net

// Which protocol a connection speaks, by its first byte. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet::net {

enum class FirstProtocol : std::uint8_t {
  none,  // no byte has come yet
  mqtt,  // 0x10: CONNECT
  tls,   // 0x16: a handshake record
  http,  // an upper-case letter: a request's method
  unknown,
};

/// `bytes` is the beginning of the connection.
[[nodiscard]] FirstProtocol first_protocol(std::string_view bytes) noexcept;

}  // namespace linnet::net

// Wire types at the end of a string, for the encoders of packets that are rare. Private to this
// room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "mqtt/framer.hpp"

namespace linnet::mqtt {

inline constexpr std::size_t kStringMax = 65'535;
inline constexpr std::size_t kLengthMax = 0x0FFF'FFFF;

inline void put_u8(std::string& target, std::uint8_t value) {
  target.push_back(static_cast<char>(value));
}

inline void put_u16(std::string& target, std::uint16_t value) {
  put_u8(target, static_cast<std::uint8_t>(value >> 8));
  put_u8(target, static_cast<std::uint8_t>(value));
}

inline void put_varint(std::string& target, std::size_t value) {
  LINNET_ASSERT(value <= kLengthMax);
  char bytes[4];
  Writer out(bytes);
  out.varint(static_cast<std::uint32_t>(value));
  target.append(bytes, out.position());
}

inline void put_string(std::string& target, std::string_view value) {
  LINNET_ASSERT(value.size() <= kStringMax);
  put_u16(target, static_cast<std::uint16_t>(value.size()));
  target.append(value);
}

inline void put_packet(std::string& target, std::uint8_t first_byte, std::string_view body) {
  put_u8(target, first_byte);
  put_varint(target, body.size());
  target.append(body);
}

}  // namespace linnet::mqtt

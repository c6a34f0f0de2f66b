// The tests' small language for bytes: wire("82 08 00 01 00 03 'a/b' 01") has hexadecimal bytes and
// quoted text, hex() shows bytes in the same way, and packet() puts a fixed header in front.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "mqtt/framer.hpp"

namespace linnet::mqtt::test {

inline std::string wire(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string bytes;
  while (!text.empty()) {
    if (text[0] == ' ') {
      text.remove_prefix(1);
    } else if (text[0] == '\'') {
      const auto end = text.find('\'', 1);
      bytes.append(text.substr(1, end - 1));
      text.remove_prefix(end + 1);
    } else {
      bytes.push_back(static_cast<char>(digit(text[0]) * 16 + digit(text[1])));
      text.remove_prefix(2);
    }
  }
  return bytes;
}

inline std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const char c : bytes) {
    if (!text.empty()) text.push_back(' ');
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 0x0F]);
  }
  return text;
}

/// A packet from its first byte and its body.
inline std::string packet(unsigned first_byte, std::string_view body) {
  std::string length(4, '\0');
  Writer out(length.data());
  out.varint(static_cast<std::uint32_t>(body.size()));
  std::string whole(1, static_cast<char>(first_byte));
  whole.append(length.data(), out.position());
  return whole.append(body);
}

/// A string with its two-byte length.
inline std::string string(std::string_view text) {
  std::string bytes{static_cast<char>(text.size() >> 8), static_cast<char>(text.size() & 0xFF)};
  return bytes.append(text);
}

/// A property block with its length.
inline std::string properties(std::string_view raw) {
  return packet(0, raw).substr(1);
}

/// A frame over a body that outlives it.
inline Frame frame(unsigned first_byte, std::string_view body) {
  return {static_cast<std::uint8_t>(first_byte), body, body};
}

}  // namespace linnet::mqtt::test

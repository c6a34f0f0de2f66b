#include "base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace linnet {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

std::uint8_t byte_at(std::string_view text, std::size_t index) noexcept {
  return static_cast<std::uint8_t>(text[index]);
}

bool is_continuation(std::uint8_t byte) noexcept {
  return (byte & 0xC0) == 0x80;
}

// The length of the character of two to four bytes at the head of `text`, or 0 if it is none.
std::size_t long_character(std::string_view text) noexcept {
  const auto first = byte_at(text, 0);
  if (first < 0xC2 || first > 0xF4) return 0;  // C0 and C1 could only begin overlong forms
  const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() < size) return 0;
  for (std::size_t index = 1; index < size; ++index) {
    if (!is_continuation(byte_at(text, index))) return 0;
  }
  const auto second = byte_at(text, 1);
  if (first == 0xE0 && second < 0xA0) return 0;   // overlong
  if (first == 0xED && second >= 0xA0) return 0;  // a surrogate
  if (first == 0xF0 && second < 0x90) return 0;   // overlong
  if (first == 0xF4 && second >= 0x90) return 0;  // beyond U+10FFFF
  return size;
}

template <bool kNulAllowed>
bool is_well_formed(std::string_view text) noexcept {
  while (!text.empty()) {
    while (text.size() >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data(), sizeof word);
      // Without a high bit in the word, the subtraction sets one exactly if a byte is zero.
      const auto special = kNulAllowed ? word : word | (word - kOnes);
      if (special & kHighs) break;
      text.remove_prefix(sizeof word);
    }
    if (text.empty()) return true;
    const auto first = byte_at(text, 0);
    if (first >= 0x80) {
      const auto size = long_character(text);
      if (size == 0) return false;
      text.remove_prefix(size);
      continue;
    }
    if (!kNulAllowed && first == 0) return false;
    text.remove_prefix(1);
  }
  return true;
}

}  // namespace

bool is_mqtt_utf8(std::string_view text) noexcept {
  return is_well_formed<false>(text);
}

bool is_utf8(std::string_view text) noexcept {
  return is_well_formed<true>(text);
}

}  // namespace linnet

// A few bytes as one number, without a call for the copy. Any thread.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace linnet {

/// As many bytes as `Word` has, little endian on every machine.
template <class Word>
[[nodiscard]] inline std::uint64_t load_word(const char* bytes) noexcept {
  Word word;
  std::memcpy(&word, bytes, sizeof word);
  if constexpr (std::endian::native == std::endian::big) {
    if constexpr (sizeof word == 8) word = __builtin_bswap64(word);
    if constexpr (sizeof word == 4) word = __builtin_bswap32(word);
    if constexpr (sizeof word == 2) word = __builtin_bswap16(word);
  }
  return word;
}

/// The first `count` bytes, 0 to 8, little endian; what is above them is 0. Reads no other byte: it
/// takes the front and the back, which may overlap.
[[nodiscard]] inline std::uint64_t load_bytes(const char* bytes, std::size_t count) noexcept {
  if (count == 8) return load_word<std::uint64_t>(bytes);
  if (count >= 4) {
    return load_word<std::uint32_t>(bytes) | load_word<std::uint32_t>(bytes + count - 4)
                                                 << (8 * (count - 4));
  }
  if (count >= 2) {
    return load_word<std::uint16_t>(bytes) | load_word<std::uint16_t>(bytes + count - 2)
                                                 << (8 * (count - 2));
  }
  return count == 0 ? 0 : static_cast<unsigned char>(*bytes);
}

}  // namespace linnet

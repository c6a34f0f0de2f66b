#include "base/hash.hpp"

#include <bit>
#include <cstring>

#include "base/assert.hpp"

namespace linnet {

namespace {

// Odd, with about as many ones as zeros and no pattern.
constexpr std::uint64_t kSpread = 0xC6A3'9E57'D1F2'84ABULL;
constexpr std::uint64_t kFold = 0x94D0'63EB'5A7C'21F9ULL;

/// Little endian on every machine, since the values are the same everywhere.
std::uint64_t load(const char* bytes, std::size_t count) noexcept {
  std::uint64_t word = 0;
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(&word, bytes, count);
  } else {
    for (std::size_t at = 0; at < count; ++at) {
      word |= std::uint64_t{static_cast<unsigned char>(bytes[at])} << (8 * at);
    }
  }
  return word;
}

/// Both steps can be undone, so that no two words fall together here.
std::uint64_t stir(std::uint64_t state, std::uint64_t word) noexcept {
  state = (state ^ (std::rotl(word * kSpread, 31))) * kFold;
  return state ^ (state >> 29);
}

}  // namespace

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) noexcept {
  std::uint64_t state = seed ^ kFold ^ (bytes.size() * kSpread);
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8)
    state = stir(state, load(at, 8));
  if (left > 0) state = stir(state, load(at, left));
  state ^= state >> 32;
  state *= kSpread;
  state ^= state >> 29;
  state *= kFold;
  return state ^ (state >> 32);
}

std::uint32_t home_of(std::string_view client_id, std::uint32_t shards) noexcept {
  LINNET_ASSERT(shards > 0);
  const std::uint64_t high = hash64(client_id) >> 32;
  return static_cast<std::uint32_t>((high * shards) >> 32);
}

}  // namespace linnet

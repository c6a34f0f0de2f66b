#include "base/hash.hpp"

#include "base/assert.hpp"
#include "base/load_bytes.hpp"

namespace linnet {

namespace {

// Odd, with about as many ones as zeros and no pattern.
constexpr std::uint64_t kSpread = 0xC6A3'9E57'D1F2'84ABULL;
constexpr std::uint64_t kFold = 0x94D0'63EB'5A7C'21F9ULL;

/// The 128-bit product, folded to 64 bits. With a factor that an attacker does not know, he can't
/// steer what comes out.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
#ifdef __SIZEOF_INT128__
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
#else
  constexpr std::uint64_t kLow = 0xFFFF'FFFF;
  const std::uint64_t low = (a & kLow) * (b & kLow);
  const std::uint64_t cross = (a >> 32) * (b & kLow) + (low >> 32);
  const std::uint64_t other = (a & kLow) * (b >> 32) + (cross & kLow);
  const std::uint64_t high = (a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32);
  return ((other << 32) | (low & kLow)) ^ high;
#endif
}

}  // namespace

std::uint64_t hash64(std::string_view bytes, std::uint64_t seed) noexcept {
  const std::uint64_t key = seed ^ kSpread;
  std::uint64_t state = fold(seed ^ kFold, kSpread ^ bytes.size());
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left > 16; left -= 16, at += 16) {
    state = fold(load_word<std::uint64_t>(at) ^ key, load_word<std::uint64_t>(at + 8) ^ state);
  }
  const std::uint64_t first = load_bytes(at, left < 8 ? left : 8);
  const std::uint64_t second = left > 8 ? load_bytes(at + 8, left - 8) : 0;
  state = fold(first ^ key, second ^ state);
  return fold(state ^ kFold, key ^ bytes.size());
}

std::uint32_t home_of(std::string_view client_id, std::uint32_t shards) noexcept {
  LINNET_ASSERT(shards > 0);
  const std::uint64_t high = hash64(client_id) >> 32;
  return static_cast<std::uint32_t>((high * shards) >> 32);
}

}  // namespace linnet

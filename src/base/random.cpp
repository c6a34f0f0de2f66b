#include "base/random.hpp"

#include <ctime>
#include <sys/random.h>

#include "base/assert.hpp"

namespace linnet {

namespace {

std::uint64_t kernel_seed() noexcept {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, 0) == static_cast<ssize_t>(sizeof seed)) return seed;
  // A kernel without getrandom: these numbers guard nothing, so the time will do.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_nsec) ^ (static_cast<std::uint64_t>(now.tv_sec) << 30);
}

}  // namespace

Random::Random() noexcept : state_(kernel_seed()) {}

std::uint64_t Random::u64() noexcept {
  // SplitMix64: a counter with a large odd step, and a mixer.
  state_ += 0x9E37'79B9'7F4A'7C15ULL;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58'476D'1CE4'E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D0'49BB'1331'11EBULL;
  return mixed ^ (mixed >> 31);
}

std::uint64_t Random::below(std::uint64_t end) noexcept {
  LINNET_ASSERT(end > 0);
  // The lowest 2^64 mod `end` numbers are drawn again, else small results would be likelier.
  const std::uint64_t uneven = (0 - end) % end;
  std::uint64_t drawn = u64();
  while (drawn < uneven)
    drawn = u64();
  return drawn % end;
}

}  // namespace linnet

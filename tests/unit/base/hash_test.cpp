#include "base/hash.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <gtest/gtest.h>
#include <set>
#include <string>

namespace linnet {
namespace {

// These values may never change: stored keys and the homes of clients follow from them.
TEST(Hash, has_its_values_for_ever) {
  EXPECT_EQ(hash64(""), 0x2C089FCFB0B19A53ULL);
  EXPECT_EQ(hash64("a"), 0x86D0779122031D74ULL);
  EXPECT_EQ(hash64("sensor/1"), 0x41B751A4B0DF926DULL);
  EXPECT_EQ(hash64("a longer name that takes several steps"), 0x68ECA8D011CA30E3ULL);
  EXPECT_EQ(hash64("sensor/1", 42), 0x374E3AB98C7B0B90ULL);
  EXPECT_EQ(home_of("client-17", 4), 1U);
}

TEST(Hash, tells_lengths_and_zeros_apart) {
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size < 100; ++size)
    seen.insert(hash64(std::string(size, '\0')));
  EXPECT_EQ(seen.size(), 100U);
}

TEST(Hash, every_bit_of_the_input_changes_half_of_the_output) {
  const std::string text = "plant/hall-3/line-12/temperature";
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string changed = text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const int differing = std::popcount(hash64(text) ^ hash64(changed));
    EXPECT_GT(differing, 12) << bit;
    EXPECT_LT(differing, 52) << bit;
  }
}

TEST(Hash, homes_are_even) {
  for (const std::uint32_t shards : {2U, 3U, 4U, 7U}) {
    std::array<int, 7> counts{};
    for (int client = 0; client < 7000; ++client) {
      ++counts[home_of("client-" + std::to_string(client), shards)];
    }
    const auto expected = 7000 / static_cast<int>(shards);
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      EXPECT_NEAR(counts[shard], expected, expected / 6) << shards;
    }
  }
  EXPECT_EQ(home_of("anything", 1), 0U);
}

}  // namespace
}  // namespace linnet

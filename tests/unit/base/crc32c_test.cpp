#include "base/crc32c.hpp"

#include <gtest/gtest.h>
#include <numeric>
#include <string>

#include "base/random.hpp"

namespace linnet {
namespace {

std::string random_bytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes)
    byte = static_cast<char>(random.below(256));
  return bytes;
}

/// By the definition, bit by bit.
std::uint32_t slowly(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78U : crc >> 1;
  }
  return ~crc;
}

// RFC 3720, appendix B.4; the last one is the check value of the catalogues.
TEST(Crc32c, has_the_known_values) {
  std::string rising(32, '\0');
  std::iota(rising.begin(), rising.end(), '\0');
  const std::string falling(rising.rbegin(), rising.rend());
  for (auto* function : {&crc32c, &crc32c_by_table}) {
    EXPECT_EQ(function("", 0), 0U);
    EXPECT_EQ(function(std::string(32, '\0'), 0), 0x8A9136AAU);
    EXPECT_EQ(function(std::string(32, '\xFF'), 0), 0x62A8AB43U);
    EXPECT_EQ(function(rising, 0), 0x46DD794EU);
    EXPECT_EQ(function(falling, 0), 0x113FDB5CU);
    EXPECT_EQ(function("123456789", 0), 0xE3069283U);
  }
}

TEST(Crc32c, is_the_same_with_and_without_the_instruction) {
  Random random(7);
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string bytes = random_bytes(random, size + 8);
    for (std::size_t start = 0; start < 8; ++start) {  // not aligned, too
      const std::string_view part = std::string_view(bytes).substr(start, size);
      ASSERT_EQ(crc32c(part), slowly(part)) << size;
      ASSERT_EQ(crc32c_by_table(part), slowly(part)) << size;
    }
  }
}

TEST(Crc32c, can_be_continued) {
  Random random(8);
  const std::string bytes = random_bytes(random, 100);
  const std::uint32_t whole = crc32c(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const std::string_view all = bytes;
    EXPECT_EQ(crc32c(all.substr(cut), crc32c(all.substr(0, cut))), whole);
    EXPECT_EQ(crc32c_by_table(all.substr(cut), crc32c_by_table(all.substr(0, cut))), whole);
  }
}

}  // namespace
}  // namespace linnet

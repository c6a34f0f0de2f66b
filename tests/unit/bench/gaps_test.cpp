#include "bench/gaps.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/random.hpp"

namespace linnet::bench {
namespace {

TEST(Gaps, FillsFromAllSides) {
  Gaps gaps;
  gaps.add(10, 15);
  EXPECT_FALSE(gaps.fill(9));
  EXPECT_FALSE(gaps.fill(15));
  EXPECT_TRUE(gaps.fill(10));
  EXPECT_TRUE(gaps.fill(14));
  EXPECT_TRUE(gaps.fill(12));
  EXPECT_EQ(gaps.ranges(), 2U);
  EXPECT_FALSE(gaps.fill(12));
  EXPECT_TRUE(gaps.fill(11));
  EXPECT_TRUE(gaps.fill(13));
  EXPECT_EQ(gaps.ranges(), 0U);
  EXPECT_FALSE(gaps.fill(13));
}

TEST(Gaps, NeighboursAreOneRange) {
  Gaps gaps;
  gaps.add(1, 1);
  EXPECT_EQ(gaps.ranges(), 0U);
  gaps.add(1, 3);
  gaps.add(3, 5);
  EXPECT_EQ(gaps.ranges(), 1U);
}

TEST(Gaps, LikeASet) {
  Random random(3);
  Gaps gaps;
  std::set<std::uint32_t> missing;
  std::uint32_t next = 0;
  for (int step = 0; step < 3'000; ++step) {
    if (random.below(2) == 0) {
      const auto first = next + static_cast<std::uint32_t>(random.below(3));
      next = first + static_cast<std::uint32_t>(random.below(5));
      gaps.add(first, next);
      for (std::uint32_t number = first; number < next; ++number)
        missing.insert(number);
    } else if (next > 0) {
      const auto number = static_cast<std::uint32_t>(random.below(next));
      EXPECT_EQ(gaps.fill(number), missing.erase(number) == 1) << number;
    }
  }
  EXPECT_TRUE(gaps.is_exact());
}

TEST(Gaps, IsBoundedAndSaysSo) {
  Gaps gaps;
  for (std::uint32_t range = 0; range < Gaps::kRangesMax; ++range)
    gaps.add(2 * range, 2 * range + 1);
  EXPECT_TRUE(gaps.is_exact());
  const std::uint32_t last = 2 * Gaps::kRangesMax;
  gaps.add(last, last + 1);
  EXPECT_FALSE(gaps.is_exact());
  EXPECT_LE(gaps.ranges(), Gaps::kRangesMax);
  EXPECT_FALSE(gaps.fill(0));
  EXPECT_TRUE(gaps.fill(last));
}

}  // namespace
}  // namespace linnet::bench

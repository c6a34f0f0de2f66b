#include "bench/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

#include "base/random.hpp"

namespace linnet::bench {
namespace {

TEST(Histogram, Empty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.percentile(50.0), 0U);
}

TEST(Histogram, SmallValuesAreExact) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 64; ++value)
    histogram.add(value);
  EXPECT_EQ(histogram.percentile(50.0), 31U);
  EXPECT_EQ(histogram.percentile(100.0), 63U);
  EXPECT_EQ(histogram.percentile(0.0), 0U);
}

TEST(Histogram, BucketsFollowEachOther) {
  std::uint64_t next = 0;
  for (std::size_t bucket = 0; next <= Histogram::kValueMax; ++bucket) {
    EXPECT_EQ(Histogram::bucket_of(next), bucket) << next;
    const std::uint64_t top = Histogram::top_of(bucket);
    EXPECT_EQ(Histogram::bucket_of(top), bucket) << top;
    ASSERT_GE(top, next);
    EXPECT_LE(static_cast<double>(top - next), 0.032 * static_cast<double>(next)) << next;
    next = top + 1;
  }
  EXPECT_EQ(next, Histogram::kValueMax + 1);
}

TEST(Histogram, PercentilesAreCloseToThoseOfAllValues) {
  Random random(7);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int count = 0; count < 100'000; ++count) {
    const std::uint64_t value = random.below(std::uint64_t{1} << (10 + random.below(20)));
    values.push_back(value);
    histogram.add(value);
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(values.size())));
    const std::uint64_t exact = values[rank - 1];
    const std::uint64_t found = histogram.percentile(percent);
    EXPECT_GE(found, exact) << percent;
    EXPECT_LE(static_cast<double>(found), 1.032 * static_cast<double>(exact)) << percent;
  }
  EXPECT_EQ(histogram.max(), values.back());
}

TEST(Histogram, HugeValuesHaveTheLastBucket) {
  Histogram histogram;
  histogram.add(std::numeric_limits<std::uint64_t>::max());
  histogram.add(1);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.max(), Histogram::kValueMax);
  EXPECT_EQ(histogram.percentile(100.0), Histogram::kValueMax);
}

TEST(Histogram, Clear) {
  Histogram histogram;
  histogram.add(1'000);
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(99.0), 0U);
}

}  // namespace
}  // namespace linnet::bench

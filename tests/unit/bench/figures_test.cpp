#include "bench/figures.hpp"

#include <gtest/gtest.h>

namespace linnet::bench {
namespace {

TEST(Figures, Grouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(12'345'678), "12,345,678");
}

TEST(Figures, Fixed) {
  EXPECT_EQ(fixed(0.1355, 3), "0.136");
  EXPECT_EQ(fixed(12.0, 0), "12");
  EXPECT_EQ(fixed(-1.5, 1), "-1.5");
}

TEST(Figures, Times) {
  EXPECT_EQ(time_text(999), "999 ns");
  EXPECT_EQ(time_text(12'340), "12.3 us");
  EXPECT_EQ(time_text(4'560'000), "4.56 ms");
  EXPECT_EQ(time_text(1'200'000'000), "1.20 s");
}

TEST(Figures, Bytes) {
  EXPECT_EQ(bytes_text(812), "812 B");
  EXPECT_EQ(bytes_text(10'650), "10.4 KiB");
  EXPECT_EQ(bytes_text(3 << 20), "3.0 MiB");
}

}  // namespace
}  // namespace linnet::bench

#include "config/value.hpp"

#include <gtest/gtest.h>

namespace linnet::config {
namespace {

TEST(Value, SizesAreBytesOrHaveABinaryUnit) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("4194304"), 4194304U);
  EXPECT_EQ(parse_size("17B"), 17U);
  EXPECT_EQ(parse_size("64KiB"), 65536U);
  EXPECT_EQ(parse_size("1MiB"), 1048576U);
  EXPECT_EQ(parse_size("2GiB"), 2147483648U);
  EXPECT_EQ(parse_size("1TiB"), 1099511627776U);
}

TEST(Value, WhatIsNotASizeIsRefused) {
  for (const char* text : {"", "MiB", "1MB", "1mib", "1.5MiB", "-1", "+1", "1 MiB", "1MiB ", "0x10",
                           "18446744073709551616", "16777216TiB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Value, DurationsNeedAUnit) {
  EXPECT_EQ(parse_duration_ms("500ms"), 500U);
  EXPECT_EQ(parse_duration_ms("10s"), 10'000U);
  EXPECT_EQ(parse_duration_ms("5m"), 300'000U);
  EXPECT_EQ(parse_duration_ms("1h"), 3'600'000U);
  EXPECT_EQ(parse_duration_ms("30d"), 2'592'000'000U);
  for (const char* text : {"", "10", "s", "1.5h", "1w", "10 s", "10S", "-1s", "never"}) {
    EXPECT_EQ(parse_duration_ms(text), std::nullopt) << text;
  }
}

TEST(Value, AreWrittenInTheLargestUnitThatLosesNothing) {
  EXPECT_EQ(size_text(0), "0B");
  EXPECT_EQ(size_text(1500), "1500B");
  EXPECT_EQ(size_text(1536), "1536B");
  EXPECT_EQ(size_text(65536), "64KiB");
  EXPECT_EQ(size_text(1U << 30), "1GiB");
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(1500), "1500ms");
  EXPECT_EQ(duration_text(90'000), "90s");
  EXPECT_EQ(duration_text(86'400'000), "1d");
}

TEST(Value, AreShownAsTheyWereWritten) {
  EXPECT_EQ(shown(true), "true");
  EXPECT_EQ(shown(std::int64_t{-3}), "-3");
  EXPECT_EQ(shown(std::string("x")), "\"x\"");
  EXPECT_EQ(shown(Texts{"a", "b"}), "[\"a\", \"b\"]");
  EXPECT_EQ(shown(Texts{}), "[]");
  EXPECT_EQ(shown(OtherValue{"an array"}), "an array");
}

}  // namespace
}  // namespace linnet::config

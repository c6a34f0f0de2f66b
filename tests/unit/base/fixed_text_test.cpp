#include "base/fixed_text.hpp"

#include <gtest/gtest.h>
#include <string>
#include <utility>

namespace linnet {
namespace {

TEST(FixedText, KeepsWhatItWasGiven) {
  std::string text = "sensor-7/\0hall";
  const FixedText kept(text);
  const std::string before = text;
  text.assign(text.size(), 'x');
  EXPECT_EQ(kept.view(), before);
}

TEST(FixedText, HoldsNulAndManyBytes) {
  const std::string text = std::string("a\0b", 3) + std::string(70'000, 'c');
  EXPECT_EQ(FixedText(text).view(), text);
}

TEST(FixedText, AnEmptyOneIsAsIfItWereNotThere) {
  EXPECT_EQ(FixedText().view(), "");
  EXPECT_EQ(FixedText("").view(), "");
  EXPECT_EQ(sizeof(FixedText), sizeof(void*));
}

TEST(FixedText, Moves) {
  FixedText first("one");
  const FixedText second(std::move(first));
  EXPECT_EQ(second.view(), "one");
}

}  // namespace
}  // namespace linnet

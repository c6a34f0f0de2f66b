#include "base/utf8.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

namespace linnet {
namespace {

using namespace std::string_view_literals;

struct Case {
  std::string_view text;
  bool good;
  std::string_view why;
};

constexpr Case kCases[] = {
    {"", true, "empty"},
    {"plain", true, "shorter than a word"},
    {"exactly8", true, "one word"},
    {"longer than two words", true, "several words"},
    {"\x01\x1F\x7F", true, "control characters"},
    {"\xC2\x80", true, "U+0080, the first of two bytes"},
    {"\xDF\xBF", true, "U+07FF"},
    {"\xE0\xA0\x80", true, "U+0800, the first of three"},
    {"\xED\x9F\xBF", true, "U+D7FF, below the surrogates"},
    {"\xEE\x80\x80", true, "U+E000, above them"},
    {"\xEF\xBB\xBF", true, "U+FEFF [MQTT-1.5.4-3]"},
    {"\xEF\xBF\xBE", true, "U+FFFE, a non-character"},
    {"\xEF\xBF\xBF", true, "U+FFFF"},
    {"\xF0\x90\x80\x80", true, "U+10000, the first of four"},
    {"\xF4\x8F\xBF\xBF", true, "U+10FFFF, the last"},
    {"1234567\xC3\xA4"
     "2345678",
     true, "across words"},
    {"\x80", false, "a continuation alone"},
    {"\xBF", false, "a continuation alone"},
    {"\xC0\x80", false, "overlong U+0000"},
    {"\xC1\xBF", false, "overlong U+007F"},
    {"\xE0\x80\x80", false, "overlong"},
    {"\xE0\x9F\xBF", false, "overlong U+07FF"},
    {"\xF0\x80\x80\x80", false, "overlong"},
    {"\xF0\x8F\xBF\xBF", false, "overlong U+FFFF"},
    {"\xED\xA0\x80", false, "U+D800 [MQTT-1.5.4-1]"},
    {"\xED\xBF\xBF", false, "U+DFFF [MQTT-1.5.4-1]"},
    {"\xF4\x90\x80\x80", false, "U+110000"},
    {"\xF5\x80\x80\x80", false, "F5"},
    {"\xFE", false, "FE"},
    {"\xFF", false, "FF"},
    {"\xC3", false, "cut off"},
    {"\xE2\x82", false, "cut off"},
    {"\xF0\x9F\x98", false, "cut off"},
    {"\xC3(", false, "no continuation"},
    {"\xE2(\xA1", false, "no continuation"},
    {"\xF0\x9F(\x80", false, "no continuation"},
    {"12345678\xFF", false, "behind a word"},
    {"1234567\xFF", false, "at the end of a word"},
};

TEST(Utf8, KnowsWellFormedText) {
  for (const auto& test : kCases) {
    EXPECT_EQ(is_mqtt_utf8(test.text), test.good) << test.why;
    EXPECT_EQ(is_utf8(test.text), test.good) << test.why;
  }
}

TEST(Utf8, NulIsForPayloadsAlone) {  // [MQTT-1.5.4-2]
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '\0';
      EXPECT_FALSE(is_mqtt_utf8(text)) << at << " of " << size;
      EXPECT_TRUE(is_utf8(text)) << at << " of " << size;
    }
  }
  EXPECT_FALSE(is_mqtt_utf8("\xC3\xA4\0"sv));
}

TEST(Utf8, FindsABadByteAtEveryPlace) {
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '\x80';
      EXPECT_FALSE(is_mqtt_utf8(text)) << at << " of " << size;
      EXPECT_FALSE(is_utf8(text)) << at << " of " << size;
    }
  }
}

TEST(Utf8, TakesTwoBytesAtEveryPlace) {
  for (std::size_t before = 0; before < 20; ++before) {
    const auto text = std::string(before, 'x') + "\xC3\xA4" + std::string(before, 'y');
    EXPECT_TRUE(is_mqtt_utf8(text)) << before;
  }
}

}  // namespace
}  // namespace linnet

#include "pubsub/terminal.hpp"

#include <gtest/gtest.h>

#include "base/cat.hpp"
#include "pubsub/json_text.hpp"

namespace linnet::pubsub {
namespace {

using namespace std::string_literals;

TEST(Terminal, PlainText) {
  EXPECT_TRUE(is_plain_text(""));
  EXPECT_TRUE(is_plain_text("21.5 °C\n\tnext line\r\n"));
  for (const auto& text : {"\x1b[2J"s, "a\rb"s, "\0"s, "\x7f"s,
                           "\xc2\x9b"
                           "31m"s,
                           "\xff"s, "\xe2\x82"s, "\b"s}) {
    EXPECT_FALSE(is_plain_text(text)) << testing::PrintToString(text);
  }
}

TEST(Terminal, NothingIsObeyed) {
  EXPECT_EQ(shown("a/b °"), "a/b °");
  EXPECT_EQ(shown("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(shown("\xc2\x9b"
                  "31m"),
            "\\u009b31m");
  EXPECT_EQ(shown("a\xe2\x80\xae"
                  "b"),
            "a\\u202eb");
  EXPECT_EQ(shown("\xf3\xa0\x80\x81"), "\\U000e0001");
  EXPECT_EQ(shown("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(shown("a\nb\tc\r\n"), "a\\x0ab\\x09c\\x0d\\x0a");
  EXPECT_EQ(shown("a\nb\tc\r\n", Lines::kept), "a\nb\tc\n");
  EXPECT_EQ(shown("a\rb", Lines::kept), "a\\x0db");
}

/// Whatever comes, no control character gets through.
TEST(Terminal, NoByteIsObeyed) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes{static_cast<char>(first), static_cast<char>(second), '\x1b'};
      const std::string text = shown(bytes);
      EXPECT_TRUE(is_plain_text(text)) << testing::PrintToString(bytes);
      EXPECT_EQ(text.find_first_of("\n\t\r"), std::string::npos);
    }
  }
}

TEST(Terminal, HexDump) {
  EXPECT_EQ(hex_dump("Hello\x1b\0world, it is"s),
            "00000000  48 65 6c 6c 6f 1b 00 77  6f 72 6c 64 2c 20 69 74  |Hello..world, it|\n"
            "00000010  20 69 73                                          | is|");
  const std::string long_one = hex_dump(std::string((64 << 10) + 5, '\0'));
  EXPECT_TRUE(long_one.ends_with("\n... and 5 bytes more"));
}

std::string pretty(std::string_view text, bool colours = false) {
  std::string out;
  append_pretty(out, text, Palette(colours));
  return out;
}

TEST(JsonText, IsJson) {
  for (const char* text : {"{}", "[]", "1.50", "\"a\"", "true", " {\"a\": [1, {}]} "})
    EXPECT_TRUE(is_json(text)) << text;
  for (const char* text : {"", "{", "hello", "{\"a\" 1}", "1 2", "{'a':1}", "\"\x01\"", "NaN"})
    EXPECT_FALSE(is_json(text)) << text;
  EXPECT_FALSE(is_json(std::string(10'000, '[')));
}

TEST(JsonText, Pretty) {
  EXPECT_EQ(pretty("{}"), "{}");
  EXPECT_EQ(pretty("[1,2,3]"), "[1, 2, 3]");
  EXPECT_EQ(pretty("{\"a\":1.50,\"b\":[]}"), "{\n  \"a\": 1.50,\n  \"b\": []\n}");
  EXPECT_EQ(pretty("{\"a\":1.50}"), "{\"a\": 1.50}");
  EXPECT_EQ(pretty("{\"a\":{\"b\":[1,2]},\"c\":\"x,]\\\"\"}"),
            "{\n  \"a\": {\n    \"b\": [1, 2]\n  },\n  \"c\": \"x,]\\\"\"\n}");
  // Digits stay, beyond what a double can hold.
  EXPECT_EQ(pretty("12345678901234567890.10"), "12345678901234567890.10");
  const std::string many = cat("[", std::string(80, '1'), "]");
  EXPECT_EQ(pretty(many), cat("[\n  ", std::string(80, '1'), "\n]"));
}

TEST(JsonText, Colours) {
  EXPECT_EQ(pretty("{\"a\":[1,true,\"x\"]}", true),
            "{\n  \x1b[34m\"a\"\x1b[0m: [\x1b[33m1\x1b[0m, \x1b[35mtrue\x1b[0m, "
            "\x1b[32m\"x\"\x1b[0m]\n}");
}

TEST(JsonText, HidesNothing) {
  EXPECT_EQ(pretty("\"a\xe2\x80\xae\x7f"
                   "b\""),
            "\"a\\u202e\\x7fb\"");
}

TEST(JsonText, StringsAndMinified) {
  std::string out;
  append_json_string(out, "a\"\n\x1b°\xff");
  EXPECT_EQ(out, "\"a\\\"\\n\\u001b°\xEF\xBF\xBD\"");
  out.clear();
  append_minified(out, " { \"a b\" : [ 1 ,\n 2 ] } ");
  EXPECT_EQ(out, "{\"a b\":[1,2]}");
}

}  // namespace
}  // namespace linnet::pubsub

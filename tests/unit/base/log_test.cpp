#include "base/log.hpp"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet {
namespace {

using namespace std::string_view_literals;

TEST(LogEscape, leaves_ordinary_text_alone) {
  const auto text = "client 'a/b' from 10.0.0.1: \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x90\xA6 \"x\" \\"sv;
  EXPECT_EQ(log::escaped_text(text), text);
}

TEST(LogEscape, control_characters_cannot_forge_a_line_or_drive_a_terminal) {
  EXPECT_EQ(log::escaped_text("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(log::escaped_text("\x1B[31m\x7F\0"sv), "\\x1b[31m\\x7f\\x00");
  EXPECT_EQ(log::escaped_text("\xC2\x85 \xE2\x80\xA8 \xE2\x80\xAE"), "\\u0085 \\u2028 \\u202e");
}

TEST(LogEscape, bytes_that_are_not_utf8_are_shown_as_hex) {
  EXPECT_EQ(log::escaped_text("\xFF\x80z"), "\\xff\\x80z");
  EXPECT_EQ(log::escaped_text("\xC0\xAF"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(log::escaped_text("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(log::escaped_text("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond U+10FFFF";
  EXPECT_EQ(log::escaped_text("ok\xE2\x82"), "ok\\xe2\\x82") << "cut off";
}

TEST(LogEscape, json_strings_are_valid) {
  EXPECT_EQ(log::escaped_json("say \"hi\" \\ \n\x1B"), R"(say \"hi\" \\ \u000a\u001b)");
  EXPECT_EQ(log::escaped_json("\xFF"), R"(\\xff)");
  EXPECT_EQ(log::escaped_json("\xC3\xA4"), "\xC3\xA4");
}

class LogOutput : public testing::Test {
 protected:
  void SetUp() override { testing::internal::CaptureStderr(); }
  void TearDown() override { log::init(log::Level::info, log::Format::text); }
  [[nodiscard]] static std::string output() { return testing::internal::GetCapturedStderr(); }
};

TEST_F(LogOutput, text_is_one_line_per_call) {
  log::info("net", "one\ntwo {} %d");
  const std::string line = output();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_NE(line.find("info    net: one\\ntwo {} %d"), std::string::npos) << line;
  ASSERT_GT(line.size(), 30U);
  EXPECT_EQ(line[4], '-');
  EXPECT_EQ(line[10], 'T');
  EXPECT_EQ(line[19], '.');
}

TEST_F(LogOutput, a_room_may_have_a_level_of_its_own) {
  log::init(log::Level::warn, log::Format::text);
  EXPECT_FALSE(log::enabled(log::Level::debug));
  log::set_room_level("session", log::Level::debug);
  EXPECT_TRUE(log::enabled(log::Level::debug));
  EXPECT_TRUE(log::enabled(log::Level::debug, "session"));
  EXPECT_FALSE(log::enabled(log::Level::info, "net"));
  log::debug("session", "told");
  log::info("net", "not told");
  log::set_room_level("session", log::Level::off);
  log::error("session", "not told");
  log::warn("net", "told");
  log::set_room_level("session", std::nullopt);
  EXPECT_EQ(log::room_level("session"), std::nullopt);
  log::info("session", "not told");
  log::set_room_level("no such room", log::Level::trace);
  EXPECT_FALSE(log::enabled(log::Level::info));
  const std::string lines = output();
  EXPECT_EQ(lines.find("not told"), std::string::npos) << lines;
  EXPECT_NE(lines.find("debug   session: told"), std::string::npos) << lines;
  EXPECT_NE(lines.find("net: told"), std::string::npos) << lines;
}

TEST_F(LogOutput, the_journal_gets_priorities_and_no_time) {
  struct stat file {};
  ASSERT_EQ(fstat(STDERR_FILENO, &file), 0);
  setenv("JOURNAL_STREAM", cat(file.st_dev, ':', file.st_ino).c_str(), 1);
  log::init(log::Level::debug, log::Format::text);
  log::debug("net", "one");
  log::info("net", "two\n<0>forged");
  log::warn("net", "three");
  log::error("net", "four");
  log::init(log::Level::debug, log::Format::json);
  log::info("net", "five");
  setenv("JOURNAL_STREAM", "1:2", 1);
  log::init(log::Level::info, log::Format::text);
  unsetenv("JOURNAL_STREAM");
  log::info("net", "six");
  const std::string lines = output();
  EXPECT_EQ(lines.substr(0, lines.find("six"))
                .find("<7>net: one\n<6>net: two\\n<0>forged\n"
                      "<4>net: three\n<3>net: four\n"
                      "<6>{\"level\":\"info\",\"room\":\"net\","
                      "\"text\":\"five\"}\n"),
            0U)
      << lines;
  EXPECT_NE(lines.find("info    net: six"), std::string::npos) << lines;
}

TEST_F(LogOutput, json_is_one_object_per_call) {
  log::init(log::Level::warn, log::Format::json);
  log::warn("session", "client \"a\nb\"");
  const std::string line = output();
  EXPECT_EQ(line.substr(0, 9), "{\"time\":\"");
  const auto expected =
      R"(","level":"warning","room":"session","text":"client \"a\u000ab\""})" + std::string("\n");
  ASSERT_GT(line.size(), expected.size());
  EXPECT_EQ(line.substr(line.size() - expected.size()), expected);
}

TEST_F(LogOutput, levels_below_the_chosen_one_are_silent) {
  log::set_level(log::Level::warn);
  EXPECT_FALSE(log::enabled(log::Level::info));
  EXPECT_TRUE(log::enabled(log::Level::error));
  log::info("net", "hidden");
  log::set_level(log::Level::off);
  log::error("net", "hidden");
  EXPECT_FALSE(log::enabled(log::Level::off));
  EXPECT_EQ(output(), "");
}

}  // namespace
}  // namespace linnet

#include "base/topic.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

namespace linnet {
namespace {

using namespace std::string_view_literals;

struct MatchCase {
  std::string_view filter;
  std::string_view topic;
  bool matches;
};

constexpr MatchCase kMatches[] = {
    {"sport/tennis", "sport/tennis", true},
    {"sport/tennis", "sport/Tennis", false},
    {"sport/tennis", "sport/tennis/", false},
    {"/finance", "finance", false},
    {"/", "/", true},
    {"a//b", "a//b", true},
    {"a//b", "a/b", false},
    {"sport/#", "sport", true},  // section 4.7.1.2
    {"sport/#", "sport/", true},
    {"sport/#", "sport/tennis/player1/ranking", true},
    {"sport/#", "sports", false},
    {"sport/#", "spor", false},
    {"sport/tennis/#", "sport", false},
    {"#", "a/b/c", true},
    {"#", "/", true},
    {"/#", "/a", true},
    {"/#", "a", false},
    {"+", "finance", true},
    {"+", "/finance", false},
    {"+/+", "/finance", true},
    {"/+", "/finance", true},
    {"/+", "/", true},
    {"+/", "a/", true},
    {"sport/+", "sport", false},
    {"sport/+", "sport/", true},
    {"sport/+", "sport/a/b", false},
    {"sport/+/player", "sport/tennis/player", true},
    {"sport/+/player", "sport//player", true},
    {"sport/+/#", "sport/tennis", true},
    {"sport/+/#", "sport", false},
    {"+/tennis/#", "sport/tennis/a", true},
    {"#", "$SYS/uptime", false},  // [MQTT-4.7.2-1]
    {"+/monitor/Clients", "$SYS/monitor/Clients", false},
    {"$SYS/#", "$SYS/", true},
    {"$SYS/#", "$SYS", true},
    {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
    {"+/$SYS", "a/$SYS", true},
    {"a/#", "a/$SYS", true},
};

TEST(Topic, MatchesAsTheStandardSays) {
  for (const auto& test : kMatches) {
    EXPECT_EQ(topic_matches(test.filter, test.topic), test.matches)
        << test.filter << " and " << test.topic;
  }
}

TEST(Topic, KnowsFilters) {
  const TopicLimits limits;
  for (const auto good : {"a", "/", "//", "a/b/", "#", "+", "+/+", "a/#", "/#", "a/+/b", "+/#",
                          "$SYS/#", "a b", "long-enough-for-words/+/more/#"}) {
    EXPECT_TRUE(is_topic_filter(good, limits)) << good;
  }
  for (const auto bad : {"", "a#", "#a", "a/#/b", "#/", "##", "+a", "a+", "a/b+/c", "a/+b", "++",
                         "a/b#", "+#", "long-enough-for-words/+/more#"}) {
    EXPECT_FALSE(is_topic_filter(bad, limits)) << bad;  // [MQTT-4.7.1-1], [MQTT-4.7.1-2]
  }
  EXPECT_FALSE(is_topic_filter("a\0b"sv, limits));  // [MQTT-4.7.3-2]
}

TEST(Topic, KnowsNames) {
  const TopicLimits limits;
  for (const auto good :
       {"a", "/", "a//b", "$SYS/x", "a b", "\xC3\xA4", "eight/88", "a/b/c/d/e/f/g"}) {
    EXPECT_TRUE(is_topic_name(good, limits)) << good;
    EXPECT_EQ(check_topic_name(good, limits), TopicFault::none) << good;
  }
  EXPECT_FALSE(is_topic_name("", limits));
  EXPECT_EQ(check_topic_name("", limits), TopicFault::empty);  // [MQTT-4.7.3-1]
  EXPECT_EQ(check_topic_name("\xC3", limits), TopicFault::not_utf8);
  EXPECT_EQ(check_topic_name("eight/88\xC3(", limits), TopicFault::not_utf8);
}

TEST(Topic, FindsForbiddenBytesAtEveryPlace) {
  const TopicLimits limits;
  for (std::size_t size = 1; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string topic(size, 'x');
      topic[at] = '#';
      EXPECT_EQ(check_topic_name(topic, limits), TopicFault::wildcard) << at << " of " << size;
      EXPECT_FALSE(is_topic_name(topic, limits)) << at << " of " << size;
      topic[at] = '+';
      EXPECT_EQ(check_topic_name(topic, limits), TopicFault::wildcard) << at << " of " << size;
      EXPECT_TRUE(has_wildcard(topic));
      topic[at] = '\0';
      EXPECT_EQ(check_topic_name(topic, limits), TopicFault::not_utf8) << at << " of " << size;
      EXPECT_FALSE(is_topic_name(topic, limits)) << at << " of " << size;
      EXPECT_FALSE(has_wildcard(topic));
    }
  }
}

TEST(Topic, NeighboursOfTheSpecialBytesAreOrdinary) {
  const TopicLimits limits;
  EXPECT_TRUE(is_topic_name("\x01\x22\x24\x2A\x2C\x2E\x30\x7F!", limits));
  EXPECT_EQ(check_topic_name("/\x01/\x01/\x01/\x01", TopicLimits{100, 5}), TopicFault::none);
}

TEST(Topic, KeepsLimits) {
  const TopicLimits limits{.length_max = 20, .levels_max = 11};
  const std::string ten_separators(10, '/');
  EXPECT_TRUE(is_topic_name(ten_separators, limits));
  EXPECT_FALSE(is_topic_name(ten_separators + "/", limits));
  EXPECT_EQ(check_topic_name(ten_separators + "/", limits), TopicFault::beyond_limits);
  EXPECT_TRUE(is_topic_filter(ten_separators, limits));
  EXPECT_FALSE(is_topic_filter(ten_separators + "/", limits));
  EXPECT_TRUE(is_topic_name(std::string(20, 'x'), limits));
  EXPECT_FALSE(is_topic_name(std::string(21, 'x'), limits));
  EXPECT_EQ(check_topic_name(std::string(21, 'x'), limits), TopicFault::beyond_limits);
  EXPECT_FALSE(is_topic_filter(std::string(21, 'x'), limits));
  EXPECT_TRUE(is_topic_name(std::string(65'535, 'x'), TopicLimits{}));
}

struct ShareCase {
  std::string_view text;
  std::string_view group;
  std::string_view filter;
  bool valid;
};

constexpr ShareCase kShares[] = {
    {"a/b", "", "a/b", true},
    {"$share", "", "$share", true},
    {"$shared/a/b", "", "$shared/a/b", true},
    {"$share/group/a/b", "group", "a/b", true},
    {"$share/group//", "group", "/", true},
    {"$share/group/#", "group", "#", true},
    {"$share/group/", "group", "", false},  // [MQTT-4.8.2-2]
    {"$share/group", "group", "", false},
    {"$share/", "", "", false},
    {"$share//a", "", "a", false},      // [MQTT-4.8.2-1]
    {"$share/g+/a", "g+", "a", false},  // [MQTT-4.8.2-2]
    {"$share/#/a", "#", "a", false},
};

TEST(Topic, SplitsSharedFilters) {
  for (const auto& test : kShares) {
    const auto split = split_shared_filter(test.text);
    EXPECT_EQ(split.parts.group, test.group) << test.text;
    EXPECT_EQ(split.parts.filter, test.filter) << test.text;
    EXPECT_EQ(split.valid, test.valid) << test.text;
  }
}

TEST(Topic, WalksLevels) {
  using Walk = std::vector<std::string_view>;
  const auto walk = [](std::string_view topic) {
    Walk walked;
    for (TopicLevels levels(topic); levels.next();) {
      walked.push_back(levels.level());
      EXPECT_EQ(levels.last(), walked.size() == 1 + static_cast<std::size_t>(std::count(
                                                        topic.begin(), topic.end(), '/')));
    }
    return walked;
  };
  EXPECT_EQ(walk("a//b"), (Walk{"a", "", "b"}));
  EXPECT_EQ(walk("/"), (Walk{"", ""}));
  EXPECT_EQ(walk("a"), (Walk{"a"}));
  EXPECT_EQ(walk(""), (Walk{""}));
}

}  // namespace
}  // namespace linnet

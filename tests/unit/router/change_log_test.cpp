#include "router/change_log.hpp"

#include <gtest/gtest.h>

namespace linnet::router {
namespace {

bool concerned(const ChangeLog& log, std::string_view topic, std::uint64_t since) {
  return log.concerns(topic, prefix_hashes(topic), since);
}

TEST(ChangeLog, FindsTheTopicsOfAFilter) {
  struct Row {
    const char* filter;
    const char* topic;
    bool matches;
  };
  for (const auto& row :
       {Row{"#", "a/b", true}, Row{"#", "$SYS/a", false}, Row{"+", "a", true},
        Row{"+/b", "a/b", true}, Row{"+/b", "a/c", false}, Row{"a/#", "a", true},
        Row{"a/#", "a/b/c/d/e", true}, Row{"a/#", "b", false}, Row{"a/b/#", "a/b", true},
        Row{"a/b/#", "a", false}, Row{"a/b/+", "a/b/c", true}, Row{"a/b/c/#", "a/b/c", true},
        Row{"a/b/c/#", "a/b", false}, Row{"a/b/c/d/+", "a/b/c/d/e", true},
        Row{"a/b/c/d/+", "a/b/c/e/e", false}, Row{"/+", "/a", true}, Row{"//#", "/", true},
        Row{"/#", "", true}}) {
    ChangeLog log;
    log.add(row.filter);
    EXPECT_EQ(concerned(log, row.topic, 0), row.matches) << row.filter << " " << row.topic;
  }
}

TEST(ChangeLog, OnlyLaterChangesCount) {
  ChangeLog log;
  log.add("a/+");
  const auto then = log.now();
  EXPECT_FALSE(concerned(log, "a/b", then));
  log.add("b/+");
  EXPECT_FALSE(concerned(log, "a/b", then));
  EXPECT_TRUE(concerned(log, "b/b", then));
  EXPECT_TRUE(concerned(log, "a/b", 0));
}

TEST(ChangeLog, TooFarBehindIsConcerned) {
  ChangeLog log;
  for (int each = 0; each < 256; ++each)
    log.add("other/" + std::to_string(each) + "/+");
  EXPECT_FALSE(concerned(log, "a/b", 0));
  log.add("other/+");
  EXPECT_TRUE(concerned(log, "a/b", 0));
  EXPECT_FALSE(concerned(log, "a/b", 1));
}

TEST(ChangeLog, ManyCostlyComparisonsEndInANewRoute) {
  ChangeLog log;
  for (int each = 0; each < 16; ++each)
    log.add("+/x");
  EXPECT_FALSE(concerned(log, "a/b", 0));
  log.add("+/x");
  EXPECT_TRUE(concerned(log, "a/b", 0));
}

}  // namespace
}  // namespace linnet::router

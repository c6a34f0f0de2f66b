#include "router/trie.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace linnet::router {
namespace {

class TrieTest : public ::testing::Test {
 protected:
  void want(const std::string& filter) { trie_.at(trie_.obtain(filter)).interest = 1; }
  void drop(const std::string& filter) {
    const NodeIndex node = trie_.find(filter);
    ASSERT_NE(node, kNoNode) << filter;
    trie_.at(node).interest = 0;
    trie_.prune(node);
  }
  std::vector<std::string> matches(const std::string& topic) {
    std::vector<NodeIndex> nodes;
    trie_.match(topic, nodes);
    std::vector<std::string> filters;
    for (const NodeIndex node : nodes) {
      trie_.filter_of(node, filters.emplace_back());
    }
    std::sort(filters.begin(), filters.end());
    return filters;
  }

  Trie trie_{7};
};

using Filters = std::vector<std::string>;

TEST_F(TrieTest, MatchesExactFiltersAndWildcards) {
  for (const char* filter :
       {"a/b", "a/+", "a/#", "+/b", "#", "+/+", "b/a", "a", "a/b/#", "a/b/c"}) {
    want(filter);
  }
  EXPECT_EQ(matches("a/b"), (Filters{"#", "+/+", "+/b", "a/#", "a/+", "a/b", "a/b/#"}));
  EXPECT_EQ(matches("a"), (Filters{"#", "a", "a/#"}));
  EXPECT_EQ(matches("c"), (Filters{"#"}));
  EXPECT_EQ(matches("a/b/c/d"), (Filters{"#", "a/#", "a/b/#"}));
}

TEST_F(TrieTest, EmptyLevelsAreLevels) {
  for (const char* filter : {"/", "/a", "a/", "+", "/+", "+/", "a//b", "a/+/b", "//"})
    want(filter);
  EXPECT_EQ(matches("/"), (Filters{"+/", "/", "/+"}));
  EXPECT_EQ(matches("/a"), (Filters{"/+", "/a"}));
  EXPECT_EQ(matches("a/"), (Filters{"+/", "a/"}));
  EXPECT_EQ(matches("a//b"), (Filters{"a/+/b", "a//b"}));
}

TEST_F(TrieTest, WildcardsInFrontDoNotMatchReservedTopics) {
  for (const char* filter : {"#", "+", "+/x", "$SYS/#", "$SYS/+", "$SYS/x"})
    want(filter);
  EXPECT_EQ(matches("$SYS/x"), (Filters{"$SYS/#", "$SYS/+", "$SYS/x"}));
  EXPECT_EQ(matches("$SYS"), (Filters{"$SYS/#"}));
  EXPECT_EQ(matches("a/$SYS"), (Filters{"#"}));
}

TEST_F(TrieTest, LongLevelsKeepTheirText) {
  const std::string fourteen(14, 'x');
  const std::string fifteen(15, 'x');
  const std::string longest(65'000, 'y');
  for (const auto& level : {fourteen, fifteen, longest})
    want("a/" + level + "/b");
  for (const auto& level : {fourteen, fifteen, longest}) {
    EXPECT_EQ(matches("a/" + level + "/b"), (Filters{"a/" + level + "/b"}));
  }
  EXPECT_TRUE(matches("a/" + std::string(16, 'x') + "/b").empty());
}

TEST_F(TrieTest, InnerNodesAreNotMatched) {
  want("a/b/c");
  EXPECT_TRUE(matches("a/b").empty());
  EXPECT_NE(trie_.find("a/b"), kNoNode);
  EXPECT_EQ(trie_.find("a/c"), kNoNode);
  EXPECT_EQ(trie_.find("b"), kNoNode);
}

TEST_F(TrieTest, SharedNodesGoWithTheirLastFilter) {
  want("a/b/c");
  want("a/b/+");
  want("a/#");
  EXPECT_EQ(trie_.size(), 5U);
  drop("a/b/c");
  EXPECT_EQ(trie_.size(), 4U);
  EXPECT_EQ(matches("a/b/c"), (Filters{"a/#", "a/b/+"}));
  drop("a/#");
  EXPECT_EQ(matches("a/b/c"), (Filters{"a/b/+"}));
  drop("a/b/+");
  EXPECT_EQ(trie_.size(), 0U);
  EXPECT_TRUE(matches("a/b/c").empty());
}

TEST_F(TrieTest, ManyNodesComeAndGo) {
  for (int round = 0; round < 3; ++round) {
    for (int each = 0; each < 5000; ++each)
      want("base/" + std::to_string(each) + "/+");
    EXPECT_EQ(trie_.size(), 10'001U);
    for (int each = 0; each < 5000; each += 2)
      drop("base/" + std::to_string(each) + "/+");
    EXPECT_EQ(matches("base/4321/x"), (Filters{"base/4321/+"}));
    EXPECT_TRUE(matches("base/4320/x").empty());
    for (int each = 1; each < 5000; each += 2)
      drop("base/" + std::to_string(each) + "/+");
    EXPECT_EQ(trie_.size(), 0U);
  }
}

TEST_F(TrieTest, NodesAreUsedAgain) {
  want("stays");
  want("goes");
  const NodeIndex gone = trie_.find("goes");
  drop("goes");
  want("comes");
  EXPECT_EQ(trie_.find("comes"), gone);
}

TEST_F(TrieTest, DeepTopicsAndFilters) {
  std::string deep = "a";
  for (int level = 1; level < 30'000; ++level)
    deep += "/a";
  want("a/+/#");
  EXPECT_EQ(matches(deep), (Filters{"a/+/#"}));
  want(deep);
  EXPECT_EQ(matches(deep), (Filters{"a/+/#", deep}));
  drop(deep);
  EXPECT_EQ(trie_.size(), 3U);
}

TEST_F(TrieTest, VisitsWantedNodesOnly) {
  want("a/b");
  want("a/+/c");
  Filters seen;
  trie_.for_each_wanted(
      [&](NodeIndex node, const TrieNode&) { trie_.filter_of(node, seen.emplace_back()); });
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (Filters{"a/+/c", "a/b"}));
}

}  // namespace
}  // namespace linnet::router

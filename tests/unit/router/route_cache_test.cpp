#include "router/route_cache.hpp"

#include <gtest/gtest.h>

#include "base/hash.hpp"

namespace linnet::router {
namespace {

class RouteCacheTest : public ::testing::Test {
 protected:
  static Route route_of(ShardMask shards, std::size_t targets = 0) {
    Route route;
    route.shards = shards;
    route.targets.resize(targets);
    return route;
  }
  CachedRoute* insert(std::string_view topic, const Route& route) {
    return cache_.insert(topic, hash64(topic), route, 0);
  }
  CachedRoute* find(std::string_view topic) { return cache_.find(topic, hash64(topic)); }

  RouteCache cache_{10'000};
};

TEST_F(RouteCacheTest, KeepsWhatItWasGiven) {
  EXPECT_TRUE(cache_.empty());
  ASSERT_NE(insert("a/b", route_of(5, 3)), nullptr);
  ASSERT_NE(find("a/b"), nullptr);
  EXPECT_EQ(find("a/b")->route.shards, 5U);
  EXPECT_EQ(find("a/b")->route.targets.size(), 3U);
  EXPECT_EQ(find("a/b")->topic(), "a/b");
  EXPECT_EQ(find("a/c"), nullptr);
}

TEST_F(RouteCacheTest, EqualHashesAreToldApart) {
  ASSERT_NE(cache_.insert("a", 42, route_of(1), 0), nullptr);
  ASSERT_NE(cache_.insert("b", 42, route_of(2), 0), nullptr);
  EXPECT_EQ(cache_.find("a", 42)->route.shards, 1U);
  EXPECT_EQ(cache_.find("b", 42)->route.shards, 2U);
  EXPECT_EQ(cache_.find("c", 42), nullptr);
}

TEST_F(RouteCacheTest, ItsBoundMayChange) {
  for (int each = 0; each < 100; ++each)
    insert("t/" + std::to_string(each), route_of(1));
  EXPECT_GT(cache_.bytes(), 5'000U);
  cache_.limit(1'000);
  EXPECT_LE(cache_.bytes(), 1'000U);
  EXPECT_FALSE(cache_.empty());
  cache_.limit(0);
  EXPECT_TRUE(cache_.empty());
  EXPECT_EQ(insert("a", route_of(1)), nullptr);
  cache_.limit(10'000);
  EXPECT_NE(insert("a", route_of(1)), nullptr);
}

TEST_F(RouteCacheTest, StaysWithinItsBytes) {
  for (int each = 0; each < 2000; ++each) {
    const std::string topic = "topic/" + std::to_string(each);
    ASSERT_NE(insert(topic, route_of(1, static_cast<std::size_t>(each % 20))), nullptr);
    EXPECT_LE(cache_.bytes(), 10'000U);
    EXPECT_NE(find(topic), nullptr);
  }
}

TEST_F(RouteCacheTest, WhatIsUsedOutlivesWhatIsNot) {
  insert("hot", route_of(1));
  for (int each = 0; each < 2000; ++each) {
    CachedRoute* hot = find("hot");
    ASSERT_NE(hot, nullptr) << each;
    hot->used = true;
    insert("cold/" + std::to_string(each), route_of(1));
  }
}

TEST_F(RouteCacheTest, WhatIsTooLargeIsNotKept) {
  insert("a", route_of(1));
  EXPECT_EQ(insert("b", route_of(1, 1000)), nullptr);
  EXPECT_EQ(insert(std::string(10'000, 'c'), route_of(1)), nullptr);
  EXPECT_NE(find("a"), nullptr);
}

TEST_F(RouteCacheTest, ErasingGivesItsBytesBack) {
  insert("a", route_of(1, 7));
  insert("b", route_of(2));
  insert("c", route_of(3));
  cache_.erase(*find("a"));
  EXPECT_EQ(find("a"), nullptr);
  EXPECT_EQ(find("c")->route.shards, 3U);
  cache_.erase(*find("c"));
  cache_.erase(*find("b"));
  EXPECT_TRUE(cache_.empty());
  EXPECT_EQ(cache_.bytes(), 0U);
}

}  // namespace
}  // namespace linnet::router

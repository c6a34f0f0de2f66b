// The language of these tests, tried on the simplest of things.
#include <gtest/gtest.h>

#include "support/cluster.hpp"

namespace linnet::test {

class Language : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(Shards, Language, ::testing::Values(1, 2, 4));

TEST_P(Language, PublishesAndReceives) {
  Cluster c{{.shards = GetParam()}};
  auto& a = c.client("a").connects();
  a.subscribes("x/#", qos2);
  auto& b = c.client("b").v3().connects();
  b.publishes("x/y", "zero");
  b.publishes("x/y", "one", {.qos = 1});
  b.publishes("x/y", "two", {.qos = 2});
  EXPECT_EQ(a.receives("x/y", "zero").qos, 0U);
  EXPECT_EQ(a.receives("x/y", "one").qos, 1U);
  EXPECT_EQ(a.receives("x/y", "two").qos, 2U);
  a.gets_nothing();
  b.gets_nothing();
  b.pings();
  b.disconnects();
  a.drops();
}

}  // namespace linnet::test

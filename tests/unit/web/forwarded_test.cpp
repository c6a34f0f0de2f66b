#include "web/forwarded.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace linnet::web {
namespace {

std::string told(std::string_view value) {
  const std::vector<std::string> texts = {"10.0.0.0/8", "2001:db8::/32"};
  std::string error;
  const auto trusted = net::Networks::parse(texts, error);
  const auto client = told_client(value, trusted.value());
  return client ? client->text() : "";
}

TEST(Forwarded, rightmost_address_beyond_the_proxies_is_the_clients) {
  EXPECT_EQ(told("192.0.2.1"), "192.0.2.1:0");
  EXPECT_EQ(told("192.0.2.1, 10.0.0.1"), "192.0.2.1:0");
  EXPECT_EQ(told("198.51.100.9, 192.0.2.1 ,10.0.0.1,\t10.2.3.4"), "192.0.2.1:0");
  EXPECT_EQ(told("1.1.1.1, 10.0.0.9, 192.0.2.1"), "192.0.2.1:0") << "the rest may be invented";
  EXPECT_EQ(told("192.0.2.1,, 10.0.0.1,"), "192.0.2.1:0");
}

TEST(Forwarded, all_may_be_trusted) {
  EXPECT_EQ(told("10.0.0.5"), "10.0.0.5:0");
  EXPECT_EQ(told("10.0.0.5, 10.0.0.1"), "10.0.0.5:0");
}

TEST(Forwarded, ports_and_ipv6_are_read) {
  EXPECT_EQ(told("192.0.2.1:4711"), "192.0.2.1:4711");
  EXPECT_EQ(told("2001:db9::7"), "[2001:db9::7]:0");
  EXPECT_EQ(told("[2001:db9::7]"), "[2001:db9::7]:0");
  EXPECT_EQ(told("[2001:db9::7]:99, 2001:db8::1"), "[2001:db9::7]:99");
  EXPECT_EQ(told("::ffff:192.0.2.1"), "192.0.2.1:0");
}

TEST(Forwarded, what_is_no_address_is_not_believed) {
  for (const std::string_view value :
       {"", " ", ",", "unknown", "_hidden", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:70000",
        "192.0.2", "[2001:db9::7", "[2001:db9::7]x", "\"192.0.2.1\"", "192.0.2.1, unknown",
        "192.0.2.1, unknown, 10.0.0.1"}) {
    EXPECT_EQ(told(value), "") << value;
  }
}

}  // namespace
}  // namespace linnet::web

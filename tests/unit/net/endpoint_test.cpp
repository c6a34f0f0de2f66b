#include "net/endpoint.hpp"

#include <arpa/inet.h>
#include <cstring>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace linnet::net {
namespace {

sockaddr_storage ipv4(const char* address, std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET, address, &name.sin_addr), 1);
  sockaddr_storage storage{};
  std::memcpy(&storage, &name, sizeof name);
  return storage;
}

sockaddr_storage ipv6(const char* address, std::uint16_t port) {
  sockaddr_in6 name{};
  name.sin6_family = AF_INET6;
  name.sin6_port = htons(port);
  EXPECT_EQ(inet_pton(AF_INET6, address, &name.sin6_addr), 1);
  sockaddr_storage storage{};
  std::memcpy(&storage, &name, sizeof name);
  return storage;
}

TEST(Endpoint, is_small) {
  EXPECT_LE(sizeof(Endpoint), 20U);
}

TEST(Endpoint, writes_addresses) {
  EXPECT_EQ(Endpoint::from(ipv4("192.0.2.7", 51234)).text(), "192.0.2.7:51234");
  EXPECT_EQ(Endpoint::from(ipv6("2001:db8::1", 1883)).text(), "[2001:db8::1]:1883");
  EXPECT_EQ(Endpoint::from(ipv6("2001:db8::1", 1883)).address_text(), "2001:db8::1");
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_EQ(Endpoint::from(local).text(), "unix");
  EXPECT_EQ(Endpoint().text(), "unknown");
}

TEST(Endpoint, an_ipv4_address_in_an_ipv6_socket_is_an_ipv4_address) {
  EXPECT_EQ(Endpoint::from(ipv6("::ffff:192.0.2.7", 5)), Endpoint::from(ipv4("192.0.2.7", 5)));
  EXPECT_NE(Endpoint::from(ipv4("192.0.2.7", 6)), Endpoint::from(ipv4("192.0.2.7", 5)));
}

std::string parsed(std::string_view address) {
  const auto endpoint = Endpoint::parse(address, 1883);
  return endpoint ? endpoint->text() : "nothing";
}

TEST(Endpoint, parses_addresses) {
  EXPECT_EQ(Endpoint::parse("192.0.2.7", 5), Endpoint::from(ipv4("192.0.2.7", 5)));
  EXPECT_EQ(Endpoint::parse("2001:db8::1", 5), Endpoint::from(ipv6("2001:db8::1", 5)));
  EXPECT_EQ(parsed("0.0.0.0"), "0.0.0.0:1883");
  EXPECT_EQ(parsed("255.255.255.255"), "255.255.255.255:1883");
  EXPECT_EQ(parsed("::"), "[::]:1883");
  EXPECT_EQ(parsed("[2001:DB8:0:0::1]"), "[2001:db8::1]:1883");
  EXPECT_EQ(parsed("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"),
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:1883");
}

TEST(Endpoint, parses_an_ipv4_address_in_ipv6_as_ipv4) {
  EXPECT_EQ(parsed("::ffff:192.0.2.7"), "192.0.2.7:1883");
  EXPECT_EQ(parsed("[::ffff:c000:207]"), "192.0.2.7:1883");
  EXPECT_EQ(Endpoint::parse("::ffff:192.0.2.7", 5), Endpoint::from(ipv4("192.0.2.7", 5)));
  // These only look like one.
  EXPECT_EQ(parsed("::192.0.2.7"), "[::192.0.2.7]:1883");
  EXPECT_EQ(parsed("1::ffff:192.0.2.7"), "[1::ffff:c000:207]:1883");
}

TEST(Endpoint, parses_nothing_else) {
  for (const std::string_view text : {"",
                                      " ",
                                      "192.0.2",
                                      "192.0.2.7.1",
                                      "192.0.2.07",
                                      "00.0.0.0",
                                      "256.0.0.0",
                                      "192.0.2.-1",
                                      " 192.0.2.7",
                                      "192.0.2.7 ",
                                      "192.0.2.7:1883",
                                      "[192.0.2.7]",
                                      "0x7f.0.0.1",
                                      "2130706433",
                                      ":",
                                      ":::",
                                      "1:2",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1::2::3",
                                      "12345::",
                                      "g::",
                                      "fe80::1%eth0",
                                      "fe80::1%1",
                                      "[::1",
                                      "::1]",
                                      "[]",
                                      "[",
                                      "]",
                                      "[[::1]]",
                                      "[::1]:1883",
                                      "::1 ",
                                      "localhost",
                                      "unix",
                                      "unknown",
                                      "1:2:3:4:5:6:7:192.0.2.7",
                                      "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555"}) {
    EXPECT_EQ(parsed(text), "nothing") << text;
  }
  EXPECT_EQ(parsed(std::string_view("192.0.2.7\0", 10)), "nothing");
  EXPECT_EQ(parsed(std::string_view("::1\0.evil", 9)), "nothing");
  EXPECT_EQ(parsed(std::string(100'000, '1')), "nothing");
}

TEST(Endpoint, from_bytes) {
  EXPECT_EQ(Endpoint::from_bytes("\xC0\x01\x02\x07", 5).text(), "192.1.2.7:5");
  const std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff\xC0\x01\x02\x07", 16);
  EXPECT_EQ(Endpoint::from_bytes(mapped, 5).text(), "192.1.2.7:5");
  EXPECT_EQ(Endpoint::from_bytes("0123456789abcdef", 5).family(), Endpoint::Family::ipv6);
  for (const std::size_t size : {0U, 3U, 5U, 12U, 15U})
    EXPECT_EQ(Endpoint::from_bytes(mapped.substr(0, size), 5), Endpoint{}) << size;
}

TEST(Endpoint, knows_loopback) {
  EXPECT_TRUE(Endpoint::from(ipv4("127.0.0.2", 1)).is_loopback());
  EXPECT_TRUE(Endpoint::from(ipv6("::1", 1)).is_loopback());
  EXPECT_TRUE(Endpoint::from(ipv6("::ffff:127.0.0.1", 1)).is_loopback());
  EXPECT_FALSE(Endpoint::from(ipv6("1::1", 1)).is_loopback());
  EXPECT_FALSE(Endpoint::from(ipv4("128.0.0.1", 1)).is_loopback());
  EXPECT_FALSE(Endpoint().is_loopback());
}

}  // namespace
}  // namespace linnet::net

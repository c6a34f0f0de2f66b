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

#include "net/networks.hpp"

#include <cstring>
#include <gtest/gtest.h>

namespace linnet::net {
namespace {

Networks networks(const std::vector<std::string>& texts) {
  std::string error;
  auto parsed = Networks::parse(texts, error);
  EXPECT_TRUE(parsed.has_value()) << error;
  EXPECT_EQ(error, "");
  return parsed.value_or(Networks{});
}

std::string error_of(const std::vector<std::string>& texts) {
  std::string error;
  EXPECT_FALSE(Networks::parse(texts, error).has_value());
  return error;
}

Endpoint address(std::string_view text) {
  const auto endpoint = Endpoint::parse(text, 1234);
  EXPECT_TRUE(endpoint.has_value()) << text;
  return endpoint.value_or(Endpoint{});
}

Endpoint unix_socket() {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  return Endpoint::from(storage);
}

TEST(Networks, none_hold_nothing) {
  EXPECT_TRUE(Networks().empty());
  EXPECT_TRUE(networks({}).empty());
  EXPECT_FALSE(Networks().contains(address("127.0.0.1")));
}

TEST(Networks, single_addresses) {
  const auto list = networks({"192.0.2.7", "2001:db8::1", "[2001:db8::2]"});
  EXPECT_FALSE(list.empty());
  EXPECT_TRUE(list.contains(address("192.0.2.7")));
  EXPECT_FALSE(list.contains(address("192.0.2.6")));
  EXPECT_FALSE(list.contains(address("193.0.2.7")));
  EXPECT_TRUE(list.contains(address("2001:db8::1")));
  EXPECT_TRUE(list.contains(address("2001:db8::2")));
  EXPECT_FALSE(list.contains(address("2001:db8::3")));
}

TEST(Networks, bits_within_a_byte) {
  const auto list = networks({"10.16.0.0/12", "2001:db8::/33"});
  EXPECT_TRUE(list.contains(address("10.16.0.0")));
  EXPECT_TRUE(list.contains(address("10.31.255.255")));
  EXPECT_FALSE(list.contains(address("10.15.255.255")));
  EXPECT_FALSE(list.contains(address("10.32.0.0")));
  EXPECT_FALSE(list.contains(address("11.16.0.0")));
  EXPECT_TRUE(list.contains(address("2001:db8:7fff:ffff::")));
  EXPECT_FALSE(list.contains(address("2001:db8:8000::")));
}

TEST(Networks, every_number_of_bits) {
  for (unsigned bits = 1; bits <= 32; ++bits) {
    const auto list = networks({"0.0.0.0/" + std::to_string(bits)});
    const std::uint32_t outside = 1U << (32 - bits);
    const std::uint32_t inside = outside - 1;
    for (const auto& [value, expected] : {std::pair{inside, true}, {outside, false}}) {
      char bytes[4];
      for (unsigned i = 0; i < 4; ++i)
        bytes[i] = static_cast<char>(value >> (24 - 8 * i));
      EXPECT_EQ(list.contains(Endpoint::from_bytes({bytes, 4}, 0)), expected) << bits;
    }
  }
}

TEST(Networks, all_of_a_family_is_not_the_other_family) {
  const auto ipv4 = networks({"0.0.0.0/0"});
  EXPECT_TRUE(ipv4.contains(address("255.255.255.255")));
  EXPECT_FALSE(ipv4.contains(address("::")));
  const auto ipv6 = networks({"::/0"});
  EXPECT_TRUE(ipv6.contains(address("ffff::1")));
  EXPECT_FALSE(ipv6.contains(address("0.0.0.0")));
  for (const auto& list : {ipv4, ipv6}) {
    EXPECT_FALSE(list.contains(unix_socket()));
    EXPECT_FALSE(list.contains(Endpoint{}));
  }
}

TEST(Networks, ipv4_written_in_ipv6_is_ipv4) {
  EXPECT_TRUE(networks({"::ffff:192.0.2.7"}).contains(address("192.0.2.7")));
  const auto list = networks({"::ffff:10.0.0.0/104"});
  EXPECT_TRUE(list.contains(address("10.1.2.3")));
  EXPECT_FALSE(list.contains(address("11.1.2.3")));
  EXPECT_TRUE(networks({"::ffff:0:0/96"}).contains(address("203.0.113.9")));
  // Half of it would be a part of IPv6 that no endpoint shows.
  EXPECT_NE(error_of({"::ffff:0:0/95"}), "");
}

TEST(Networks, words) {
  const auto loopback = networks({"loopback"});
  for (const char* text : {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(loopback.contains(address(text))) << text;
  }
  for (const char* text : {"126.255.255.255", "128.0.0.0", "::", "::2", "1::1"}) {
    EXPECT_FALSE(loopback.contains(address(text))) << text;
  }
  EXPECT_TRUE(loopback.contains(unix_socket()));
  EXPECT_FALSE(loopback.contains(Endpoint{}));

  const auto local = networks({"unix"});
  EXPECT_TRUE(local.contains(unix_socket()));
  EXPECT_FALSE(local.contains(address("127.0.0.1")));
  EXPECT_FALSE(local.contains(address("0.0.0.0")));
  EXPECT_FALSE(local.contains(Endpoint{}));
}

TEST(Networks, one_of_several_is_enough) {
  const auto list = networks({"10.0.0.0/8", "192.168.0.0/16", "fd00::/8"});
  EXPECT_TRUE(list.contains(address("10.1.1.1")));
  EXPECT_TRUE(list.contains(address("192.168.3.4")));
  EXPECT_TRUE(list.contains(address("fd12::1")));
  EXPECT_FALSE(list.contains(address("172.16.0.1")));
}

TEST(Networks, what_is_wrong_is_named) {
  for (const char* text : {"",
                           " ",
                           "10.0.0.0/",
                           "10.0.0.0/33",
                           "10.0.0.0/-1",
                           "10.0.0.0/+8",
                           "10.0.0.0/08",
                           "10.0.0.0/8 ",
                           " 10.0.0.0/8",
                           "10.0.0.0/8/8",
                           "10.0.0/8",
                           "010.0.0.0/8",
                           "10.0.0.0/255.0",
                           "::/129",
                           "::/1000",
                           "fe80::1%eth0",
                           "localhost",
                           "Loopback",
                           "*",
                           "/8",
                           "unix/8",
                           "::ffff:10.0.0.0/8"}) {
    const std::string error = error_of({"192.0.2.1", text, "192.0.2.2"});
    EXPECT_NE(error.find("'" + std::string(text) + "'"), std::string::npos) << error;
    EXPECT_NE(error.find("write an address"), std::string::npos) << error;
  }
}

TEST(Networks, an_address_in_a_network_is_not_the_network) {
  EXPECT_NE(error_of({"10.1.2.3/8"}).find("first 8 bits"), std::string::npos);
  EXPECT_NE(error_of({"2001:db8::1/127"}).find("first 127 bits"), std::string::npos);
  EXPECT_NE(error_of({"::ffff:10.1.2.3/104"}).find("first 104 bits"), std::string::npos);
  EXPECT_TRUE(networks({"10.1.2.2/31"}).contains(address("10.1.2.3")));
}

}  // namespace
}  // namespace linnet::net

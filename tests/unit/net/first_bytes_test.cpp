#include "net/first_bytes.hpp"

#include <gtest/gtest.h>
#include <string>

namespace linnet::net {
namespace {

TEST(FirstBytes, nothing_says_nothing) {
  EXPECT_EQ(first_protocol(""), FirstProtocol::none);
}

TEST(FirstBytes, one_byte_is_enough) {
  EXPECT_EQ(first_protocol("\x10"), FirstProtocol::mqtt);
  EXPECT_EQ(first_protocol("\x16"), FirstProtocol::tls);
  EXPECT_EQ(first_protocol("G"), FirstProtocol::http);
}

TEST(FirstBytes, what_follows_does_not_count) {
  EXPECT_EQ(first_protocol("\x10\x16GET"), FirstProtocol::mqtt);
  EXPECT_EQ(first_protocol("\x16\x03\x01"), FirstProtocol::tls);
  EXPECT_EQ(first_protocol("GET / HTTP/1.1\r\n"), FirstProtocol::http);
  EXPECT_EQ(first_protocol(std::string_view("\0\x10", 2)), FirstProtocol::unknown);
}

TEST(FirstBytes, every_first_byte) {
  for (int value = 0; value < 256; ++value) {
    auto expected = FirstProtocol::unknown;
    if (value == 0x10) expected = FirstProtocol::mqtt;
    if (value == 0x16) expected = FirstProtocol::tls;
    if (value >= 'A' && value <= 'Z') expected = FirstProtocol::http;
    EXPECT_EQ(first_protocol(std::string(3, static_cast<char>(value))), expected) << value;
  }
}

}  // namespace
}  // namespace linnet::net

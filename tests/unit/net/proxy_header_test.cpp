#include "net/proxy_header.hpp"

#include <gtest/gtest.h>

#include "base/crc32c.hpp"

namespace linnet::net {
namespace {

using namespace std::string_literals;
using State = ProxyParse::State;

constexpr char kCrc = 0x03;
constexpr char kSsl = 0x20;
constexpr char kCommonName = 0x22;

std::string client_of(const ProxyParse& parse) {
  return parse.header.client ? parse.header.client->text() : "none";
}

/// The client's address in a whole header, "none", or "incomplete" or "bad".
std::string client_of(std::string_view bytes) {
  const auto parse = parse_proxy_header(bytes);
  if (parse.state == State::bad) {
    EXPECT_NE(std::string_view(parse.error), "");
    EXPECT_EQ(parse.count, 0U);
    return "bad";
  }
  if (parse.state == State::incomplete) return "incomplete";
  EXPECT_EQ(parse.count, bytes.size());
  return client_of(parse);
}

/// No part of the header is whole or bad, and each belongs to it; nor does it mind what follows.
void expect_byte_by_byte(const std::string& header) {
  const auto whole = parse_proxy_header(header);
  ASSERT_EQ(whole.state, State::whole) << whole.error;
  ASSERT_EQ(whole.count, header.size());
  for (std::size_t size = 0; size < header.size(); ++size) {
    const auto parse = parse_proxy_header(std::string_view(header).substr(0, size));
    EXPECT_EQ(parse.state, State::incomplete) << size << parse.error;
    EXPECT_EQ(parse.count, size);
  }
  for (const auto& more : {"\x10\x0C"s, "\r\n"s, std::string(5000, '\0'), header}) {
    const auto parse = parse_proxy_header(header + more);
    EXPECT_EQ(parse.state, State::whole);
    EXPECT_EQ(parse.count, header.size());
    EXPECT_EQ(parse.header.client, whole.header.client);
  }
}

// Version 1 ---------------------------------------------------------------------------------------

TEST(ProxyHeaderV1, addresses) {
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"), "192.0.2.7:56324");
  EXPECT_EQ(client_of("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
            "255.255.255.255:65535");
  EXPECT_EQ(client_of("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0:0");
  EXPECT_EQ(client_of("PROXY TCP6 2001:db8::1 ::1 4124 443\r\n"), "[2001:db8::1]:4124");
  EXPECT_EQ(client_of("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
  EXPECT_EQ(client_of("PROXY TCP6 2001:DB8::A ::1 4124 443\r\n"), "[2001:db8::a]:4124");
}

TEST(ProxyHeaderV1, an_ipv4_address_in_ipv6_is_ipv4) {
  EXPECT_EQ(client_of("PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.1 4124 443\r\n"),
            "192.0.2.7:4124");
  EXPECT_EQ(client_of("PROXY TCP6 ::ffff:c000:207 2001:db8::1 4124 443\r\n"), "192.0.2.7:4124");
  EXPECT_EQ(client_of("PROXY TCP4 ::ffff:192.0.2.7 192.0.2.1 4124 443\r\n"), "bad");
}

TEST(ProxyHeaderV1, unknown_has_no_address) {
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "none");
  EXPECT_EQ(client_of("PROXY UNKNOWN \r\n"), "none");
  EXPECT_EQ(client_of("PROXY UNKNOWN 192.0.2.7 192.0.2.1 1 2\r\n"), "none");
  EXPECT_EQ(client_of("PROXY UNKNOWN any\rthing \n \x80 at all\r\n"), "none");
  EXPECT_EQ(client_of("PROXY UNKNOWN any\nthing"), "incomplete");
  for (const char* text : {"PROXY UNKNOWNS\r\n", "PROXY UNKNOWN\n\r\n", "PROXY UNKNOWN\r\r\n",
                           "PROXY unknown\r\n", "PROXY  UNKNOWN\r\n", "PROXY UNKNOW\r\n"})
    EXPECT_EQ(client_of(text), "bad") << text;
}

TEST(ProxyHeaderV1, byte_by_byte) {
  expect_byte_by_byte("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n");
  expect_byte_by_byte("PROXY TCP6 2001:db8::1 ::1 4124 443\r\n");
  expect_byte_by_byte("PROXY UNKNOWN\r\n");
  expect_byte_by_byte("PROXY UNKNOWN 192.0.2.7\r\n");
}

TEST(ProxyHeaderV1, malformed_lines) {
  for (const char* line : {"TCP4 192.0.2.7 192.0.2.1 1",
                           "TCP4 192.0.2.7 192.0.2.1 1 2 3",
                           "TCP4",
                           "TCP4 ",
                           "",
                           "TCP4 192.0.2.7 192.0.2.1 1 2 ",
                           "TCP4  192.0.2.7 192.0.2.1 1 2",
                           " TCP4 192.0.2.7 1",
                           "TCP4 192.0.2.7  192.0.2.1 1 2",
                           "TCP4 192.0.2.7 192.0.2.1 1  2",
                           "TCP4\t192.0.2.7 192.0.2.1 1 2",
                           "TCP4 192.0.2.7\t192.0.2.1 1 2",
                           "TCP4 192.0.2.07 192.0.2.1 1 2",
                           "TCP4 192.0.2.7 192.0.2.01 1 2",
                           "TCP4 192.0.2 192.0.2.1 1 2",
                           "TCP4 192.0.2.256 192.0.2.1 1 2",
                           "TCP4 192.0.2.7 example.com 1 2",
                           "TCP4 192.0.2.7 2001:db8::1 1 2",
                           "TCP4 2001:db8::1 2001:db8::2 1 2",
                           "TCP6 192.0.2.7 192.0.2.1 1 2",
                           "TCP6 2001:db8::1 192.0.2.1 1 2",
                           "TCP6 [2001:db8::1] [2001:db8::2] 1 2",
                           "TCP6 fe80::1%eth0 ::1 1 2",
                           "TCP6 12345:: ::1 1 2",
                           "TCP6 1::2::3 ::1 1 2",
                           "TCP4 192.0.2.7 192.0.2.1 01 2",
                           "TCP4 192.0.2.7 192.0.2.1 00 2",
                           "TCP4 192.0.2.7 192.0.2.1 1 02",
                           "TCP4 192.0.2.7 192.0.2.1 65536 2",
                           "TCP4 192.0.2.7 192.0.2.1 1 65536",
                           "TCP4 192.0.2.7 192.0.2.1 -1 2",
                           "TCP4 192.0.2.7 192.0.2.1 +1 2",
                           "TCP4 192.0.2.7 192.0.2.1 1x 2",
                           "TCP4 192.0.2.7 192.0.2.1 0x1 2",
                           "TCP4 192.0.2.7 192.0.2.1 1 2\r",
                           "TCP4 192.0.2.7 192.0.2.1 1\r2",
                           "TCP5 192.0.2.7 192.0.2.1 1 2",
                           "UDP4 192.0.2.7 192.0.2.1 1 2",
                           "tcp4 192.0.2.7 192.0.2.1 1 2"})
    EXPECT_EQ(client_of("PROXY " + std::string(line) + "\r\n"), "bad") << line;
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.7\0 192.0.2.1 1 2\r\n"s), "bad");
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.7 192.0.2.1 1\0 2\r\n"s), "bad");
  EXPECT_EQ(client_of("PROXY TCP6 ::1\0 ::1 1 2\r\n"s), "bad");
}

TEST(ProxyHeaderV1, a_line_ends_with_cr_and_lf) {
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n"), "bad");
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r"), "incomplete");
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n\r"), "bad");
  EXPECT_EQ(client_of("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n\r\n"), "bad");
}

TEST(ProxyHeaderV1, a_line_has_107_bytes_at_most) {
  const std::string start = "PROXY UNKNOWN ";
  const std::string longest = start + std::string(107 - 2 - start.size(), 'x') + "\r\n";
  expect_byte_by_byte(longest);
  const std::string longer = start + std::string(108 - 2 - start.size(), 'x') + "\r\n";
  EXPECT_EQ(client_of(longer), "bad");
  EXPECT_EQ(client_of(longer.substr(0, 107)), "bad");
  EXPECT_EQ(client_of(longer.substr(0, 106)), "incomplete");
  EXPECT_EQ(client_of(start + std::string(100'000, 'x')), "bad");
  EXPECT_EQ(client_of("PROXY TCP4 " + std::string(107 - 11, '1')), "bad");
}

TEST(ProxyHeader, what_cannot_become_a_header_is_refused_at_once) {
  for (const auto& bytes :
       {"\x10"s, "\x16\x03\x01"s, "GET / HTTP/1.1\r\n"s, "p"s, "PROXZ"s, "PROXY\t"s, "PROXY\r"s,
        "PROXY X"s, "PROXY TCP5"s, "PROXY TCP4\r"s, "PROXY UNKNOWN\n"s, "PROXY UNKNOWN\rx"s, "\n"s,
        "\r\n\r\r"s, "\r\n\r\n\0\r\nQUIT\r"s, "\r\n\r\n\0\r\nQUIT\n\x11"s})
    EXPECT_EQ(client_of(bytes), "bad") << bytes;
  EXPECT_EQ(client_of(""), "incomplete");
}

TEST(ProxyHeader, says_what_to_mend) {
  const auto missing = parse_proxy_header("\x10\x0C\0\x04MQTT"s);
  EXPECT_NE(std::string_view(missing.error).find("proxy_protocol"), std::string_view::npos);
}

// Version 2 ---------------------------------------------------------------------------------------

std::string u16(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string u32(std::uint32_t value) {
  return u16(value >> 16) + u16(value & 0xFFFF);
}

std::string v2(int command, int family, const std::string& block) {
  return "\r\n\r\n\0\r\nQUIT\n"s + static_cast<char>(command) + static_cast<char>(family) +
         u16(block.size()) + block;
}

std::string tlv(char type, const std::string& value) {
  return type + u16(value.size()) + value;
}

const std::string kIpv4 = "\xC0\x01\x02\x07\xC6\x33\x64\x01\xDC\x04\x01\xBB"s;
const std::string kIpv6 = "\x20\x01\x0D\xB8"s + std::string(11, '\0') + "\x01" +
                          std::string(16, '\x55') + "\x10\x1C\x01\xBB";

std::string ipv4_with(const std::string& tlvs) {
  return v2(0x21, 0x11, kIpv4 + tlvs);
}

/// `header` has a checksum TLV with zeros at `at`.
std::string sealed(std::string header, std::size_t at) {
  return header.replace(at, 4, u32(crc32c(header)));
}

TEST(ProxyHeaderV2, addresses) {
  EXPECT_EQ(client_of(v2(0x21, 0x11, kIpv4)), "192.1.2.7:56324");
  EXPECT_EQ(client_of(v2(0x21, 0x12, kIpv4)), "192.1.2.7:56324");
  EXPECT_EQ(client_of(v2(0x21, 0x21, kIpv6)), "[2001:db8::1]:4124");
  EXPECT_EQ(client_of(v2(0x21, 0x22, kIpv6)), "[2001:db8::1]:4124");
  const std::string mapped = std::string(10, '\0') + "\xff\xff\xC0\x01\x02\x07"s;
  EXPECT_EQ(client_of(v2(0x21, 0x21, mapped + mapped + "\0\x05\0\x06"s)), "192.1.2.7:5");
}

TEST(ProxyHeaderV2, what_has_no_address_of_a_client) {
  EXPECT_EQ(client_of(v2(0x21, 0x00, "")), "none");
  EXPECT_EQ(client_of(v2(0x21, 0x31, std::string(216, 'x'))), "none");
  EXPECT_EQ(client_of(v2(0x21, 0x32, std::string(216, 'x'))), "none");
}

TEST(ProxyHeaderV2, local_ignores_family_and_block) {
  EXPECT_EQ(client_of(v2(0x20, 0x00, "")), "none");
  EXPECT_EQ(client_of(v2(0x20, 0x11, kIpv4)), "none");
  EXPECT_EQ(client_of(v2(0x20, 0x11, "x")), "none");
  EXPECT_EQ(client_of(v2(0x20, 0xFF, std::string(1000, '\xFF'))), "none");
  const auto ssl = tlv(kSsl, "\x07\0\0\0\0"s + tlv(kCommonName, "alice"));
  const auto parse = parse_proxy_header(v2(0x20, 0x11, kIpv4 + ssl));
  EXPECT_FALSE(parse.header.certificate_verified);
  EXPECT_EQ(parse.header.common_name, "");
}

TEST(ProxyHeaderV2, byte_by_byte) {
  expect_byte_by_byte(v2(0x20, 0x00, ""));
  expect_byte_by_byte(v2(0x21, 0x11, kIpv4));
  expect_byte_by_byte(v2(0x21, 0x21, kIpv6 + tlv(0x01, "mqtt")));
  expect_byte_by_byte(v2(0x21, 0x31, std::string(216, 'x') + tlv(0x04, "")));
}

TEST(ProxyHeaderV2, versions_commands_and_families) {
  for (int command = 0; command < 256; ++command) {
    const bool known = command == 0x20 || command == 0x21;
    EXPECT_EQ(client_of(v2(command, 0x00, "")), known ? "none" : "bad") << command;
  }
  const std::string block = std::string(216, '\0');
  for (int family = 0; family < 256; ++family) {
    const auto state = parse_proxy_header(v2(0x21, family, block)).state;
    const bool known = family == 0x31 || family == 0x32;
    // Zeros behind shorter addresses are TLVs of type 0 without content.
    const bool of_ip =
        family == 0x00 || family == 0x11 || family == 0x12 || family == 0x21 || family == 0x22;
    EXPECT_EQ(state, known || of_ip ? State::whole : State::bad) << family;
  }
}

TEST(ProxyHeaderV2, a_block_too_short_for_its_addresses) {
  for (const auto& [family, size] :
       {std::pair{0x11, 12}, {0x12, 12}, {0x21, 36}, {0x22, 36}, {0x31, 216}, {0x32, 216}}) {
    const auto length = static_cast<std::size_t>(size);
    EXPECT_NE(client_of(v2(0x21, family, std::string(length, '\0'))), "bad");
    EXPECT_EQ(client_of(v2(0x21, family, std::string(length - 1, '\0'))), "bad");
    EXPECT_EQ(client_of(v2(0x21, family, "")), "bad");
  }
}

TEST(ProxyHeaderV2, no_header_is_longer_than_the_limit) {
  const auto size = kProxyHeaderMax - 16 - kIpv4.size() - 3;
  EXPECT_EQ(client_of(ipv4_with(tlv(0x04, std::string(size, 'x')))), "192.1.2.7:56324");
  const std::string longer = ipv4_with(tlv(0x04, std::string(size + 1, 'x')));
  EXPECT_EQ(client_of(longer), "bad");
  EXPECT_EQ(client_of(longer.substr(0, 15)), "incomplete");
  EXPECT_EQ(client_of(longer.substr(0, 16)), "bad");
  EXPECT_EQ(client_of(v2(0x20, 0, std::string(0xFFFF, 'x'))), "bad");
}

TEST(ProxyHeaderV2, tlvs_that_are_not_known_are_passed_over) {
  std::string tlvs;
  for (const char type : "\x02\x04\x05\x22\x30\x7F"s + '\0')
    tlvs += tlv(type, "something") + tlv(type, "") + tlv(type, std::string(300, '\xFF'));
  tlvs += tlv('\xE0', "own") + tlv('\xFF', "future");
  const auto parse = parse_proxy_header(ipv4_with(tlvs));
  EXPECT_EQ(parse.state, State::whole) << parse.error;
  EXPECT_EQ(client_of(parse), "192.1.2.7:56324");
  EXPECT_EQ(parse.header.common_name, "");
  EXPECT_EQ(parse.header.alpn, "");
  EXPECT_EQ(client_of(v2(0x21, 0x00, tlvs)), "none");
}

TEST(ProxyHeaderV2, tlvs_that_do_not_fit) {
  for (const auto& tlvs : {"\x04"s, "\x04\0"s, "\x04\0\x01"s, "\x04\xFF\xFFx"s, "\x04\0\0\x04"s,
                           tlv(0x04, "x") + "\x01\0\x05mqtt"s})
    EXPECT_EQ(client_of(ipv4_with(tlvs)), "bad");
  // The length leads into what follows the header.
  const std::string header = ipv4_with("\x01\0\x04mq"s);
  EXPECT_EQ(parse_proxy_header(header + "tt").state, State::bad);
}

TEST(ProxyHeaderV2, alpn) {
  EXPECT_EQ(parse_proxy_header(ipv4_with(tlv(0x01, "mqtt"))).header.alpn, "mqtt");
  EXPECT_EQ(parse_proxy_header(v2(0x21, 0x00, tlv(0x01, "http/1.1"))).header.alpn, "http/1.1");
  EXPECT_EQ(client_of(ipv4_with(tlv(0x01, "mqtt") + tlv(0x01, "mqtt"))), "bad");
  EXPECT_EQ(client_of(ipv4_with(tlv(0x01, "") + tlv(0x01, "mqtt"))), "bad");
}

TEST(ProxyHeaderV2, checksum) {
  const std::string header = ipv4_with(tlv(0x04, "pad") + tlv(kCrc, "\0\0\0\0"s) + tlv(0x01, "x"));
  const auto at = 16 + kIpv4.size() + 6 + 3;
  const std::string right = sealed(header, at);
  expect_byte_by_byte(right);
  EXPECT_EQ(client_of(right), "192.1.2.7:56324");
  EXPECT_EQ(client_of(header), "bad");
  for (std::size_t i = 16; i < right.size(); ++i) {
    if (i == at - 3) continue;  // it would not be a checksum any more
    std::string changed = right;
    changed[i] = static_cast<char>(changed[i] ^ 0x40);
    EXPECT_EQ(parse_proxy_header(changed).state, State::bad) << i;
  }
  EXPECT_EQ(client_of(ipv4_with(tlv(kCrc, "\0\0\0"s))), "bad");
  EXPECT_EQ(client_of(ipv4_with(tlv(kCrc, "\0\0\0\0\0"s))), "bad");
}

TEST(ProxyHeaderV2, checksum_at_a_known_value) {
  // The bytes of a header without addresses, and what CRC-32C gives for them.
  const std::string header = v2(0x21, 0x00, tlv(kCrc, "\0\0\0\0"s));
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : header) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (crc & 1 ? 0x82F63B78 : 0);
  }
  EXPECT_EQ(client_of(header.substr(0, header.size() - 4) + u32(~crc)), "none");
}

TEST(ProxyHeaderV2, checksum_as_haproxy_sends_it) {
  const std::string header =
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x1e\x7f\0\0\x01\x7f\0\0\x01\xb0\x04\x97\xe9"
      "\x03\0\x04\xbb\xf2\xd3\x14\x05\0\0\x20\0\x05\0\0\0\0\0"s;
  EXPECT_EQ(client_of(header), "127.0.0.1:45060");
}

// Certificates ------------------------------------------------------------------------------------

ProxyHeader with_ssl(const std::string& value) {
  const auto parse = parse_proxy_header(ipv4_with(tlv(kSsl, value)));
  EXPECT_EQ(parse.state, State::whole) << parse.error;
  EXPECT_EQ(client_of(parse), "192.1.2.7:56324");
  return parse.header;
}

TEST(ProxyHeaderV2, a_common_name_counts_only_if_the_certificate_was_verified) {
  const std::string names = tlv(0x21, "TLSv1.3") + tlv(kCommonName, "alice") + tlv(0x23, "AES");
  for (int client = 0; client < 256; ++client) {
    const auto header = with_ssl(static_cast<char>(client) + "\0\0\0\0"s + names);
    const bool shown = (client & 1) != 0 && (client & 6) != 0;
    EXPECT_EQ(header.certificate_verified, shown) << client;
    EXPECT_EQ(header.common_name, shown ? "alice" : "") << client;
  }
  for (const auto& verify : {"\0\0\0\x01"s, "\x01\0\0\0"s, "\xFF\xFF\xFF\xFF"s}) {
    const auto header = with_ssl("\x07" + verify + names);
    EXPECT_FALSE(header.certificate_verified);
    EXPECT_EQ(header.common_name, "");
  }
}

TEST(ProxyHeaderV2, a_certificate_without_a_common_name) {
  for (const auto& value : {"\x03\0\0\0\0"s, "\x03\0\0\0\0"s + tlv(kCommonName, "")}) {
    const auto header = with_ssl(value);
    EXPECT_TRUE(header.certificate_verified);
    EXPECT_EQ(header.common_name, "");
  }
}

TEST(ProxyHeaderV2, a_common_name_beside_the_certificate_is_not_believed) {
  const auto parse = parse_proxy_header(ipv4_with(tlv(kCommonName, "admin")));
  EXPECT_EQ(parse.state, State::whole);
  EXPECT_FALSE(parse.header.certificate_verified);
  EXPECT_EQ(parse.header.common_name, "");
}

TEST(ProxyHeaderV2, broken_facts_of_a_certificate) {
  const std::string verified = "\x03\0\0\0\0"s;
  for (const auto& value :
       {""s, "\x03"s, "\x03\0\0\0"s, verified + "\x22", verified + "\x22\0"s,
        verified + "\x22\0\x06"s + "alice", verified + tlv(kCommonName, "alice") + "\x23"s,
        verified + tlv(kCommonName, "admin\0.example"s), verified + tlv(kCommonName, "\xC0\x80"s),
        verified + tlv(kCommonName, "a") + tlv(kCommonName, "a")})
    EXPECT_EQ(client_of(ipv4_with(tlv(kSsl, value))), "bad");
  const std::string good = tlv(kSsl, verified + tlv(kCommonName, "alice"));
  EXPECT_EQ(client_of(ipv4_with(good + good)), "bad");
}

TEST(ProxyHeaderV2, all_that_haproxy_sends_together) {
  const std::string ssl =
      tlv(kSsl, "\x07\0\0\0\0"s + tlv(0x21, "TLSv1.3") + tlv(kCommonName, "J\xC3\xBCrgen") +
                    tlv(0x24, "RSA-SHA256"));
  std::string header =
      v2(0x21, 0x21,
         kIpv6 + tlv(kCrc, "\0\0\0\0"s) + tlv(0x01, "mqtt") + tlv(0x02, "broker.example") + ssl);
  const auto parse = parse_proxy_header(sealed(header, 16 + kIpv6.size() + 3));
  ASSERT_EQ(parse.state, State::whole) << parse.error;
  EXPECT_EQ(client_of(parse), "[2001:db8::1]:4124");
  EXPECT_EQ(parse.header.alpn, "mqtt");
  EXPECT_TRUE(parse.header.certificate_verified);
  EXPECT_EQ(parse.header.common_name, "J\xC3\xBCrgen");
}

}  // namespace
}  // namespace linnet::net

#include <gtest/gtest.h>
#include <set>
#include <string>

#include "mqtt/decode.hpp"
#include "wire.hpp"

namespace linnet::mqtt {
namespace {

using test::frame;
using test::wire;

constexpr auto k31 = Version::v3_1;
constexpr auto k311 = Version::v3_1_1;
constexpr auto k5 = Version::v5;
constexpr auto kMalformed = ReasonCode::malformed_packet;
constexpr auto kProtocol = ReasonCode::protocol_error;

constexpr unsigned kFirstBytes[] = {0x40, 0x50, 0x62, 0x70};

TEST(DecodeAck, ReadsTwoBytesInEveryVersion) {
  const auto body = wire("12 34");
  for (const auto first_byte : kFirstBytes) {
    for (const auto version : {k31, k311, k5}) {
      const auto ack = decode_ack(frame(first_byte, body), version);
      ASSERT_TRUE(ack);
      EXPECT_EQ(ack->packet_id, 0x1234);
      EXPECT_EQ(ack->reason, ReasonCode::success);
    }
  }
}

TEST(DecodeAck, ReadsReasonAndProperties) {
  const auto plain = wire("00 01 92");
  const auto empty = wire("00 01 92 00");
  const auto full = wire("00 01 92 0C 1F 00 02 'no' 26 00 01 'k' 00 01 'v'");
  for (const auto& body : {plain, empty, full}) {
    const auto ack = decode_ack(frame(0x62, body), k5);
    ASSERT_TRUE(ack) << ack.error().text;
    EXPECT_EQ(ack->reason, ReasonCode::packet_identifier_not_found);
    EXPECT_EQ(ack->reason_string, body == full ? "no" : "");
  }
}

TEST(DecodeAck, KnowsWhichReasonsAClientMaySend) {
  const std::set<unsigned> receipt{0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};
  const std::set<unsigned> release{0x00, 0x92};
  for (const auto first_byte : kFirstBytes) {
    const auto& allowed = first_byte <= 0x50 ? receipt : release;
    for (unsigned reason = 0; reason < 256; ++reason) {
      const auto body = wire("00 01") + static_cast<char>(reason);
      const auto ack = decode_ack(frame(first_byte, body), k5);
      EXPECT_EQ(ack.has_value(), allowed.contains(reason)) << first_byte << " " << reason;
      if (!ack) {
        EXPECT_EQ(ack.error().reason, kProtocol);
      }
    }
  }
}

struct BadCase {
  unsigned first_byte;
  std::string_view body;
  Version version;
  ReasonCode reason;
};

constexpr BadCase kBadAcks[] = {
    {0x40, "", k311, kMalformed},
    {0x40, "00", k5, kMalformed},
    {0x40, "00 00", k311, kProtocol},
    {0x50, "00 00 00", k5, kProtocol},
    {0x40, "00 01 00", k311, kMalformed},
    {0x70, "00 01 00 00", k31, kMalformed},
    {0x40, "00 01 00 01", k5, kMalformed},
    {0x40, "00 01 00 00 00", k5, kMalformed},
    {0x40, "00 01 00 0A 1F 00 02 'no' 1F 00 02 'no'", k5, kProtocol},
    {0x40, "00 01 00 04 1F 00 01 FF", k5, kMalformed},
    {0x40, "00 01 00 03 23 00 01", k5, kMalformed},
    {0x6A, "00 01", k311, kMalformed},  // [MQTT-3.6.1-1]
    {0x6A, "00 01", k5, kMalformed},
};

TEST(DecodeAck, RefusesWhatIsWrong) {
  for (const auto& test : kBadAcks) {
    const auto body = wire(test.body);
    const auto ack = decode_ack(frame(test.first_byte, body), test.version);
    ASSERT_FALSE(ack) << test.body;
    EXPECT_STRNE(ack.error().text, "") << test.body;
    EXPECT_EQ(ack.error().reason, test.reason) << test.body;
  }
  const auto body = wire("00 01");
  EXPECT_TRUE(decode_ack(frame(0x6A, body), k31));  // MQTT 3.1 has a DUP flag there
}

TEST(DecodeDisconnect, ReadsEveryForm) {
  for (const auto version : {k31, k311, k5}) {
    const auto disconnect = decode_disconnect(frame(0xE0, ""), version);
    ASSERT_TRUE(disconnect);
    EXPECT_EQ(disconnect->reason, ReasonCode::success);
    EXPECT_FALSE(disconnect->session_expiry_s);
  }
  const auto with_will = decode_disconnect(frame(0xE0, "\x04"), k5);
  ASSERT_TRUE(with_will);
  EXPECT_EQ(with_will->reason, ReasonCode::disconnect_with_will);
  const auto body = wire("00 09 11 00 00 00 0A 1F 00 01 'r'");
  const auto full = decode_disconnect(frame(0xE0, body), k5);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->session_expiry_s, 10u);
  EXPECT_EQ(full->reason_string, "r");
}

TEST(DecodeDisconnect, KnowsWhichReasonsAClientMaySend) {
  const std::set<unsigned> allowed{0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90,
                                   0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99};
  for (unsigned reason = 0; reason < 256; ++reason) {
    const std::string body(1, static_cast<char>(reason));
    const auto disconnect = decode_disconnect(frame(0xE0, body), k5);
    EXPECT_EQ(disconnect.has_value(), allowed.contains(reason)) << reason;
  }
}

constexpr BadCase kBadDisconnects[] = {
    {0xE0, "00", k311, kMalformed},
    {0xE0, "00", k31, kMalformed},
    {0xE0, "00 01", k5, kMalformed},
    {0xE0, "00 00 00", k5, kMalformed},
    {0xE0, "8B", k5, kProtocol},
    {0xE0, "00 0A 11 00 00 00 0A 11 00 00 00 0A", k5, kProtocol},
    {0xE0, "00 02 17 00", k5, kMalformed},
};

TEST(DecodeDisconnect, RefusesWhatIsWrong) {
  for (const auto& test : kBadDisconnects) {
    const auto body = wire(test.body);
    const auto disconnect = decode_disconnect(frame(0xE0, body), test.version);
    ASSERT_FALSE(disconnect) << test.body;
    EXPECT_EQ(disconnect.error().reason, test.reason) << test.body;
  }
}

TEST(DecodePingreq, HasNoBody) {
  EXPECT_TRUE(decode_pingreq(frame(0xC0, "")).has_value());
  ASSERT_FALSE(decode_pingreq(frame(0xC0, "x")).has_value());
  EXPECT_EQ(decode_pingreq(frame(0xC0, "x")).error().reason, kMalformed);
}

TEST(DecodeAuth, ReadsBothReasons) {
  for (const auto& [byte, reason] : {std::pair{"18", ReasonCode::continue_authentication},
                                     std::pair{"19", ReasonCode::reauthenticate}}) {
    const auto body = wire(std::string(byte) + "0D 15 00 01 'm' 16 00 02 'dd' 1F 00 01 'r'");
    const auto auth = decode_auth(frame(0xF0, body));
    ASSERT_TRUE(auth) << auth.error().text;
    EXPECT_EQ(auth->reason, reason);
    EXPECT_EQ(auth->method, "m");
    EXPECT_EQ(auth->data, "dd");
    EXPECT_EQ(auth->reason_string, "r");
  }
}

constexpr BadCase kBadAuths[] = {
    {0xF0, "", k5, kProtocol},
    {0xF0, "00 04 15 00 01 'm'", k5, kProtocol},
    {0xF0, "82 04 15 00 01 'm'", k5, kProtocol},
    {0xF0, "18", k5, kProtocol},
    {0xF0, "18 00", k5, kProtocol},
    {0xF0, "18 04 16 00 01 'd'", k5, kProtocol},
    {0xF0, "18 08 15 00 01 'm' 15 00 01 'm'", k5, kProtocol},
    {0xF0, "18 05 15 00 01 'm'", k5, kMalformed},
    {0xF0, "18 04 15 00 01 'm' 00", k5, kMalformed},
};

TEST(DecodeAuth, RefusesWhatIsWrong) {
  for (const auto& test : kBadAuths) {
    const auto body = wire(test.body);
    const auto auth = decode_auth(frame(0xF0, body));
    ASSERT_FALSE(auth) << test.body;
    EXPECT_EQ(auth.error().reason, test.reason) << test.body;
  }
}

}  // namespace
}  // namespace linnet::mqtt

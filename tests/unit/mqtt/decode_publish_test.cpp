#include <gtest/gtest.h>

#include "mqtt/decode.hpp"
#include "mqtt/property.hpp"
#include "wire.hpp"

namespace linnet::mqtt {
namespace {

using test::frame;
using test::wire;

constexpr TopicLimits kLimits;

TEST(DecodePublish, ReadsMqtt3) {
  const auto body = wire("00 03 'a/b' 'hello'");
  for (const auto version : {Version::v3_1, Version::v3_1_1}) {
    const auto publish = decode_publish(frame(0x31, body), version, kLimits);
    ASSERT_TRUE(publish);
    EXPECT_EQ(publish->topic, "a/b");
    EXPECT_EQ(publish->payload, "hello");
    EXPECT_EQ(publish->payload.data(), body.data() + 5);
    EXPECT_EQ(publish->packet_id, 0);
    EXPECT_EQ(publish->qos, Qos::at_most_once);
    EXPECT_TRUE(publish->retain);
    EXPECT_FALSE(publish->dup);
    EXPECT_EQ(publish->properties.forwarded, "");
  }
}

TEST(DecodePublish, ReadsAPacketIdentifier) {
  const auto body = wire("00 01 'a' 12 34");
  const auto publish = decode_publish(frame(0x3C, body), Version::v3_1_1, kLimits);
  ASSERT_TRUE(publish);
  EXPECT_EQ(publish->packet_id, 0x1234);
  EXPECT_EQ(publish->qos, Qos::exactly_once);
  EXPECT_TRUE(publish->dup);
  EXPECT_FALSE(publish->retain);
  EXPECT_EQ(publish->payload, "");
}

TEST(DecodePublish, ReadsMqtt5) {
  const auto body = wire("00 01 'a' 00 01 08 02 00 00 00 09 23 00 05 'x'");
  const auto publish = decode_publish(frame(0x32, body), Version::v5, kLimits);
  ASSERT_TRUE(publish);
  EXPECT_EQ(publish->packet_id, 1);
  EXPECT_EQ(publish->payload, "x");
  EXPECT_EQ(publish->properties.message_expiry_s, 9u);
  EXPECT_EQ(publish->properties.topic_alias, 5);
  EXPECT_EQ(publish->properties.forwarded, "");
  EXPECT_FALSE(publish->properties.mixed);
}

TEST(DecodePublish, AnAliasMayStandForTheTopic) {
  const auto body = wire("00 00 03 23 00 05 'x'");
  const auto publish = decode_publish(frame(0x30, body), Version::v5, kLimits);
  ASSERT_TRUE(publish);
  EXPECT_EQ(publish->topic, "");
  EXPECT_EQ(publish->properties.topic_alias, 5);
}

struct ForwardCase {
  std::string_view raw;        // the properties
  std::string_view forwarded;  // the view that the decoder gives
  bool mixed;
  std::string_view stripped;  // what is really forwarded
};

constexpr ForwardCase kForwards[] = {
    {"", "", false, ""},
    {"02 00 00 00 01", "", false, ""},
    {"01 01", "01 01", false, "01 01"},
    {"23 00 01 01 01 02 00 00 00 01", "01 01", false, "01 01"},
    {"01 01 09 00 01 'c' 23 00 01", "01 01 09 00 01 'c'", false, "01 01 09 00 01 'c'"},
    {"23 00 01 03 00 00 08 00 01 'r'", "03 00 00 08 00 01 'r'", false, "03 00 00 08 00 01 'r'"},
    {"01 00 23 00 01 03 00 00", "01 00 23 00 01 03 00 00", true, "01 00 03 00 00"},
    {"02 00 00 00 01 01 00 23 00 01 03 00 00", "01 00 23 00 01 03 00 00", true, "01 00 03 00 00"},
    {"26 00 01 'a' 00 01 'b' 26 00 01 'a' 00 01 'b'",
     "26 00 01 'a' 00 01 'b' 26 00 01 'a' 00 01 'b'", false,
     "26 00 01 'a' 00 01 'b' 26 00 01 'a' 00 01 'b'"},
};

TEST(DecodePublish, ForwardsPropertiesAsTheyCame) {  // [MQTT-3.3.2-17], [MQTT-3.3.2-18]
  for (const auto& test : kForwards) {
    const auto raw = wire(test.raw);
    const auto body = wire("00 01 'a'") + test::properties(raw);
    const auto publish = decode_publish(frame(0x30, body), Version::v5, kLimits);
    ASSERT_TRUE(publish) << test.raw;
    EXPECT_EQ(publish->properties.forwarded, wire(test.forwarded)) << test.raw;
    EXPECT_EQ(publish->properties.mixed, test.mixed) << test.raw;
    std::string stripped = "-";
    strip_hop_properties(publish->properties.forwarded, stripped);
    EXPECT_EQ(stripped, "-" + wire(test.stripped)) << test.raw;
  }
}

TEST(DecodePublish, KnowsThePayloadFormat) {
  for (const auto& [byte, is_text] : {std::pair{"00", false}, std::pair{"01", true}}) {
    const auto body = wire(std::string("00 01 'a' 02 01 ") + byte);
    const auto publish = decode_publish(frame(0x30, body), Version::v5, kLimits);
    ASSERT_TRUE(publish);
    EXPECT_EQ(publish->properties.payload_is_utf8, is_text);
  }
}

struct BadPublish {
  unsigned first_byte;
  std::string_view body;
  Version version;
  ReasonCode reason;
};

constexpr auto kMalformed = ReasonCode::malformed_packet;
constexpr auto kProtocol = ReasonCode::protocol_error;
constexpr auto kTopic = ReasonCode::topic_name_invalid;
constexpr auto k3 = Version::v3_1_1;
constexpr auto k5 = Version::v5;

constexpr BadPublish kBad[] = {
    {0x36, "00 01 'a' 00 01", k3, kMalformed},  // [MQTT-3.3.1-4]
    {0x36, "00 01 'a' 00 01 00", k5, kMalformed},
    {0x38, "00 01 'a'", k3, kMalformed},  // [MQTT-3.3.1-2]
    {0x30, "", k3, kMalformed},
    {0x30, "00", k3, kMalformed},
    {0x30, "00 02 'a'", k3, kMalformed},
    {0x32, "00 01 'a' 00", k3, kMalformed},
    {0x32, "00 01 'a' 00 00", k3, kProtocol},  // [MQTT-2.2.1-3]
    {0x32, "00 01 'a' 00 00 00", k5, kProtocol},
    {0x30, "00 00 'x'", k3, kProtocol},  // [MQTT-4.7.3-1]
    {0x30, "00 00 00 'x'", k5, kProtocol},
    {0x30, "00 03 'a/#'", k3, kTopic},  // [MQTT-3.3.2-2]
    {0x30, "00 03 'a/+' 00", k5, kTopic},
    {0x30, "00 03 'a' 00 'b'", k3, kMalformed},  // [MQTT-1.5.4-2]
    {0x30, "00 02 C0 80", k3, kMalformed},       // [MQTT-1.5.4-1]
    {0x30, "00 01 'a'", k5, kMalformed},         // no property length
    {0x30, "00 01 'a' 02 01", k5, kMalformed},
    {0x30, "00 01 'a' 80 00", k5, kMalformed},
    {0x30, "00 01 'a' 03 23 00 00", k5, ReasonCode::topic_alias_invalid},  // [MQTT-3.3.2-8]
    {0x30, "00 01 'a' 06 23 00 01 23 00 01", k5, kProtocol},
    {0x30, "00 01 'a' 02 0B 01", k5, kProtocol},  // [MQTT-3.3.4-6]
    {0x30, "00 01 'a' 02 01 02", k5, kProtocol},
    {0x30, "00 01 'a' 06 08 00 03 'a/#'", k5, kProtocol},  // [MQTT-3.3.2-14]
    {0x30, "00 01 'a' 03 08 00 00", k5, kProtocol},
    {0x30, "00 01 'a' 04 03 00 01 FF", k5, kMalformed},  // [MQTT-3.3.2-19]
    {0x30, "00 01 'a' 05 11 00 00 00 01", k5, kMalformed},
    {0x30, "00 01 'a' 02 7F 00", k5, kMalformed},
};

TEST(DecodePublish, RefusesWhatIsWrong) {
  for (const auto& test : kBad) {
    const auto body = wire(test.body);
    const auto publish = decode_publish(frame(test.first_byte, body), test.version, kLimits);
    ASSERT_FALSE(publish) << test.body;
    EXPECT_EQ(publish.error().reason, test.reason) << test.body;
    EXPECT_STRNE(publish.error().text, "") << test.body;
  }
}

TEST(DecodePublish, KeepsTheLimitsOfTopics) {
  const TopicLimits limits{.length_max = 5, .levels_max = 3};
  const auto check = [&limits](std::string_view topic) {
    const auto body = test::string(topic);
    return decode_publish(frame(0x30, body), Version::v3_1_1, limits);
  };
  EXPECT_TRUE(check("a/b/c"));
  ASSERT_FALSE(check("abcdef"));
  EXPECT_EQ(check("abcdef").error().reason, kTopic);
  ASSERT_FALSE(check("////"));
  EXPECT_EQ(check("////").error().reason, kTopic);
}

}  // namespace
}  // namespace linnet::mqtt

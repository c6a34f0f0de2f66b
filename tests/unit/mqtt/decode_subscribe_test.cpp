#include <gtest/gtest.h>
#include <vector>

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

std::vector<TopicFilter> filters_of(Subscribe subscribe) {
  std::vector<TopicFilter> filters;
  for (TopicFilter filter; next_filter(subscribe, filter);)
    filters.push_back(filter);
  return filters;
}

TEST(DecodeSubscribe, ReadsMqtt3) {
  const auto body = wire("00 0A 00 03 'a/b' 00 00 03 'c/#' 02 00 00 01");
  const auto subscribe = decode_subscribe(frame(0x82, body), k311);
  ASSERT_TRUE(subscribe);
  EXPECT_EQ(subscribe->packet_id, 10);
  EXPECT_EQ(subscribe->subscription_id, 0u);
  const auto filters = filters_of(*subscribe);
  ASSERT_EQ(filters.size(), 3u);
  EXPECT_EQ(filters[0].filter, "a/b");
  EXPECT_EQ(filters[0].options, SubscriptionOptions{});
  EXPECT_EQ(filters[1].filter, "c/#");
  EXPECT_EQ(filters[1].options.qos, Qos::exactly_once);
  EXPECT_EQ(filters[2].filter, "");  // answered in SUBACK
  EXPECT_EQ(filters[2].options.qos, Qos::at_least_once);
}

TEST(DecodeSubscribe, ReadsMqtt5) {
  const auto body = wire("00 01 04 0B FF FF 7F 00 01 'a' 2D 00 10 '$share/g/long/+/' 12");
  const auto subscribe = decode_subscribe(frame(0x82, body), k5);
  ASSERT_TRUE(subscribe) << subscribe.error().text;
  EXPECT_EQ(subscribe->subscription_id, 2'097'151u);
  const auto filters = filters_of(*subscribe);
  ASSERT_EQ(filters.size(), 2u);
  EXPECT_EQ(filters[0].filter, "a");
  EXPECT_EQ(filters[0].options, (SubscriptionOptions{Qos::at_least_once, true, true, 2}));
  EXPECT_EQ(filters[1].filter, "$share/g/long/+/");
  EXPECT_EQ(filters[1].options, (SubscriptionOptions{Qos::exactly_once, false, false, 1}));
}

struct BadCase {
  unsigned first_byte;
  std::string_view body;
  Version version;
  ReasonCode reason;
};

constexpr BadCase kBadSubscribes[] = {
    {0x82, "", k311, kMalformed},
    {0x82, "00 01", k311, kProtocol},  // [MQTT-3.8.3-2]
    {0x82, "00 01 00", k5, kProtocol},
    {0x82, "00 01", k5, kMalformed},
    {0x82, "00 00 00 01 'a' 00", k311, kProtocol},  // [MQTT-2.2.1-3]
    {0x82, "00 01 00 01 'a'", k311, kMalformed},
    {0x82, "00 01 00 02 'a'", k311, kMalformed},
    {0x82, "00 01 00 01 'a' 00 00", k311, kMalformed},
    {0x82, "00 01 00 01 'a' 03", k311, kProtocol},
    {0x82, "00 01 00 01 'a' 04", k311, kMalformed},
    {0x82, "00 01 00 01 'a' 10", k31, kMalformed},
    {0x82, "00 01 00 01 FF 00", k311, kMalformed},  // [MQTT-3.8.3-1]
    {0x82, "00 01 00 00 01 'a' 03", k5, kProtocol},
    {0x82, "00 01 00 00 01 'a' 40", k5, kMalformed},  // [MQTT-3.8.3-5]
    {0x82, "00 01 00 00 01 'a' 80", k5, kMalformed},
    {0x82, "00 01 00 00 01 'a' 30", k5, kProtocol},
    {0x82, "00 01 00 00 0A '$share/g/a' 04", k5, kProtocol},  // [MQTT-3.8.3-4]
    {0x82, "00 01 02 0B 00 00 01 'a' 00", k5, kProtocol},
    {0x82, "00 01 04 0B 01 0B 02 00 01 'a' 00", k5, kProtocol},
    {0x82, "00 01 05 0B FF FF FF FF 00 01 'a' 00", k5, kMalformed},
    {0x82, "00 01 03 23 00 01 00 01 'a' 00", k5, kMalformed},
    {0x8A, "00 01 00 01 'a' 00", k311, kMalformed},  // [MQTT-3.8.1-1]
};

TEST(DecodeSubscribe, RefusesWhatIsWrong) {
  for (const auto& test : kBadSubscribes) {
    const auto body = wire(test.body);
    const auto subscribe = decode_subscribe(frame(test.first_byte, body), test.version);
    ASSERT_FALSE(subscribe) << test.body;
    EXPECT_EQ(subscribe.error().reason, test.reason) << test.body;
    EXPECT_STRNE(subscribe.error().text, "") << test.body;
  }
}

TEST(DecodeSubscribe, Mqtt31MayHaveADupFlag) {
  const auto body = wire("00 01 00 01 'a' 00");
  EXPECT_TRUE(decode_subscribe(frame(0x8A, body), k31));
  const auto filters = wire("00 01 00 01 'a'");
  EXPECT_TRUE(decode_unsubscribe(frame(0xAA, filters), k31));
}

TEST(DecodeUnsubscribe, ReadsEveryVersion) {
  const auto v3 = wire("00 0A 00 03 'a/b' 00 03 'c/#'");
  const auto v5 = wire("00 0A 07 26 00 01 'k' 00 01 'v' 00 03 'a/b' 00 03 'c/#'");
  for (const auto& [body, version] : {std::pair{v3, k311}, std::pair{v5, k5}}) {
    auto unsubscribe = decode_unsubscribe(frame(0xA2, body), version);
    ASSERT_TRUE(unsubscribe) << unsubscribe.error().text;
    EXPECT_EQ(unsubscribe->packet_id, 10);
    std::string_view filter;
    ASSERT_TRUE(next_filter(*unsubscribe, filter));
    EXPECT_EQ(filter, "a/b");
    ASSERT_TRUE(next_filter(*unsubscribe, filter));
    EXPECT_EQ(filter, "c/#");
    EXPECT_FALSE(next_filter(*unsubscribe, filter));
  }
}

constexpr BadCase kBadUnsubscribes[] = {
    {0xA2, "", k311, kMalformed},
    {0xA2, "00 01", k311, kProtocol},  // [MQTT-3.10.3-2]
    {0xA2, "00 01 00", k5, kProtocol},
    {0xA2, "00 00 00 01 'a'", k311, kProtocol},
    {0xA2, "00 01 00 02 'a'", k311, kMalformed},
    {0xA2, "00 01 00 01 FF", k311, kMalformed},  // [MQTT-3.10.3-1]
    {0xA2, "00 01 02 0B 01 00 01 'a'", k5, kMalformed},
    {0xAA, "00 01 00 01 'a'", k311, kMalformed},  // [MQTT-3.10.1-1]
};

TEST(DecodeUnsubscribe, RefusesWhatIsWrong) {
  for (const auto& test : kBadUnsubscribes) {
    const auto body = wire(test.body);
    const auto unsubscribe = decode_unsubscribe(frame(test.first_byte, body), test.version);
    ASSERT_FALSE(unsubscribe) << test.body;
    EXPECT_EQ(unsubscribe.error().reason, test.reason) << test.body;
    EXPECT_STRNE(unsubscribe.error().text, "") << test.body;
  }
}

}  // namespace
}  // namespace linnet::mqtt

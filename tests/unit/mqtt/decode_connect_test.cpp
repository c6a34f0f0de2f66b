#include <gtest/gtest.h>

#include "mqtt/decode.hpp"
#include "wire.hpp"

namespace linnet::mqtt {
namespace {

using test::frame;
using test::wire;

using Answer = std::optional<Version>;
constexpr Answer k31 = Version::v3_1;
constexpr Answer k311 = Version::v3_1_1;
constexpr Answer k5 = Version::v5;

TEST(DecodeConnect, ReadsMqtt311) {
  const auto body = wire(
      "00 04 'MQTT' 04 EE 00 3C 00 02 'id' 00 03 'w/t' 00 02 'wp' 00 01 'u' "
      "00 01 'p'");
  const auto connect = decode_connect(frame(0x10, body));
  ASSERT_TRUE(connect);
  EXPECT_EQ(connect->version, Version::v3_1_1);
  EXPECT_TRUE(connect->clean_start);
  EXPECT_EQ(connect->keep_alive_s, 60);
  EXPECT_EQ(connect->client_id, "id");
  ASSERT_TRUE(connect->will);
  EXPECT_EQ(connect->will->topic, "w/t");
  EXPECT_EQ(connect->will->payload, "wp");
  EXPECT_EQ(connect->will->qos, Qos::at_least_once);
  EXPECT_TRUE(connect->will->retain);
  EXPECT_EQ(connect->user_name, "u");
  EXPECT_EQ(connect->password, "p");
}

TEST(DecodeConnect, ReadsTheLeast) {
  const auto body = wire("00 04 'MQTT' 04 00 00 00 00 00");
  const auto connect = decode_connect(frame(0x10, body));
  ASSERT_TRUE(connect);
  EXPECT_FALSE(connect->clean_start);
  EXPECT_EQ(connect->client_id, "");
  EXPECT_FALSE(connect->will);
  EXPECT_FALSE(connect->user_name);
  EXPECT_FALSE(connect->password);
}

TEST(DecodeConnect, ReadsMqtt31) {
  const auto body = wire("00 06 'MQIsdp' 03 03 00 0A 00 1A 'longer than twenty-three!!'");
  const auto connect = decode_connect(frame(0x10, body));
  ASSERT_TRUE(connect);
  EXPECT_EQ(connect->version, Version::v3_1);
  EXPECT_EQ(connect->client_id, "longer than twenty-three!!");
}

TEST(DecodeConnect, Mqtt31MayLeaveOutCredentials) {
  const auto neither = wire("00 06 'MQIsdp' 03 C2 00 0A 00 01 'a'");
  const auto connect = decode_connect(frame(0x10, neither));
  ASSERT_TRUE(connect);
  EXPECT_FALSE(connect->user_name);
  EXPECT_FALSE(connect->password);
  const auto one = wire("00 06 'MQIsdp' 03 C2 00 0A 00 01 'a' 00 01 'u'");
  const auto with_name = decode_connect(frame(0x10, one));
  ASSERT_TRUE(with_name);
  EXPECT_EQ(with_name->user_name, "u");
  EXPECT_FALSE(with_name->password);
}

TEST(DecodeConnect, ReadsMqtt5WithEveryProperty) {
  const auto body = wire(
      "00 04 'MQTT' 05 02 00 05 "
      "24 11 FF FF FF FF 21 00 0A 22 00 14 27 00 01 00 00 19 01 17 00 26 00 01 'k' 00 01 'v' "
      "15 00 01 'm' 16 00 02 'dd' "
      "00 01 'c'");
  const auto connect = decode_connect(frame(0x10, body));
  ASSERT_TRUE(connect) << connect.error().error.text;
  EXPECT_EQ(connect->version, Version::v5);
  EXPECT_EQ(connect->session_expiry_s, 0xFFFFFFFFu);
  EXPECT_EQ(connect->receive_maximum, 10);
  EXPECT_EQ(connect->topic_alias_max, 20);
  EXPECT_EQ(connect->packet_size_max, 65'536u);
  EXPECT_TRUE(connect->request_response_information);
  EXPECT_FALSE(connect->request_problem_information);
  EXPECT_EQ(connect->authentication_method, "m");
  EXPECT_EQ(connect->authentication_data, "dd");
  EXPECT_EQ(connect->client_id, "c");
}

TEST(DecodeConnect, Mqtt5HasTheStandardsDefaults) {
  const auto body = wire("00 04 'MQTT' 05 00 00 00 00 00 00");
  const auto connect = decode_connect(frame(0x10, body));
  ASSERT_TRUE(connect);
  EXPECT_EQ(connect->session_expiry_s, 0u);
  EXPECT_EQ(connect->receive_maximum, 65'535);
  EXPECT_EQ(connect->topic_alias_max, 0);
  EXPECT_EQ(connect->packet_size_max, 0u);
  EXPECT_FALSE(connect->request_response_information);
  EXPECT_TRUE(connect->request_problem_information);
  EXPECT_EQ(connect->authentication_method, "");
}

TEST(DecodeConnect, ReadsAWillOfMqtt5) {
  const auto body = wire(
      "00 04 'MQTT' 05 14 00 00 00 00 01 'c' "
      "16 18 00 00 00 07 01 01 03 00 01 't' 26 00 01 'k' 00 00 02 00 00 00 09 "
      "00 01 'w' 00 00");
  const auto connect = decode_connect(frame(0x10, body));
  ASSERT_TRUE(connect) << connect.error().error.text;
  ASSERT_TRUE(connect->will);
  const auto& will = *connect->will;
  EXPECT_EQ(will.topic, "w");
  EXPECT_EQ(will.payload, "");
  EXPECT_EQ(will.qos, Qos::exactly_once);
  EXPECT_FALSE(will.retain);
  EXPECT_EQ(will.delay_s, 7u);
  EXPECT_EQ(will.properties.message_expiry_s, 9u);
  EXPECT_TRUE(will.properties.payload_is_utf8);
  EXPECT_FALSE(will.properties.mixed);
  EXPECT_EQ(will.properties.forwarded, wire("01 01 03 00 01 't' 26 00 01 'k' 00 00"));
}

TEST(DecodeConnect, APasswordAloneIsForMqtt5) {  // [MQTT-3.1.2-22]
  const auto v5 = wire("00 04 'MQTT' 05 42 00 00 00 00 01 'c' 00 01 'p'");
  const auto connect = decode_connect(frame(0x10, v5));
  ASSERT_TRUE(connect);
  EXPECT_FALSE(connect->user_name);
  EXPECT_EQ(connect->password, "p");
}

struct BadConnect {
  std::string_view body;
  ReasonCode reason;
  Answer answer_as;
};

constexpr auto kMalformed = ReasonCode::malformed_packet;
constexpr auto kProtocol = ReasonCode::protocol_error;
constexpr auto kVersion = ReasonCode::unsupported_protocol_version;
constexpr auto kTopic = ReasonCode::topic_name_invalid;

constexpr BadConnect kBad[] = {
    {"", kMalformed, {}},
    {"00 04 'MQT'", kMalformed, {}},
    {"00 04 'MQTT'", kMalformed, {}},
    {"00 04 'HTTP' 04 02 00 00 00 00", kVersion, {}},  // [MQTT-3.1.2-1]
    {"00 04 'mqtt' 04 02 00 00 00 00", kVersion, {}},
    {"00 04 'MQTT' 00 02 00 00 00 00", kVersion, k311},  // [MQTT-3.1.2-2]
    {"00 04 'MQTT' 03 02 00 00 00 00", kVersion, k311},
    {"00 04 'MQTT' 06 02 00 00 00 00", kVersion, k5},
    {"00 04 'MQTT' FF 02 00 00 00 00", kVersion, k5},
    {"00 04 'MQTT' 84 02 00 00 00 00", kVersion, k311},
    {"00 06 'MQIsdp' 83 02 00 00 00 00", kVersion, k311},
    {"00 06 'MQIsdp' 04 02 00 00 00 00", kVersion, k311},
    {"00 04 'MQTT' 04", kMalformed, k311},
    {"00 04 'MQTT' 04 02 00", kMalformed, k311},
    {"00 04 'MQTT' 04 02 00 00", kMalformed, k311},
    {"00 04 'MQTT' 04 02 00 00 00 02 'a'", kMalformed, k311},
    {"00 04 'MQTT' 04 03 00 00 00 01 'a'", kMalformed, k311},  // [MQTT-3.1.2-3]
    {"00 04 'MQTT' 05 03 00 00 00 00 01 'a'", kMalformed, k5},
    {"00 04 'MQTT' 04 0A 00 00 00 01 'a'", kMalformed, k311},  // [MQTT-3.1.2-11]
    {"00 04 'MQTT' 04 22 00 00 00 01 'a'", kMalformed, k311},  // [MQTT-3.1.2-13]
    {"00 06 'MQIsdp' 03 22 00 00 00 01 'a'", kMalformed, k31},
    {"00 04 'MQTT' 05 1E 00 00 00 00 01 'a' 00 00 01 'w' 00 00", kMalformed, k5},
    {"00 04 'MQTT' 04 42 00 00 00 01 'a' 00 01 'p'", kMalformed, k311},
    {"00 04 'MQTT' 04 02 00 00 00 01 'a' 00", kMalformed, k311},
    {"00 04 'MQTT' 04 02 00 00 00 01 FF", kMalformed, k311},  // [MQTT-3.1.3-4]
    {"00 04 'MQTT' 04 02 00 00 00 01 00", kMalformed, k311},
    {"00 04 'MQTT' 04 82 00 00 00 01 'a'", kMalformed, k311},
    {"00 04 'MQTT' 04 82 00 00 00 01 'a' 00 01 FF", kMalformed, k311},  // [MQTT-3.1.3-12]
    {"00 04 'MQTT' 04 06 00 00 00 01 'a' 00 01 'w'", kMalformed, k311},
    {"00 04 'MQTT' 04 06 00 00 00 01 'a' 00 00 00 00", kTopic, k311},
    {"00 04 'MQTT' 05 06 00 00 00 00 01 'a' 00 00 03 'w/#' 00 00", kTopic, k5},
    {"00 04 'MQTT' 05 06 00 00 00 00 01 'a' 00 00 01 C0 00 00", kMalformed, k5},  // [MQTT-3.1.3-11]
    {"00 04 'MQTT' 05 02 00 00 05 11 00 00", kMalformed, k5},
    {"00 04 'MQTT' 05 02 00 00 01 11 00 01 'a'", kMalformed, k5},
    {"00 04 'MQTT' 05 02 00 00 03 21 00 00 00 01 'a'", kProtocol, k5},
    {"00 04 'MQTT' 05 02 00 00 05 27 00 00 00 00 00 01 'a'", kProtocol, k5},
    {"00 04 'MQTT' 05 02 00 00 02 19 02 00 01 'a'", kProtocol, k5},
    {"00 04 'MQTT' 05 02 00 00 04 17 00 17 00 00 01 'a'", kProtocol, k5},
    {"00 04 'MQTT' 05 02 00 00 04 16 00 01 'x' 00 01 'a'", kProtocol, k5},
    {"00 04 'MQTT' 05 06 00 00 00 00 01 'a' 03 23 00 01 00 01 'w' 00 00", kMalformed, k5},
};

TEST(DecodeConnect, RefusesWhatIsWrong) {
  for (const auto& test : kBad) {
    const auto body = wire(test.body);
    const auto connect = decode_connect(frame(0x10, body));
    ASSERT_FALSE(connect) << test.body;
    EXPECT_EQ(connect.error().error.reason, test.reason) << test.body;
    EXPECT_EQ(connect.error().answer_as, test.answer_as) << test.body;
    EXPECT_STRNE(connect.error().error.text, "") << test.body;
  }
}

TEST(DecodeConnect, EveryPrefixIsRefused) {
  const auto body = wire(
      "00 04 'MQTT' 05 C6 00 3C 05 11 00 00 00 01 00 02 'id' 05 18 00 00 00 07 00 01 'w' 00 01 'p' "
      "00 01 'u' 00 01 'p'");
  ASSERT_TRUE(decode_connect(frame(0x10, body)));
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decode_connect(frame(0x10, std::string_view(body).substr(0, size)))) << size;
  }
}

}  // namespace
}  // namespace linnet::mqtt

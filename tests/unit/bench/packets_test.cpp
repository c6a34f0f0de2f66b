#include "bench/packets.hpp"

#include <gtest/gtest.h>

#include "mqtt/decode.hpp"
#include "mqtt/encode.hpp"

namespace linnet::bench {
namespace {

using namespace std::string_literals;

constexpr Version kVersions[] = {Version::v3_1, Version::v3_1_1, Version::v5};

mqtt::Frame frame_of(std::string_view bytes) {
  const mqtt::Framed framed = mqtt::next_frame(bytes, 1 << 20);
  EXPECT_EQ(framed.state, mqtt::Framed::State::whole);
  EXPECT_EQ(framed.frame.whole.size(), bytes.size());
  return framed.frame;
}

TEST(Packets, Connect) {
  for (const Version version : kVersions) {
    for (const bool clean : {true, false}) {
      const std::string bytes = connect_packet({"client", "ada", "secret", version, clean});
      const auto connect = mqtt::decode_connect(frame_of(bytes));
      ASSERT_TRUE(connect);
      EXPECT_EQ(connect->version, version);
      EXPECT_EQ(connect->clean_start, clean);
      EXPECT_EQ(connect->client_id, "client");
      EXPECT_EQ(connect->user_name, "ada");
      EXPECT_EQ(connect->password, "secret");
      EXPECT_EQ(connect->session_expiry_s, version == Version::v5 && !clean ? 3600U : 0U);
    }
    EXPECT_FALSE(mqtt::decode_connect(frame_of(connect_packet({"client", {}, {}, version, true})))
                     ->user_name);
  }
}

TEST(Packets, SubscribeAndPublish) {
  for (const Version version : kVersions) {
    const std::string subscribe = subscribe_packet("a/+", Qos::exactly_once, version);
    auto subscribed = mqtt::decode_subscribe(frame_of(subscribe), version);
    ASSERT_TRUE(subscribed);
    mqtt::TopicFilter filter;
    ASSERT_TRUE(mqtt::next_filter(*subscribed, filter));
    EXPECT_EQ(filter.filter, "a/+");
    EXPECT_EQ(filter.options.qos, Qos::exactly_once);

    for (const std::size_t payload : {0U, 16U, 300U}) {
      PublishForm form = publish_form({"a/b", Qos::at_least_once, true, version}, payload);
      form.head[form.packet_id_at] = '\x12';
      form.head[form.packet_id_at + 1] = '\x34';
      const std::string bytes = form.head + std::string(payload, 'p');
      const auto publish = mqtt::decode_publish(frame_of(bytes), version, {});
      ASSERT_TRUE(publish);
      EXPECT_EQ(publish->topic, "a/b");
      EXPECT_EQ(publish->packet_id, 0x1234);
      EXPECT_EQ(publish->payload.size(), payload);
      EXPECT_TRUE(publish->retain);
    }
    EXPECT_EQ(publish_form({"a", Qos::at_most_once, false, version}, 1).packet_id_at, 0U);
  }
}

TEST(Packets, Connack) {
  mqtt::Connack connack;
  connack.session_present = true;
  connack.receive_maximum = 7;
  connack.qos_max = Qos::at_least_once;
  connack.packet_size_max = 1'000;
  connack.server_keep_alive_s = 30;
  std::string bytes;
  mqtt::append(bytes, connack, Version::v5);
  const ConnackAnswer answer = read_connack(frame_of(bytes).body, Version::v5);
  EXPECT_EQ(answer.fault, "");
  EXPECT_TRUE(answer.session_present);
  EXPECT_EQ(answer.receive_maximum, 7);
  EXPECT_EQ(answer.qos_max, 1);
  EXPECT_EQ(answer.packet_size_max, 1'000U);
  EXPECT_EQ(answer.keep_alive_s, 30);
}

TEST(Packets, Refusals) {
  EXPECT_EQ(read_connack("\x00\x87\x00"s, Version::v5).fault,
            "refuses the connection: Not authorized (0x87)");
  EXPECT_EQ(read_connack("\x00\x05"s, Version::v3_1_1).fault,
            "refuses the connection: Not authorized (5)");
  // As one of MQTT 3 answers to MQTT 5.
  EXPECT_EQ(read_connack("\x00\x01"s, Version::v5).fault,
            "refuses the connection: Unacceptable protocol version (1)");
  for (const std::string& broken : {""s, "\x00"s, "\x00\x00\x01"s, "\x00\x00\x02\x21\x00"s}) {
    EXPECT_NE(read_connack(broken, Version::v5).fault, "");
  }
  EXPECT_NE(read_connack("\x00\x00\x00"s, Version::v3_1_1).fault, "");
}

TEST(Packets, Suback) {
  EXPECT_EQ(suback_fault("\x00\x01\x01"s, Qos::at_least_once, Version::v3_1_1), "");
  EXPECT_EQ(suback_fault("\x00\x01\x00\x01"s, Qos::at_least_once, Version::v5), "");
  EXPECT_EQ(suback_fault("\x00\x01\x00"s, Qos::at_least_once, Version::v3_1_1),
            "grants QoS 0 where QoS 1 was asked for");
  EXPECT_EQ(suback_fault("\x00\x01\x80"s, Qos::at_least_once, Version::v3_1_1),
            "refuses the subscription");
  EXPECT_EQ(suback_fault("\x00\x01\x00\x87"s, Qos::at_least_once, Version::v5),
            "refuses the subscription: Not authorized (0x87)");
  for (const std::string& broken : {""s, "\x00\x01"s, "\x00\x02\x01"s, "\x00\x01\x01\x01"s})
    EXPECT_EQ(suback_fault(broken, Qos::at_least_once, Version::v3_1_1),
              "has sent a broken SUBACK");
}

TEST(Packets, Acks) {
  EXPECT_EQ(read_ack("\x12\x34"s, Version::v3_1_1).packet_id, 0x1234);
  const AckAnswer answer = read_ack("\x12\x34\x97\x00"s, Version::v5);
  EXPECT_EQ(answer.packet_id, 0x1234);
  EXPECT_EQ(answer.reason, ReasonCode::quota_exceeded);
  EXPECT_EQ(read_ack("\x12"s, Version::v5).packet_id, 0);
  EXPECT_EQ(read_ack("\x12\x34\x00"s, Version::v3_1_1).packet_id, 0);
}

TEST(Packets, Disconnect) {
  EXPECT_EQ(disconnect_text(""), "has ended the connection");
  EXPECT_EQ(disconnect_text("\x8B"s), "has ended the connection: Server shutting down (0x8B)");
}

}  // namespace
}  // namespace linnet::bench

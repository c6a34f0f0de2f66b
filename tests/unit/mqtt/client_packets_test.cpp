// The client's side: what it writes is what a server reads, and the other way round.
#include <gtest/gtest.h>

#include "mqtt/decode.hpp"
#include "mqtt/decode_client.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/encode_client.hpp"
#include "mqtt/property_writer.hpp"

namespace linnet::mqtt {
namespace {

using namespace std::string_literals;

constexpr Version kVersions[] = {Version::v3_1, Version::v3_1_1, Version::v5};

Frame frame_of(const std::string& bytes) {
  const Framed framed = next_frame(bytes, 1 << 20);
  EXPECT_EQ(framed.state, Framed::State::whole);
  EXPECT_EQ(framed.frame.whole.size(), bytes.size());
  return framed.frame;
}

/// A packet with this body.
Frame packet(PacketType type, std::string_view body, unsigned flags = 0) {
  return {static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags), body, body};
}

TEST(ClientPackets, Connect) {
  for (const Version version : kVersions) {
    PropertyWriter properties;
    properties.u16(Property::receive_maximum, 7);
    PropertyWriter delay;
    delay.u32(Property::will_delay_interval, 9);
    OutgoingConnect connect;
    connect.version = version;
    connect.clean_start = false;
    connect.keep_alive_s = 60;
    connect.client_id = "client";
    connect.will = {"w", "gone", Qos::exactly_once, true, delay.bytes()};
    connect.user_name = "ada";
    connect.password = "";
    connect.properties = properties.bytes();
    std::string bytes;
    append(bytes, connect);
    const auto read = decode_connect(frame_of(bytes));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->version, version);
    EXPECT_FALSE(read->clean_start);
    EXPECT_EQ(read->keep_alive_s, 60);
    EXPECT_EQ(read->client_id, "client");
    EXPECT_EQ(read->user_name, "ada");
    EXPECT_EQ(read->password, "");
    ASSERT_TRUE(read->will);
    EXPECT_EQ(read->will->topic, "w");
    EXPECT_EQ(read->will->payload, "gone");
    EXPECT_EQ(read->will->qos, Qos::exactly_once);
    EXPECT_TRUE(read->will->retain);
    EXPECT_EQ(read->will->delay_s, version == Version::v5 ? 9U : 0U);
    EXPECT_EQ(read->receive_maximum, version == Version::v5 ? 7 : 65'535);
  }
}

TEST(ClientPackets, SubscribeAndUnsubscribe) {
  for (const Version version : kVersions) {
    const TopicFilter filters[] = {
        {"a/#", {.qos = Qos::exactly_once, .no_local = true, .retain_handling = 2}}, {"b", {}}};
    std::string bytes;
    append(bytes, OutgoingSubscribe{5, filters, {}}, version);
    auto subscribe = decode_subscribe(frame_of(bytes), version);
    ASSERT_TRUE(subscribe);
    EXPECT_EQ(subscribe->packet_id, 5);
    TopicFilter filter;
    ASSERT_TRUE(next_filter(*subscribe, filter));
    EXPECT_EQ(filter.filter, "a/#");
    EXPECT_EQ(filter.options.qos, Qos::exactly_once);
    EXPECT_EQ(filter.options.no_local, version == Version::v5);
    EXPECT_EQ(filter.options.retain_handling, version == Version::v5 ? 2 : 0);
    ASSERT_TRUE(next_filter(*subscribe, filter));
    EXPECT_EQ(filter.filter, "b");
    EXPECT_FALSE(next_filter(*subscribe, filter));

    const std::string_view names[] = {"a/#"};
    bytes.clear();
    append(bytes, OutgoingUnsubscribe{6, names, {}}, version);
    auto unsubscribe = decode_unsubscribe(frame_of(bytes), version);
    ASSERT_TRUE(unsubscribe);
    EXPECT_EQ(unsubscribe->packet_id, 6);
  }
}

TEST(ClientPackets, PingAndDisconnect) {
  std::string bytes;
  append_pingreq(bytes);
  EXPECT_EQ(bytes, "\xC0\x00"s);
  for (const Version version : kVersions) {
    bytes.clear();
    append(bytes, OutgoingDisconnect{ReasonCode::disconnect_with_will, {}}, version);
    const auto read = decode_disconnect(frame_of(bytes), version);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->reason,
              version == Version::v5 ? ReasonCode::disconnect_with_will : ReasonCode::success);
  }
}

TEST(ServerPackets, Connack) {
  Connack connack;
  connack.session_present = true;
  connack.receive_maximum = 7;
  connack.qos_max = Qos::at_least_once;
  connack.retain_available = false;
  connack.packet_size_max = 1'000;
  connack.assigned_client_id = "you";
  connack.topic_alias_max = 3;
  connack.server_keep_alive_s = 30;
  std::string bytes;
  append(bytes, connack, Version::v5);
  const auto read = decode_connack(frame_of(bytes), Version::v5);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->session_present);
  EXPECT_EQ(read->receive_maximum, 7);
  EXPECT_EQ(read->qos_max, Qos::at_least_once);
  EXPECT_FALSE(read->retain_available);
  EXPECT_EQ(read->packet_size_max, 1'000U);
  EXPECT_EQ(read->assigned_client_id, "you");
  EXPECT_EQ(read->topic_alias_max, 3);
  EXPECT_EQ(read->server_keep_alive_s, 30);
}

TEST(ServerPackets, Refusals) {
  const auto reason = [](const std::string& body, Version version) {
    const auto read = decode_connack(packet(PacketType::connack, body), version);
    return read ? read->reason : ReasonCode::malformed_packet;
  };
  EXPECT_EQ(reason("\x00\x87\x00"s, Version::v5), ReasonCode::not_authorized);
  EXPECT_EQ(reason("\x00\x05"s, Version::v3_1_1), ReasonCode::not_authorized);
  // As one of MQTT 3 answers to MQTT 5.
  EXPECT_EQ(reason("\x00\x01"s, Version::v5), ReasonCode::unsupported_protocol_version);
  for (const auto& broken : {""s, "\x00"s, "\x00\x00\x01"s, "\x02\x00\x00"s, "\x00\x10\x00"s}) {
    EXPECT_FALSE(decode_connack(packet(PacketType::connack, broken), Version::v5));
  }
  EXPECT_FALSE(decode_connack(packet(PacketType::connack, "\x00\x00\x00"s), Version::v3_1_1));
}

TEST(ServerPackets, Publish) {
  for (const Version version : kVersions) {
    const std::uint32_t ids[] = {1, 300};
    PropertyWriter forwarded;
    forwarded.pair("a", "b");
    OutgoingPublish publish{.topic = "t", .payload = "p", .forwarded = forwarded.bytes()};
    publish.qos = Qos::at_least_once;
    publish.packet_id = 0x1234;
    publish.retain = publish.dup = true;
    publish.topic_alias = 4;
    publish.subscription_ids = ids;
    std::string bytes;
    append(bytes, publish, version);
    const auto read = decode_received_publish(frame_of(bytes), version);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->topic, "t");
    EXPECT_EQ(read->payload, "p");
    EXPECT_EQ(read->packet_id, 0x1234);
    EXPECT_EQ(read->qos, Qos::at_least_once);
    EXPECT_TRUE(read->retain && read->dup);
    EXPECT_EQ(read->topic_alias, version == Version::v5 ? 4 : 0);
    EXPECT_EQ(read->properties.empty(), version != Version::v5);
  }
  const auto broken = [](std::string_view body, unsigned flags) {
    return !decode_received_publish(packet(PacketType::publish, body, flags), Version::v5);
  };
  EXPECT_TRUE(broken("\x00\x01t\x00"s, 6));          // QoS 3
  EXPECT_TRUE(broken("\x00\x09t"s, 0));              // a topic beyond the end
  EXPECT_TRUE(broken("\x00\x01t\x00\x00\x00"s, 2));  // packet identifier 0
  EXPECT_TRUE(broken("\x00\x00\x00"s, 0));           // no topic and no alias
  EXPECT_TRUE(broken("\x00\x01+\x00"s, 0));          // a wildcard
  EXPECT_TRUE(broken("\x00\x01t\x02\x24\x01"s, 0));  // Maximum QoS in a PUBLISH
  EXPECT_FALSE(broken("\x00\x00\x03\x23\x00\x01"s, 0));
}

TEST(ServerPackets, Acks) {
  for (const Version version : kVersions) {
    std::string bytes;
    append_ack(bytes, PacketType::puback, {7, ReasonCode::no_matching_subscribers, "none"},
               version);
    const auto read = decode_server_ack(frame_of(bytes), version);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->packet_id, 7);
    const bool is_v5 = version == Version::v5;
    EXPECT_EQ(read->reason, is_v5 ? ReasonCode::no_matching_subscribers : ReasonCode::success);
    EXPECT_EQ(read->reason_string, is_v5 ? "none" : "");
    // A client may not say so.
    EXPECT_EQ(!decode_ack(frame_of(bytes), version), is_v5);
  }
  const ReasonCode reasons[] = {ReasonCode::granted_qos_1, ReasonCode::not_authorized};
  std::string bytes;
  append_suback(bytes, 9, reasons, Version::v5);
  const auto suback = decode_suback(frame_of(bytes), Version::v5);
  ASSERT_TRUE(suback);
  EXPECT_EQ(suback->packet_id, 9);
  ASSERT_EQ(suback->codes.size(), 2U);
  EXPECT_EQ(suback->reason(1), ReasonCode::not_authorized);
  EXPECT_FALSE(decode_suback(packet(PacketType::suback, "\x00\x01\x03"s), Version::v3_1_1));
  EXPECT_FALSE(decode_suback(packet(PacketType::suback, "\x00\x00\x00"s), Version::v3_1_1));
  EXPECT_FALSE(decode_suback(packet(PacketType::unsuback, "\x00\x01\x00"s), Version::v3_1_1));
  EXPECT_TRUE(decode_suback(packet(PacketType::unsuback, "\x00\x01\x00\x11"s), Version::v5));
}

TEST(ServerPackets, DisconnectAndAuth) {
  std::string bytes;
  append(bytes, Disconnect{.reason = ReasonCode::server_moved,
                           .reason_string = "r",
                           .server_reference = "other"});
  const auto disconnect = decode_server_disconnect(frame_of(bytes));
  ASSERT_TRUE(disconnect);
  EXPECT_EQ(disconnect->reason, ReasonCode::server_moved);
  EXPECT_EQ(disconnect->server_reference, "other");
  EXPECT_TRUE(decode_server_disconnect(packet(PacketType::disconnect, "")));
  EXPECT_FALSE(decode_server_disconnect(packet(PacketType::disconnect, "\x04"s)));

  bytes.clear();
  append(bytes, Auth{ReasonCode::success, "m", "d", {}});
  const auto auth = decode_server_auth(frame_of(bytes));
  ASSERT_TRUE(auth);
  EXPECT_EQ(auth->method, "m");
  EXPECT_FALSE(decode_auth(frame_of(bytes)));
}

}  // namespace
}  // namespace linnet::mqtt

#include "mqtt/encode.hpp"

#include <array>
#include <gtest/gtest.h>
#include <vector>

#include "mqtt/decode.hpp"
#include "wire.hpp"

namespace linnet::mqtt {
namespace {

using test::hex;
using test::wire;

constexpr auto k31 = Version::v3_1;
constexpr auto k311 = Version::v3_1_1;
constexpr auto k5 = Version::v5;

std::string encoded(const OutgoingPublish& publish, Version version) {
  std::string target = "-";
  append(target, publish, version);
  EXPECT_EQ(target.substr(0, 1), "-");
  return target.substr(1);
}

TEST(EncodePublish, WritesEveryVersion) {
  OutgoingPublish publish{.topic = "a/b", .payload = "xyz"};
  EXPECT_EQ(hex(encoded(publish, k311)), hex(wire("30 08 00 03 'a/b' 'xyz'")));
  EXPECT_EQ(hex(encoded(publish, k5)), hex(wire("30 09 00 03 'a/b' 00 'xyz'")));
  publish.qos = Qos::at_least_once;
  publish.packet_id = 0x1234;
  publish.retain = true;
  EXPECT_EQ(hex(encoded(publish, k31)), hex(wire("33 0A 00 03 'a/b' 12 34 'xyz'")));
  publish.qos = Qos::exactly_once;
  publish.retain = false;
  publish.dup = true;
  EXPECT_EQ(hex(encoded(publish, k5)), hex(wire("3C 0B 00 03 'a/b' 12 34 00 'xyz'")));
}

TEST(EncodePublish, WritesProperties) {
  const std::array<std::uint32_t, 2> ids{1, 128};
  const auto forwarded = wire("01 01 26 00 01 'k' 00 01 'v'");
  const OutgoingPublish publish{.topic = "a",
                                .payload = "x",
                                .forwarded = forwarded,
                                .topic_alias = 3,
                                .message_expiry_s = 9,
                                .subscription_ids = ids,
                                .dropped = 42};
  EXPECT_EQ(hex(encoded(publish, k5)),
            hex(wire("30 30 00 01 'a' 2B 23 00 03 02 00 00 00 09 0B 01 0B 80 01 "
                     "01 01 26 00 01 'k' 00 01 'v' 26 00 0E 'linnet-dropped' 00 02 '42' 'x'")));
  EXPECT_EQ(hex(encoded(publish, k311)), hex(wire("30 04 00 01 'a' 'x'")));
}

TEST(EncodePublish, AnAliasMayStandForTheTopic) {
  const OutgoingPublish publish{.payload = "x", .topic_alias = 3};
  EXPECT_EQ(hex(encoded(publish, k5)), hex(wire("30 07 00 00 03 23 00 03 'x'")));
}

TEST(EncodePublish, LaysOutWhatItWrites) {
  for (const std::size_t size : {0u, 1u, 121u, 122u, 123u, 16'376u, 16'377u, 2'097'150u}) {
    const std::string payload(size, 'p');
    for (const auto version : {k311, k5}) {
      for (const auto qos : {Qos::at_most_once, Qos::at_least_once}) {
        const OutgoingPublish publish{
            .topic = "t/u", .payload = payload, .qos = qos, .packet_id = 0xABCD};
        const auto layout = layout_of(publish, version);
        auto bytes = encoded(publish, version);
        ASSERT_EQ(layout.size, bytes.size()) << size;
        EXPECT_EQ(layout.head_size, bytes.size() - size);
        const auto found = next_frame(bytes, layout.size);
        ASSERT_EQ(found.state, Framed::State::whole) << size;
        EXPECT_EQ(found.frame.whole.size(), layout.size);
        if (qos == Qos::at_most_once) {
          EXPECT_EQ(layout.packet_id_offset, 0u);
          continue;
        }
        Writer(bytes.data() + layout.packet_id_offset).u16(0x1234);
        const auto patched = decode_publish(found.frame, version, TopicLimits{});
        ASSERT_TRUE(patched);
        EXPECT_EQ(patched->packet_id, 0x1234);
      }
    }
  }
}

TEST(EncodePublish, KnowsTheSizeOfWhatCannotBeSent) {
  // A view that is never read: the layout asks for its size alone.
  const char byte = 0;
  const std::size_t size_max = 268'435'455;
  const OutgoingPublish largest{.topic = "t", .payload = {&byte, size_max - 3}};
  EXPECT_EQ(layout_of(largest, k311).size, size_max + 5);
  const OutgoingPublish beyond{.topic = "t", .payload = {&byte, size_max - 2}};
  EXPECT_GT(layout_of(beyond, k311).size, size_max + 5);
}

TEST(EncodePublish, ComesBackFromTheDecoder) {
  const auto forwarded = wire("03 00 01 't' 09 00 02 01 02");
  const OutgoingPublish out{.topic = "a/b",
                            .payload = "payload",
                            .forwarded = forwarded,
                            .qos = Qos::exactly_once,
                            .dup = true,
                            .retain = true,
                            .packet_id = 7,
                            .topic_alias = 9,
                            .message_expiry_s = 11};
  const auto bytes = encoded(out, k5);
  const auto back = decode_publish(next_frame(bytes, 1000).frame, k5, TopicLimits{});
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(back->topic, out.topic);
  EXPECT_EQ(back->payload, out.payload);
  EXPECT_EQ(back->qos, out.qos);
  EXPECT_TRUE(back->dup);
  EXPECT_TRUE(back->retain);
  EXPECT_EQ(back->packet_id, 7);
  EXPECT_EQ(back->properties.topic_alias, 9);
  EXPECT_EQ(back->properties.message_expiry_s, 11u);
  EXPECT_EQ(back->properties.forwarded, forwarded);
}

TEST(EncodeAck, IsAsShortAsItMayBe) {
  struct Case {
    PacketType type;
    Ack ack;
    Version version;
    std::string_view bytes;
  };
  const Ack good{.packet_id = 1};
  const Ack bad{.packet_id = 1, .reason = ReasonCode::packet_identifier_not_found};
  const Ack said{.packet_id = 1, .reason = ReasonCode::quota_exceeded, .reason_string = "full"};
  for (const auto& test : {Case{PacketType::puback, good, k5, "40 02 00 01"},
                           Case{PacketType::pubrec, good, k311, "50 02 00 01"},
                           Case{PacketType::pubrel, good, k31, "62 02 00 01"},
                           Case{PacketType::pubrel, bad, k5, "62 03 00 01 92"},
                           Case{PacketType::pubcomp, bad, k5, "70 03 00 01 92"},
                           Case{PacketType::pubcomp, bad, k311, "70 02 00 01"},
                           Case{PacketType::puback, said, k5, "40 0B 00 01 97 07 1F 00 04 'full'"},
                           Case{PacketType::puback, said, k311, "40 02 00 01"}}) {
    std::string target;
    append_ack(target, test.type, test.ack, test.version);
    EXPECT_EQ(hex(target), hex(wire(test.bytes)));
  }
}

TEST(EncodeAck, TheShortFormIsTheSame) {
  ASSERT_EQ(short_ack_size(), 4u);
  for (const auto type :
       {PacketType::puback, PacketType::pubrec, PacketType::pubrel, PacketType::pubcomp}) {
    std::array<char, 4> bytes{};
    Writer out(bytes.data());
    write_short_ack(out, type, 0xABCD);
    EXPECT_EQ(out.position(), bytes.data() + bytes.size());
    std::string target;
    append_ack(target, type, {.packet_id = 0xABCD}, k311);
    EXPECT_EQ(hex({bytes.data(), bytes.size()}), hex(target));
  }
}

std::string encoded(const Connack& connack, Version version) {
  std::string target;
  append(target, connack, version);
  return target;
}

TEST(EncodeConnack, WritesSessionPresentWhereItExists) {
  const Connack resumed{.session_present = true};
  EXPECT_EQ(hex(encoded(resumed, k31)), "20 02 00 00");
  EXPECT_EQ(hex(encoded(resumed, k311)), "20 02 01 00");
  EXPECT_EQ(hex(encoded(resumed, k5)), "20 03 01 00 00");
  const Connack refused{.session_present = true, .reason = ReasonCode::not_authorized};
  EXPECT_EQ(hex(encoded(refused, k311)), "20 02 00 05");  // [MQTT-3.2.2-6]
  EXPECT_EQ(hex(encoded(refused, k5)), "20 03 00 87 00");
}

TEST(EncodeConnack, FoldsReasonsForMqtt3) {
  struct Case {
    ReasonCode reason;
    std::string_view bytes;
  };
  for (const auto& test :
       {Case{ReasonCode::unsupported_protocol_version, "20 02 00 01"},
        Case{ReasonCode::client_identifier_not_valid, "20 02 00 02"},
        Case{ReasonCode::server_unavailable, "20 02 00 03"},
        Case{ReasonCode::server_busy, "20 02 00 03"},
        Case{ReasonCode::quota_exceeded, "20 02 00 03"},
        Case{ReasonCode::connection_rate_exceeded, "20 02 00 03"},
        Case{ReasonCode::server_shutting_down, "20 02 00 03"},
        Case{ReasonCode::bad_user_name_or_password, "20 02 00 04"},
        Case{ReasonCode::not_authorized, "20 02 00 05"}, Case{ReasonCode::banned, "20 02 00 05"},
        Case{ReasonCode::malformed_packet, "20 02 00 05"}}) {
    for (const auto version : {k31, k311}) {
      EXPECT_EQ(hex(encoded(Connack{.reason = test.reason}, version)), test.bytes);
    }
  }
}

TEST(EncodeConnack, WritesPropertiesThatAreNoDefaults) {
  EXPECT_EQ(hex(encoded(Connack{}, k5)), "20 03 00 00 00");
  const Connack full{.session_expiry_s = 0,
                     .receive_maximum = 10,
                     .qos_max = Qos::at_least_once,
                     .retain_available = false,
                     .packet_size_max = 65'536,
                     .assigned_client_id = "id",
                     .topic_alias_max = 5,
                     .reason_string = "r",
                     .server_keep_alive_s = 0,
                     .response_information = "i",
                     .server_reference = "s",
                     .authentication_method = "m",
                     .authentication_data = "d"};
  EXPECT_EQ(hex(encoded(full, k5)),
            hex(wire("20 33 00 00 30 11 00 00 00 00 21 00 0A 24 01 25 00 27 00 01 00 00 "
                     "12 00 02 'id' 22 00 05 1F 00 01 'r' 13 00 00 1A 00 01 'i' 1C 00 01 's' "
                     "15 00 01 'm' 16 00 01 'd'")));
  EXPECT_EQ(hex(encoded(full, k311)), "20 02 00 00");
}

TEST(EncodeSuback, FoldsCodesForMqtt3) {
  const std::vector reasons{ReasonCode::success, ReasonCode::granted_qos_2,
                            ReasonCode::not_authorized};
  std::string target;
  append_suback(target, 10, reasons, k5);
  EXPECT_EQ(hex(target), "90 06 00 0A 00 00 02 87");
  target.clear();
  append_suback(target, 10, reasons, k311);
  EXPECT_EQ(hex(target), "90 05 00 0A 00 02 80");
}

TEST(EncodeUnsuback, HasReasonsInMqtt5Alone) {
  const std::vector reasons{ReasonCode::success, ReasonCode::no_subscription_existed};
  std::string target;
  append_unsuback(target, 10, reasons, k5);
  EXPECT_EQ(hex(target), "B0 05 00 0A 00 00 11");
  target.clear();
  append_unsuback(target, 10, reasons, k311);
  EXPECT_EQ(hex(target), "B0 02 00 0A");
}

TEST(EncodeDisconnect, IsAsShortAsItMayBe) {
  std::string target;
  append(target, Disconnect{});
  EXPECT_EQ(hex(target), "E0 00");
  target.clear();
  append(target, Disconnect{.reason = ReasonCode::session_taken_over, .session_expiry_s = 5});
  EXPECT_EQ(hex(target), "E0 01 8E");  // [MQTT-3.14.2-2]
  target.clear();
  append(target, Disconnect{.reason = ReasonCode::server_moved,
                            .session_expiry_s = {},
                            .reason_string = "r",
                            .server_reference = "s"});
  EXPECT_EQ(hex(target), hex(wire("E0 0A 9D 08 1F 00 01 'r' 1C 00 01 's'")));
}

TEST(EncodeAuth, WritesMethodAndData) {
  std::string target;
  append(target, Auth{});
  EXPECT_EQ(hex(target), "F0 00");
  target.clear();
  append(target, Auth{.reason = ReasonCode::continue_authentication, .method = "m", .data = "d"});
  EXPECT_EQ(hex(target), hex(wire("F0 0A 18 08 15 00 01 'm' 16 00 01 'd'")));
  const auto back = decode_auth(next_frame(target, 100).frame);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->method, "m");
}

TEST(EncodePingresp, HasTwoBytes) {
  std::string target;
  append_pingresp(target);
  EXPECT_EQ(hex(target), "D0 00");
}

}  // namespace
}  // namespace linnet::mqtt

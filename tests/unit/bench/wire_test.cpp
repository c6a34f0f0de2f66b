#include "bench/wire.hpp"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "bench/packets.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/framer.hpp"

namespace linnet::bench {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

constexpr std::size_t kMax = 1 << 20;

std::string publish(std::string_view topic, std::string_view payload, Qos qos, Version version) {
  std::string bytes;
  const std::uint32_t ids[] = {300};
  mqtt::OutgoingPublish out{.topic = topic, .payload = payload, .qos = qos};
  out.packet_id = qos == Qos::at_most_once ? 0 : 0x1234;
  if (version == Version::v5) out.subscription_ids = ids;
  mqtt::append(bytes, out, version);
  return bytes;
}

TEST(Scan, EverySplitOfAPacket) {
  for (const std::size_t payload : {0U, 16U, 200U, 20'000U}) {
    const std::string bytes =
        publish("a/b", std::string(payload, 'p'), Qos::at_least_once, Version::v5) + "\xD0\x00"s;
    const std::size_t size = bytes.size() - 2;
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      const Found found = scan(std::string_view(bytes).substr(0, cut), kMax);
      if (cut < size) {
        ASSERT_EQ(found.state, Scan::incomplete) << cut;
      } else {
        ASSERT_EQ(found.state, Scan::whole) << cut;
        ASSERT_EQ(found.size, size);
        ASSERT_EQ(found.first_byte, 0x32);
      }
    }
  }
}

TEST(Scan, PacketsInARow) {
  const std::string bytes = "\xD0\x00\x40\x02\x00\x07\xD0\x00"s;
  std::vector<std::uint8_t> types;
  std::string_view rest = bytes;
  for (Found found = scan(rest, kMax); found.state == Scan::whole; found = scan(rest, kMax)) {
    types.push_back(found.first_byte);
    rest.remove_prefix(found.size);
  }
  EXPECT_EQ(types, (std::vector<std::uint8_t>{0xD0, 0x40, 0xD0}));
  EXPECT_TRUE(rest.empty());
}

TEST(Scan, TooLarge) {
  EXPECT_EQ(scan("\x30\x7F"sv, 100).state, Scan::bad);
  EXPECT_EQ(scan("\x30\x62"sv, 100).state, Scan::incomplete);
  EXPECT_EQ(scan("\x30\xFF\xFF\xFF\x7F"sv, kMax).state, Scan::bad);
}

TEST(Scan, LengthOfFiveBytes) {
  EXPECT_EQ(scan("\x30\x80\x80\x80"sv, kMax).state, Scan::incomplete);
  EXPECT_EQ(scan("\x30\x80\x80\x80\x80"sv, kMax).state, Scan::bad);
  EXPECT_EQ(scan("\x30\x80\x80\x80\x80\x01"sv, kMax).state, Scan::bad);
}

/// The broker's own framer finds the same.
TEST(Scan, AnyBytesLikeTheFramer) {
  Random random(5);
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes(random.below(12), '\0');
    for (char& byte : bytes)
      byte = static_cast<char>(random.below(random.below(2) == 0 ? 256 : 4));
    if (!bytes.empty()) bytes[0] = '\x30';
    const Found found = scan(bytes, 1'000);
    const mqtt::Framed framed = mqtt::next_frame(bytes, 1'000);
    // Only the framer minds lengths of more bytes than they need.
    if (framed.state == mqtt::Framed::State::bad) continue;
    const bool whole = framed.state == mqtt::Framed::State::whole;
    ASSERT_EQ(found.state, whole ? Scan::whole : Scan::incomplete);
    if (!whole) continue;
    ASSERT_EQ(found.size, framed.frame.whole.size());
  }
}

TEST(ReadPublish, AllForms) {
  for (const Version version : {Version::v3_1, Version::v3_1_1, Version::v5}) {
    for (const Qos qos : {Qos::at_most_once, Qos::at_least_once, Qos::exactly_once}) {
      const std::string bytes = publish("some/topic", "payload", qos, version);
      const Found found = scan(bytes, kMax);
      const ReceivedPublish read = read_publish(found.first_byte, found.body, version);
      ASSERT_TRUE(read.ok);
      EXPECT_EQ(read.qos, static_cast<std::uint8_t>(qos));
      EXPECT_EQ(read.packet_id, qos == Qos::at_most_once ? 0 : 0x1234);
      EXPECT_EQ(read.payload, "payload");
    }
  }
}

TEST(ReadPublish, EveryCutIsNoticedOrShortensThePayload) {
  for (const Version version : {Version::v3_1_1, Version::v5}) {
    const std::string bytes = publish("topic", "payload", Qos::exactly_once, version);
    const Found found = scan(bytes, kMax);
    const std::size_t head = found.body.size() - 7;
    for (std::size_t cut = 0; cut <= found.body.size(); ++cut) {
      const auto read = read_publish(found.first_byte, found.body.substr(0, cut), version);
      ASSERT_EQ(read.ok, cut >= head) << cut;
    }
  }
}

TEST(ReadPublish, Broken) {
  EXPECT_FALSE(read_publish(0x36,
                            "\x00\x01"
                            "a\x00\x01"sv,
                            Version::v3_1_1)
                   .ok);  // QoS 3
  EXPECT_FALSE(read_publish(0x32,
                            "\x00\x01"
                            "a\x00\x00"sv,
                            Version::v3_1_1)
                   .ok);  // identifier 0
  EXPECT_FALSE(read_publish(0x30,
                            "\x00\x01"
                            "a\x80\x80\x80\x80\x01"sv,
                            Version::v5)
                   .ok);  // five bytes of length
  EXPECT_FALSE(read_publish(0x30,
                            "\x00\x01"
                            "a\x05"sv,
                            Version::v5)
                   .ok);  // properties beyond the end
}

TEST(Stamp, ThereAndBack) {
  std::string payload(20, 'x');
  write_stamp(payload.data(), {7, 8, 9}, payload.size());
  const Stamp stamp = read_stamp(payload);
  EXPECT_EQ(stamp.stream, 7U);
  EXPECT_EQ(stamp.number, 8U);
  EXPECT_EQ(stamp.time_ns, 9U);
  EXPECT_EQ(payload.substr(16), "xxxx");
}

TEST(Stamp, WritesOnlyWhatFits) {
  for (const std::size_t room : {0U, 7U, 8U, 15U}) {
    std::string payload(20, 'x');
    write_stamp(payload.data(), {7, 8, 9}, room);
    EXPECT_EQ(payload.substr(room), std::string(20 - room, 'x')) << room;
  }
}

}  // namespace
}  // namespace linnet::bench

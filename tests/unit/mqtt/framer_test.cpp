#include "mqtt/framer.hpp"

#include <gtest/gtest.h>

#include "wire.hpp"

namespace linnet::mqtt {
namespace {

using test::packet;
using test::wire;

constexpr std::size_t kAny = 300'000'000;

TEST(Framer, FindsAWholePacket) {
  const auto bytes = wire("C0 00 30 03 00 01 'a' E0");
  const auto ping = next_frame(bytes, kAny);
  ASSERT_EQ(ping.state, Framed::State::whole);
  EXPECT_EQ(ping.frame.type(), PacketType::pingreq);
  EXPECT_EQ(ping.frame.body, "");
  EXPECT_EQ(ping.frame.whole, bytes.substr(0, 2));
  const auto publish = next_frame(std::string_view(bytes).substr(2), kAny);
  ASSERT_EQ(publish.state, Framed::State::whole);
  EXPECT_EQ(publish.frame.type(), PacketType::publish);
  EXPECT_EQ(publish.frame.flags(), 0);
  EXPECT_EQ(publish.frame.body, wire("00 01 'a'"));
  EXPECT_EQ(publish.frame.whole.size(), 5u);
}

struct Edge {
  std::size_t body_size;
  std::size_t head_size;
};

TEST(Framer, KnowsEveryLengthOfTheLength) {
  for (const auto edge : {Edge{0, 2}, Edge{127, 2}, Edge{128, 3}, Edge{16'383, 3}, Edge{16'384, 4},
                          Edge{2'097'151, 4}, Edge{2'097'152, 5}}) {
    const auto bytes = packet(0x30, std::string(edge.body_size, 'x'));
    const auto found = next_frame(bytes, kAny);
    ASSERT_EQ(found.state, Framed::State::whole) << edge.body_size;
    EXPECT_EQ(found.frame.body.size(), edge.body_size);
    EXPECT_EQ(found.frame.whole.size(), edge.body_size + edge.head_size);
    const auto cut = next_frame(std::string_view(bytes).substr(0, edge.head_size), kAny);
    if (edge.body_size > 0) {
      EXPECT_EQ(cut.state, Framed::State::incomplete);
      EXPECT_EQ(cut.size_min, bytes.size());
    }
  }
}

TEST(Framer, SaysHowMuchIsMissing) {
  struct Case {
    std::string_view bytes;
    std::size_t size_min;
  };
  for (const auto& test :
       {Case{"", 2}, Case{"30", 2}, Case{"30 80", 3}, Case{"30 80 80", 4}, Case{"30 80 80 80", 5},
        Case{"30 05", 7}, Case{"30 05 00 01 'a'", 7}, Case{"30 FF FF FF 7F", 268'435'460}}) {
    const auto found = next_frame(wire(test.bytes), kAny);
    EXPECT_EQ(found.state, Framed::State::incomplete) << test.bytes;
    EXPECT_EQ(found.size_min, test.size_min) << test.bytes;
  }
}

TEST(Framer, EveryPrefixOfAPacketIsIncomplete) {
  const auto bytes = packet(0x32, std::string(200, 'x'));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto found = next_frame(std::string_view(bytes).substr(0, size), kAny);
    EXPECT_EQ(found.state, Framed::State::incomplete) << size;
    EXPECT_GT(found.size_min, size);
    EXPECT_LE(found.size_min, bytes.size());
  }
}

TEST(Framer, RefusesBadLengths) {
  for (const auto text : {"30 80 00", "30 FF 80 00", "30 80 80 80 80", "30 FF FF FF FF 01"}) {
    const auto found = next_frame(wire(text), kAny);
    EXPECT_EQ(found.state, Framed::State::bad) << text;
    EXPECT_EQ(found.error.reason, ReasonCode::malformed_packet) << text;
    EXPECT_STRNE(found.error.text, "");
  }
}

TEST(Framer, RefusesPacketsThatAreTooLargeAtOnce) {
  EXPECT_EQ(next_frame(wire("30 62"), 100).state, Framed::State::incomplete);
  const auto found = next_frame(wire("30 63"), 100);
  EXPECT_EQ(found.state, Framed::State::bad);
  EXPECT_EQ(found.error.reason, ReasonCode::packet_too_large);
  const auto bytes = packet(0x30, std::string(98, 'x'));
  EXPECT_EQ(next_frame(bytes, 100).state, Framed::State::whole);
  EXPECT_EQ(next_frame(bytes, 99).state, Framed::State::bad);
}

TEST(Framer, RefusesFlagsThatATypeDoesNotHave) {  // [MQTT-2.1.3-1]
  for (unsigned first = 0; first < 256; ++first) {
    const auto type = static_cast<PacketType>(first >> 4);
    const auto flags = first & 0x0F;
    const bool quality = type == PacketType::pubrel || type == PacketType::subscribe ||
                         type == PacketType::unsubscribe;
    const bool good = type == PacketType::publish ||
                      (type != PacketType::reserved && (flags & 7) == (quality ? 2u : 0u) &&
                       (quality || flags == 0));
    for (const std::size_t size : {1u, 2u}) {
      const std::string bytes{static_cast<char>(first), '\0'};
      const auto found = next_frame(std::string_view(bytes).substr(0, size), kAny);
      EXPECT_EQ(found.state != Framed::State::bad, good) << first;
      if (!good) {
        EXPECT_EQ(found.error.reason, ReasonCode::malformed_packet) << first;
      }
    }
  }
}

TEST(Framer, NamesEveryType) {
  EXPECT_EQ(name_of(PacketType::connect), "CONNECT");
  EXPECT_EQ(name_of(PacketType::publish), "PUBLISH");
  EXPECT_EQ(name_of(PacketType::unsuback), "UNSUBACK");
  EXPECT_EQ(name_of(PacketType::auth), "AUTH");
  EXPECT_NE(name_of(PacketType::reserved), "");
}

}  // namespace
}  // namespace linnet::mqtt

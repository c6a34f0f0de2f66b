#include "mqtt/property.hpp"

#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>

#include "wire.hpp"

namespace linnet::mqtt {
namespace {

using test::wire;

constexpr unsigned kPlaces = 16;  // the packet types, and 0 for the Will

// Table 2-4 of the standard once more, written in another way than in the code: identifier, wire
// form of a good value, and where it may stand (W is the Will, the rest packet types in
// hexadecimal).
struct Row {
  unsigned id;
  std::string_view value;
  std::string_view places;
};

constexpr Row kTable[] = {
    {0x01, "01", "3W"},
    {0x02, "00 00 00 00", "3W"},
    {0x03, "00 01 'a'", "3W"},
    {0x08, "00 01 'a'", "3W"},
    {0x09, "00 01 FF", "3W"},
    {0x0B, "80 01", "38"},
    {0x11, "00 00 00 00", "12E"},
    {0x12, "00 01 'a'", "2"},
    {0x13, "00 00", "2"},
    {0x15, "00 01 'a'", "12F"},
    {0x16, "00 00", "12F"},
    {0x17, "00", "1"},
    {0x18, "FF FF FF FF", "W"},
    {0x19, "01", "1"},
    {0x1A, "00 00", "2"},
    {0x1C, "00 01 'a'", "2E"},
    {0x1F, "00 02 C3 A4", "245679BEF"},
    {0x21, "00 01", "12"},
    {0x22, "00 00", "12"},
    {0x23, "FF FF", "3"},
    {0x24, "00", "2"},
    {0x25, "01", "2"},
    {0x26, "00 01 'k' 00 00", "123456789ABEFW"},
    {0x27, "00 00 00 01", "12"},
    {0x28, "00", "2"},
    {0x29, "00", "2"},
    {0x2A, "00", "2"},
};

std::set<unsigned> places_of(const Row& row) {
  std::set<unsigned> places;
  for (const char c : row.places) {
    places.insert(c == 'W' ? 0u
                           : static_cast<unsigned>(std::stoul(std::string(1, c), nullptr, 16)));
  }
  return places;
}

PropertyPlaces place(unsigned type) {
  return place_of(static_cast<PacketType>(type));
}

std::string property(const Row& row) {
  return std::string(1, static_cast<char>(row.id)) + wire(row.value);
}

TEST(Property, EveryOneInEveryPlace) {
  for (const auto& row : kTable) {
    const auto places = places_of(row);
    const auto raw = property(row);
    for (unsigned type = 0; type < kPlaces; ++type) {
      const auto error = check_properties(raw, place(type));
      EXPECT_EQ(!error, places.contains(type)) << row.id << " in " << type;
      if (error) {
        EXPECT_EQ(error->reason, ReasonCode::malformed_packet) << row.id << " in " << type;
      }
    }
  }
}

TEST(Property, OnlySomeMayStandTwice) {
  for (const auto& row : kTable) {
    const auto raw = property(row) + property(row);
    for (const unsigned type : places_of(row)) {
      const bool repeats = row.id == 0x26 || (row.id == 0x0B && type == 3);
      const auto error = check_properties(raw, place(type));
      EXPECT_EQ(!error, repeats) << row.id << " in " << type;
      if (error) {
        EXPECT_EQ(error->reason, ReasonCode::protocol_error) << row.id;
      }
    }
  }
}

TEST(Property, EveryPrefixIsMalformed) {
  for (const auto& row : kTable) {
    const auto raw = property(row);
    const auto where = place(*places_of(row).begin());
    for (std::size_t size = 1; size < raw.size(); ++size) {
      const auto error = check_properties(std::string_view(raw).substr(0, size), where);
      ASSERT_TRUE(error) << row.id << " cut at " << size;
      EXPECT_EQ(error->reason, ReasonCode::malformed_packet) << row.id << " cut at " << size;
    }
  }
}

TEST(Property, TheTableHasAllRowsInOrder) {
  const auto rules = property_rules();
  ASSERT_EQ(rules.size(), std::size(kTable));
  for (std::size_t row = 0; row < rules.size(); ++row) {
    EXPECT_EQ(static_cast<unsigned>(rules[row].id), kTable[row].id);
    EXPECT_FALSE(rules[row].name.empty());
  }
}

TEST(Property, UnknownIdentifiersAreMalformed) {
  std::set<unsigned> known;
  for (const auto& row : kTable)
    known.insert(row.id);
  for (unsigned id = 0; id < 128; ++id) {
    if (known.contains(id)) continue;
    const auto raw = std::string(1, static_cast<char>(id)) + wire("00 01 00 00");
    const auto error = check_properties(raw, place_of(PacketType::connect));
    ASSERT_TRUE(error) << id;
    EXPECT_EQ(error->reason, ReasonCode::malformed_packet) << id;
  }
  for (const auto text : {"80 01 00", "FF FF FF 7F", "A6 00 00 00 00 00", "80"}) {
    EXPECT_TRUE(check_properties(wire(text), kWillPlace)) << text;
  }
}

struct RangeCase {
  std::string_view raw;
  PacketType type;
  ReasonCode reason;
};

constexpr RangeCase kRanges[] = {
    {"01 02", PacketType::publish, ReasonCode::protocol_error},
    {"08 00 00", PacketType::publish, ReasonCode::protocol_error},
    {"08 00 03 'a/+'", PacketType::publish, ReasonCode::protocol_error},
    {"08 00 01 '#'", PacketType::reserved, ReasonCode::protocol_error},
    {"0B 00", PacketType::subscribe, ReasonCode::protocol_error},
    {"0B 80 00", PacketType::subscribe, ReasonCode::malformed_packet},
    {"17 02", PacketType::connect, ReasonCode::protocol_error},
    {"19 FF", PacketType::connect, ReasonCode::protocol_error},
    {"21 00 00", PacketType::connect, ReasonCode::protocol_error},
    {"23 00 00", PacketType::publish, ReasonCode::topic_alias_invalid},
    {"24 02", PacketType::connack, ReasonCode::protocol_error},
    {"25 02", PacketType::connack, ReasonCode::protocol_error},
    {"27 00 00 00 00", PacketType::connect, ReasonCode::protocol_error},
    {"28 02", PacketType::connack, ReasonCode::protocol_error},
    {"29 02", PacketType::connack, ReasonCode::protocol_error},
    {"2A 02", PacketType::connack, ReasonCode::protocol_error},
    {"26 00 01 FF 00 01 'v'", PacketType::publish, ReasonCode::malformed_packet},
    {"26 00 01 'k' 00 01 00", PacketType::publish, ReasonCode::malformed_packet},
    {"15 00 02 C0 80", PacketType::connect, ReasonCode::malformed_packet},
    {"08 00 03 ED A0 80", PacketType::publish, ReasonCode::malformed_packet},
};

TEST(Property, ValuesOutOfRangeAreRefused) {
  for (const auto& test : kRanges) {
    const auto error = check_properties(wire(test.raw), place_of(test.type));
    ASSERT_TRUE(error) << test.raw;
    EXPECT_EQ(error->reason, test.reason) << test.raw;
  }
}

TEST(Property, TheSentenceNamesTheProperty) {
  const auto zero = check_properties(wire("21 00 00"), place_of(PacketType::connect));
  ASSERT_TRUE(zero);
  EXPECT_STREQ(zero->text, "Receive Maximum is 0; leave it out or send 1 or more");
  const auto twice = check_properties(wire("17 00 17 00"), place_of(PacketType::connect));
  ASSERT_TRUE(twice);
  EXPECT_STREQ(twice->text, "Request Problem Information stands twice; send it once");
}

TEST(Property, ReadsValues) {
  const auto raw = wire("02 01 02 03 04 23 0A 0B 0B FF 7F 26 00 01 'k' 00 02 'vv' 09 00 01 00");
  PropertyReader properties(raw, place_of(PacketType::publish));
  ASSERT_TRUE(properties.next());
  EXPECT_EQ(properties.value().id, Property::message_expiry_interval);
  EXPECT_EQ(properties.value().number, 0x01020304u);
  EXPECT_FALSE(properties.value().forwarded);
  ASSERT_TRUE(properties.next());
  EXPECT_EQ(properties.value().number, 0x0A0Bu);
  ASSERT_TRUE(properties.next());
  EXPECT_EQ(properties.value().number, 16'383u);
  ASSERT_TRUE(properties.next());
  EXPECT_EQ(properties.value().text, "k");
  EXPECT_EQ(properties.value().second, "vv");
  EXPECT_EQ(properties.value().raw, wire("26 00 01 'k' 00 02 'vv'"));
  EXPECT_TRUE(properties.value().forwarded);
  ASSERT_TRUE(properties.next());
  EXPECT_EQ(properties.value().text, wire("00"));
  EXPECT_EQ(properties.value().second, "");
  EXPECT_FALSE(properties.next());
  EXPECT_FALSE(properties.error());
}

}  // namespace
}  // namespace linnet::mqtt

// Builds the properties of one packet in their wire form (MQTT 5.0, section 2.2.2). For packets
// that are rare, so that a string of its own is cheap enough for each. Pure.
//
//   PropertyWriter properties;
//   properties.u16(Property::receive_maximum, 20);
//   properties.put_on(body);                         // the length, and then the properties
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mqtt/property.hpp"

namespace linnet::mqtt {

class PropertyWriter {
 public:
  void u8(Property id, std::uint8_t value);
  void u16(Property id, std::uint16_t value);
  void u32(Property id, std::uint32_t value);
  /// At most 268,435,455.
  void varint(Property id, std::uint32_t value);
  /// Strings and binary data of at most 65,535 bytes; an empty one is not written.
  void text(Property id, std::string_view value);
  /// The same, written even if it is empty.
  void string(Property id, std::string_view value);
  /// A User Property.
  void pair(std::string_view name, std::string_view value);

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  /// Without their length.
  [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
  /// Appends the property length and the properties.
  void put_on(std::string& target) const;

 private:
  std::string bytes_;
};

/// The same for properties that are in their wire form already.
void put_properties(std::string& target, std::string_view properties);

}  // namespace linnet::mqtt

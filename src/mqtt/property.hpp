// The properties of MQTT 5.0 (section 2.2.2): one table says what each of them is, where it may
// stand and which values it may have, and one loop reads them all. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "mqtt/framer.hpp"
#include "mqtt/packet.hpp"

namespace linnet::mqtt {

/// The properties, with their identifiers on the wire (MQTT 5.0, table 2-4).
enum class Property : std::uint8_t {
  payload_format_indicator = 0x01,
  message_expiry_interval = 0x02,
  content_type = 0x03,
  response_topic = 0x08,
  correlation_data = 0x09,
  subscription_identifier = 0x0B,
  session_expiry_interval = 0x11,
  assigned_client_identifier = 0x12,
  server_keep_alive = 0x13,
  authentication_method = 0x15,
  authentication_data = 0x16,
  request_problem_information = 0x17,
  will_delay_interval = 0x18,
  request_response_information = 0x19,
  response_information = 0x1A,
  server_reference = 0x1C,
  reason_string = 0x1F,
  receive_maximum = 0x21,
  topic_alias_maximum = 0x22,
  topic_alias = 0x23,
  maximum_qos = 0x24,
  retain_available = 0x25,
  user_property = 0x26,
  maximum_packet_size = 0x27,
  wildcard_subscription_available = 0x28,
  subscription_identifier_available = 0x29,
  shared_subscription_available = 0x2A,
};

enum class PropertyType : std::uint8_t {
  one_byte,
  two_bytes,
  four_bytes,
  varint,
  binary,
  string,
  string_pair,
};

/// A set of packets, one bit for each; the Will's properties count as a packet of their own.
using PropertyPlaces = std::uint32_t;
[[nodiscard]] constexpr PropertyPlaces place_of(PacketType type) noexcept {
  return PropertyPlaces{1} << static_cast<unsigned>(type);
}
inline constexpr PropertyPlaces kWillPlace = place_of(PacketType::reserved);

/// Which values of its type a property may have.
enum class PropertyRange : std::uint8_t { any, zero_or_one, not_zero, topic_name };

/// One row of the table.
struct PropertyRule {
  Property id;
  PropertyType type;
  PropertyRange range;
  PropertyPlaces places;   // where it may stand
  PropertyPlaces repeats;  // where it may stand more than once
  bool forwarded;          // travels with an application message, unchanged
  std::string_view name;   // the standard's: "Receive Maximum"
};

/// All 27 rows, in the order of their identifiers.
[[nodiscard]] std::span<const PropertyRule> property_rules() noexcept;

/// One property: its value stands where its type says, the rest is empty.
struct PropertyValue {
  Property id{};
  bool forwarded = false;
  std::uint32_t number = 0;   // bytes, integers
  std::string_view text{};    // strings, binary data; the name of a User Property
  std::string_view second{};  // the value of a User Property
  std::string_view raw{};     // its wire form, identifier included
};

/// Walks the properties of one packet and checks each against the table. An identifier that is
/// unknown or does not belong in the packet is malformed (section 2.2.2.2), one that stands twice
/// or has a value out of its range is a protocol error (Topic Alias 0: Topic Alias invalid).
///
///   PropertyReader properties(raw, place_of(PacketType::connect));
///   while (properties.next()) use(properties.value());
///   if (properties.error()) return *properties.error();
class PropertyReader {
 public:
  /// `raw`: what stands behind the property length. It must outlive the reader.
  PropertyReader(std::string_view raw, PropertyPlaces place) noexcept : in_(raw), place_(place) {}

  /// Moves to the next property; false after the last one, and at the first error.
  [[nodiscard]] bool next() noexcept;
  [[nodiscard]] const PropertyValue& value() const noexcept { return value_; }
  [[nodiscard]] const std::optional<ProtocolError>& error() const noexcept { return error_; }

 private:
  void read_value(const PropertyRule& rule) noexcept;
  bool refuse(ReasonCode reason, const char* text) noexcept;

  Reader in_;
  PropertyPlaces place_;
  std::uint64_t seen_ = 0;  // one bit for each identifier
  PropertyValue value_;
  std::optional<ProtocolError> error_;
};

/// Takes the property length and the properties from the head of `in`; when they reach beyond its
/// end, `in` is not ok() any more.
[[nodiscard]] std::string_view take_properties(Reader& in) noexcept;

/// Reads the properties of a packet in which none of them concerns the broker (SUBACK's, PUBACK's
/// …): only whether they are right.
[[nodiscard]] std::optional<ProtocolError> check_properties(std::string_view raw,
                                                            PropertyPlaces place) noexcept;

/// Appends the properties of `raw` that travel with the message (see PublishProperties::mixed).
/// `raw` comes from a decoded PUBLISH or Will.
void strip_hop_properties(std::string_view raw, std::string& out);

}  // namespace linnet::mqtt

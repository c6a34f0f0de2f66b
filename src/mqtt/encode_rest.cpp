#include <algorithm>

#include "base/assert.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/property_writer.hpp"
#include "mqtt/put.hpp"

namespace linnet::mqtt {
namespace {

constexpr std::uint32_t kShortAckSize = 4;

std::uint8_t code_of(ReasonCode reason) noexcept {
  return static_cast<std::uint8_t>(reason);
}

std::uint8_t first_byte_of(PacketType type) noexcept {
  const auto high = static_cast<unsigned>(type) << 4;
  return static_cast<std::uint8_t>(type == PacketType::pubrel ? high | 0x02u : high);
}

// A reason code and properties: both are left out if they say nothing (MQTT 5.0, sections 3.4.2,
// 3.14.2, 3.15.2).
void put_reason(std::string& body, ReasonCode reason, const PropertyWriter& properties) {
  if (reason == ReasonCode::success && properties.empty()) return;
  put_u8(body, code_of(reason));
  if (!properties.empty()) properties.put_on(body);
}

std::uint8_t return_code_of(ReasonCode reason) noexcept {
  switch (reason) {
    case ReasonCode::success: return 0;
    case ReasonCode::unsupported_protocol_version: return 1;
    case ReasonCode::client_identifier_not_valid: return 2;
    case ReasonCode::server_unavailable:
    case ReasonCode::server_busy:
    case ReasonCode::server_shutting_down:
    case ReasonCode::message_rate_too_high:
    case ReasonCode::quota_exceeded:
    case ReasonCode::use_another_server:
    case ReasonCode::server_moved:
    case ReasonCode::connection_rate_exceeded: return 3;
    case ReasonCode::bad_user_name_or_password: return 4;
    default: return 5;
  }
}

PropertyWriter properties_of(const Connack& connack) {
  PropertyWriter properties;
  if (connack.session_expiry_s) {
    properties.u32(Property::session_expiry_interval, *connack.session_expiry_s);
  }
  if (connack.receive_maximum != Connack{}.receive_maximum) {
    properties.u16(Property::receive_maximum, connack.receive_maximum);
  }
  if (connack.qos_max != Qos::exactly_once) {
    properties.u8(Property::maximum_qos, static_cast<std::uint8_t>(connack.qos_max));
  }
  if (!connack.retain_available) properties.u8(Property::retain_available, 0);
  if (connack.packet_size_max != 0) {
    properties.u32(Property::maximum_packet_size, connack.packet_size_max);
  }
  properties.text(Property::assigned_client_identifier, connack.assigned_client_id);
  if (connack.topic_alias_max != 0) {
    properties.u16(Property::topic_alias_maximum, connack.topic_alias_max);
  }
  properties.text(Property::reason_string, connack.reason_string);
  if (connack.server_keep_alive_s) {
    properties.u16(Property::server_keep_alive, *connack.server_keep_alive_s);
  }
  properties.text(Property::response_information, connack.response_information);
  properties.text(Property::server_reference, connack.server_reference);
  properties.text(Property::authentication_method, connack.authentication_method);
  properties.text(Property::authentication_data, connack.authentication_data);
  return properties;
}

// A code of MQTT 5 in a SUBACK of MQTT 3, which knows one failure.
std::uint8_t suback_code_of(ReasonCode reason, Version version) noexcept {
  if (version == Version::v5 || !failed(reason)) return code_of(reason);
  return code_of(ReasonCode::unspecified_error);
}

}  // namespace

std::uint32_t short_ack_size() noexcept {
  return kShortAckSize;
}

void write_short_ack(Writer& out, PacketType type, PacketId packet_id) noexcept {
  out.u8(first_byte_of(type));
  out.u8(2);
  out.u16(packet_id);
}

void append_ack(std::string& target, PacketType type, const Ack& ack, Version version) {
  LINNET_ASSERT(type >= PacketType::puback && type <= PacketType::pubcomp);
  std::string body;
  put_u16(body, ack.packet_id);
  if (version == Version::v5) {
    PropertyWriter properties;
    properties.text(Property::reason_string, ack.reason_string);
    put_reason(body, ack.reason, properties);
  }
  put_packet(target, first_byte_of(type), body);
}

void append(std::string& target, const Connack& connack, Version version) {
  const bool resumed = connack.session_present && !failed(connack.reason);
  std::string body;
  if (version == Version::v5) {
    put_u8(body, resumed);
    put_u8(body, code_of(connack.reason));
    properties_of(connack).put_on(body);
  } else {
    put_u8(body, resumed && version == Version::v3_1_1);
    put_u8(body, return_code_of(connack.reason));
  }
  put_packet(target, first_byte_of(PacketType::connack), body);
}

void append_suback(std::string& target, PacketId packet_id, std::span<const ReasonCode> reasons,
                   Version version) {
  std::string body;
  put_u16(body, packet_id);
  if (version == Version::v5) put_u8(body, 0);  // no properties
  for (const auto reason : reasons)
    put_u8(body, suback_code_of(reason, version));
  put_packet(target, first_byte_of(PacketType::suback), body);
}

void append_unsuback(std::string& target, PacketId packet_id, std::span<const ReasonCode> reasons,
                     Version version) {
  std::string body;
  put_u16(body, packet_id);
  if (version == Version::v5) {
    put_u8(body, 0);  // no properties
    for (const auto reason : reasons)
      put_u8(body, code_of(reason));
  }
  put_packet(target, first_byte_of(PacketType::unsuback), body);
}

void append(std::string& target, const Disconnect& disconnect) {
  // No Session Expiry Interval: a server must not send one (MQTT-3.14.2-2).
  PropertyWriter properties;
  properties.text(Property::reason_string, disconnect.reason_string);
  properties.text(Property::server_reference, disconnect.server_reference);
  std::string body;
  put_reason(body, disconnect.reason, properties);
  put_packet(target, first_byte_of(PacketType::disconnect), body);
}

void append(std::string& target, const Auth& auth) {
  PropertyWriter properties;
  properties.text(Property::authentication_method, auth.method);
  properties.text(Property::authentication_data, auth.data);
  properties.text(Property::reason_string, auth.reason_string);
  std::string body;
  put_reason(body, auth.reason, properties);
  // Unlike an acknowledgement, an AUTH of one byte is not one (MQTT 5.0, section 3.15.2.1).
  if (body.size() == 1) put_u8(body, 0);
  put_packet(target, first_byte_of(PacketType::auth), body);
}

void append_pingresp(std::string& target) {
  put_packet(target, first_byte_of(PacketType::pingresp), {});
}

}  // namespace linnet::mqtt

#include <algorithm>
#include <initializer_list>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "mqtt/decode.hpp"
#include "mqtt/decode_client.hpp"
#include "mqtt/fault.hpp"

namespace linnet::mqtt {
namespace {

bool is_one_of(ReasonCode reason, std::initializer_list<ReasonCode> reasons) noexcept {
  return std::find(reasons.begin(), reasons.end(), reason) != reasons.end();
}

// MQTT 5.0, tables 3-4 to 3-7, without what only a server may send.
bool client_may_send(PacketType type, ReasonCode reason) noexcept {
  using enum ReasonCode;
  if (reason == success) return true;
  if (type == PacketType::pubrel || type == PacketType::pubcomp) {
    return reason == packet_identifier_not_found;
  }
  return is_one_of(
      reason, {unspecified_error, implementation_specific_error, not_authorized, topic_name_invalid,
               packet_identifier_in_use, quota_exceeded, payload_format_invalid});
}

bool server_may_send(PacketType type, ReasonCode reason) noexcept {
  const bool answers_publish = type == PacketType::puback || type == PacketType::pubrec;
  return client_may_send(type, reason) ||
         (answers_publish && reason == ReasonCode::no_matching_subscribers);
}

// MQTT 5.0, table 3-10, without what only a server may send.
bool client_may_disconnect_with(ReasonCode reason) noexcept {
  using enum ReasonCode;
  return is_one_of(
      reason, {success, disconnect_with_will, unspecified_error, malformed_packet, protocol_error,
               implementation_specific_error, topic_name_invalid, receive_maximum_exceeded,
               topic_alias_invalid, packet_too_large, message_rate_too_high, quota_exceeded,
               administrative_action, payload_format_invalid});
}

// Not those that only a client may send; codes of later standards pass, since the end is one
// whatever its reason.
bool server_may_disconnect_with(ReasonCode reason) noexcept {
  return reason == ReasonCode::success || failed(reason);
}

bool client_may_authenticate_with(ReasonCode reason) noexcept {
  return is_one_of(reason, {ReasonCode::continue_authentication, ReasonCode::reauthenticate});
}

bool server_may_authenticate_with(ReasonCode reason) noexcept {
  return is_one_of(reason, {ReasonCode::success, ReasonCode::continue_authentication});
}

// What may follow the reason code of an acknowledgement or DISCONNECT: nothing, or properties that
// fill the rest.
std::string_view last_properties(Reader& in) noexcept {
  if (in.empty()) return {};
  const auto raw = take_properties(in);
  if (!in.empty()) in.fail();
  return raw;
}

using MaySend = bool (*)(PacketType, ReasonCode) noexcept;

Decoded<Ack> read_ack(const Frame& frame, Version version, MaySend may_send) noexcept {
  const auto type = frame.type();
  LINNET_ASSERT(type >= PacketType::puback && type <= PacketType::pubcomp);
  if (has_stray_dup(frame, version)) return malformed(kStrayDupText);
  Reader in(frame.body);
  Ack ack;
  ack.packet_id = in.u16();
  if (!in.ok()) return malformed("an acknowledgement has no packet identifier; send two bytes");
  if (ack.packet_id == 0) {
    return protocol_error("an acknowledgement has packet identifier 0; use 1 to 65535");
  }
  if (in.empty()) return ack;
  if (version != Version::v5) {
    return malformed("an acknowledgement of MQTT 3 is longer than two bytes; send just those");
  }
  ack.reason = static_cast<ReasonCode>(in.u8());
  const auto raw = last_properties(in);
  if (!in.ok()) {
    return malformed("the properties of an acknowledgement do not end with it; mend their length");
  }
  if (!may_send(type, ack.reason)) {
    return protocol_error(
        "an acknowledgement has a reason code that its sender may not send in it; use 0 for "
        "success");
  }
  PropertyReader properties(raw, place_of(type));
  while (properties.next()) {
    if (properties.value().id == Property::reason_string) {
      ack.reason_string = properties.value().text;
    }
  }
  if (properties.error()) return *properties.error();
  return ack;
}

using MayUse = bool (*)(ReasonCode) noexcept;

// Of a frame that is not empty.
Decoded<Disconnect> read_disconnect(const Frame& frame, MayUse may_use) noexcept {
  Disconnect disconnect;
  Reader in(frame.body);
  disconnect.reason = static_cast<ReasonCode>(in.u8());
  const auto raw = last_properties(in);
  if (!in.ok()) {
    return malformed("the properties of the DISCONNECT do not end with it; mend their length");
  }
  if (!may_use(disconnect.reason)) {
    return protocol_error(
        "the DISCONNECT has a reason code that its sender may not send; use 0 for an orderly end");
  }
  PropertyReader properties(raw, place_of(PacketType::disconnect));
  while (properties.next()) {
    const auto& value = properties.value();
    if (value.id == Property::session_expiry_interval) disconnect.session_expiry_s = value.number;
    if (value.id == Property::reason_string) disconnect.reason_string = value.text;
    if (value.id == Property::server_reference) disconnect.server_reference = value.text;
  }
  if (properties.error()) return *properties.error();
  return disconnect;
}

Decoded<Auth> read_auth(const Frame& frame, MayUse may_use) noexcept {
  Reader in(frame.body);
  Auth auth;
  if (!in.empty()) auth.reason = static_cast<ReasonCode>(in.u8());
  if (!may_use(auth.reason)) {
    return protocol_error(
        "the AUTH has a reason code that its sender may not send; a client's are 0x18 and 0x19");
  }
  const auto raw = last_properties(in);
  if (!in.ok()) {
    return malformed("the properties of the AUTH do not end with it; mend their length");
  }
  bool has_method = false;
  PropertyReader properties(raw, place_of(PacketType::auth));
  while (properties.next()) {
    const auto& value = properties.value();
    if (value.id == Property::authentication_method) {
      auth.method = value.text;
      has_method = true;
    }
    if (value.id == Property::authentication_data) auth.data = value.text;
    if (value.id == Property::reason_string) auth.reason_string = value.text;
  }
  if (properties.error()) return *properties.error();
  if (!has_method) {
    return protocol_error("the AUTH has no Authentication Method; send that of the CONNECT");
  }
  return auth;
}

}  // namespace

Decoded<Ack> decode_ack(const Frame& frame, Version version) noexcept {
  return read_ack(frame, version, client_may_send);
}

Decoded<Ack> decode_server_ack(const Frame& frame, Version version) noexcept {
  return read_ack(frame, version, server_may_send);
}

Decoded<Disconnect> decode_disconnect(const Frame& frame, Version version) noexcept {
  if (frame.body.empty()) return Disconnect{};
  if (version != Version::v5) {
    return malformed("a DISCONNECT of MQTT 3 has a body; send it with length 0");
  }
  return read_disconnect(frame, client_may_disconnect_with);
}

Decoded<Disconnect> decode_server_disconnect(const Frame& frame) noexcept {
  if (frame.body.empty()) return Disconnect{};
  return read_disconnect(frame, server_may_disconnect_with);
}

Decoded<bool> decode_pingreq(const Frame& frame) noexcept {
  if (!frame.body.empty()) return malformed("the PINGREQ has a body; send it with length 0");
  return true;
}

Decoded<Auth> decode_auth(const Frame& frame) noexcept {
  return read_auth(frame, client_may_authenticate_with);
}

Decoded<Auth> decode_server_auth(const Frame& frame) noexcept {
  return read_auth(frame, server_may_authenticate_with);
}

}  // namespace linnet::mqtt

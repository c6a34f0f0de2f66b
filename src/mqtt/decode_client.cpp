#include "mqtt/decode_client.hpp"

#include "base/bytes.hpp"
#include "base/topic.hpp"
#include "mqtt/fault.hpp"

namespace linnet::mqtt {
namespace {

// A server may have other bounds than ours.
constexpr TopicLimits kAnyTopic{65'535, 65'535};

ReasonCode reason_of_return_code(std::uint8_t code) noexcept {
  switch (code) {
    case 0: return ReasonCode::success;
    case 1: return ReasonCode::unsupported_protocol_version;
    case 2: return ReasonCode::client_identifier_not_valid;
    case 3: return ReasonCode::server_unavailable;
    case 4: return ReasonCode::bad_user_name_or_password;
    case 5: return ReasonCode::not_authorized;
    default: return ReasonCode::unspecified_error;
  }
}

void keep_property(const PropertyValue& value, Connack& connack) noexcept {
  const auto u16 = static_cast<std::uint16_t>(value.number);
  switch (value.id) {
    case Property::session_expiry_interval: connack.session_expiry_s = value.number; break;
    case Property::receive_maximum: connack.receive_maximum = u16; break;
    case Property::maximum_qos: connack.qos_max = static_cast<Qos>(value.number); break;
    case Property::retain_available: connack.retain_available = value.number == 1; break;
    case Property::maximum_packet_size: connack.packet_size_max = value.number; break;
    case Property::assigned_client_identifier: connack.assigned_client_id = value.text; break;
    case Property::topic_alias_maximum: connack.topic_alias_max = u16; break;
    case Property::reason_string: connack.reason_string = value.text; break;
    case Property::server_keep_alive: connack.server_keep_alive_s = u16; break;
    case Property::response_information: connack.response_information = value.text; break;
    case Property::server_reference: connack.server_reference = value.text; break;
    case Property::authentication_method: connack.authentication_method = value.text; break;
    case Property::authentication_data: connack.authentication_data = value.text; break;
    default: break;
  }
}

}  // namespace

Decoded<Connack> decode_connack(const Frame& frame, Version version) noexcept {
  Reader in(frame.body);
  Connack connack;
  const std::uint8_t flags = in.u8();
  const std::uint8_t code = in.u8();
  if (!in.ok()) return malformed("the CONNACK is shorter than two bytes");
  const bool has_properties = version == Version::v5 && !in.empty();
  const auto raw = has_properties ? take_properties(in) : std::string_view{};
  if (!in.ok() || !in.empty()) return malformed("the CONNACK's lengths do not fit together");
  // The flags of MQTT 3.1 have no meaning.
  if (version != Version::v3_1 && (flags & 0xFE) != 0)
    return malformed("the CONNACK has flags that the standard does not know");
  const bool is_reason = version == Version::v5 && (code == 0 || code >= 0x80);
  if (!is_reason && has_properties)
    return protocol_error("the CONNACK has a reason code that is no reason to refuse");
  connack.reason = is_reason ? static_cast<ReasonCode>(code) : reason_of_return_code(code);
  connack.session_present =
      version != Version::v3_1 && flags == 1 && connack.reason == ReasonCode::success;
  PropertyReader properties(raw, place_of(PacketType::connack));
  while (properties.next())
    keep_property(properties.value(), connack);
  if (properties.error()) return *properties.error();
  return connack;
}

Decoded<ReceivedPublish> decode_received_publish(const Frame& frame, Version version) noexcept {
  const auto qos = (frame.flags() >> 1) & 0x03;
  if (qos == 3) return malformed("the PUBLISH uses QoS 3");
  ReceivedPublish publish;
  publish.qos = static_cast<Qos>(qos);
  publish.dup = (frame.flags() & 0x08) != 0;
  publish.retain = (frame.flags() & 0x01) != 0;
  Reader in(frame.body);
  publish.topic = in.string();
  if (qos > 0) publish.packet_id = in.u16();
  if (version == Version::v5) publish.properties = take_properties(in);
  if (!in.ok()) return malformed("the PUBLISH ends before its payload begins");
  publish.payload = in.rest();
  if (qos > 0 && publish.packet_id == 0)
    return protocol_error("the PUBLISH has packet identifier 0");
  PropertyReader properties(publish.properties, place_of(PacketType::publish));
  while (properties.next()) {
    const auto& value = properties.value();
    if (value.id == Property::topic_alias)
      publish.topic_alias = static_cast<std::uint16_t>(value.number);
  }
  if (properties.error()) return *properties.error();
  if (publish.topic.empty() && publish.topic_alias != 0) return publish;
  if (check_topic_name(publish.topic, kAnyTopic) != TopicFault::none)
    return malformed("the topic of the PUBLISH is none: empty, with wildcards or not UTF-8");
  return publish;
}

Decoded<Suback> decode_suback(const Frame& frame, Version version) noexcept {
  const bool subscribes = frame.type() == PacketType::suback;
  Reader in(frame.body);
  Suback suback;
  suback.packet_id = in.u16();
  const auto raw = version == Version::v5 ? take_properties(in) : std::string_view{};
  if (!in.ok()) return malformed("a SUBACK or UNSUBACK ends before its reason codes");
  if (suback.packet_id == 0) return protocol_error("a SUBACK or UNSUBACK has packet identifier 0");
  suback.codes = in.rest();
  if (!subscribes && version != Version::v5 && !suback.codes.empty())
    return malformed("an UNSUBACK of MQTT 3 is longer than two bytes");
  for (const char code : suback.codes) {
    const auto reason = static_cast<ReasonCode>(static_cast<std::uint8_t>(code));
    const bool granted =
        subscribes ? reason <= ReasonCode::granted_qos_2
                   : reason == ReasonCode::success || reason == ReasonCode::no_subscription_existed;
    if (!granted && !failed(reason))
      return protocol_error("a SUBACK or UNSUBACK has a reason code that it can't have");
  }
  PropertyReader properties(raw, place_of(frame.type()));
  while (properties.next()) {
    if (properties.value().id == Property::reason_string)
      suback.reason_string = properties.value().text;
  }
  if (properties.error()) return *properties.error();
  return suback;
}

}  // namespace linnet::mqtt

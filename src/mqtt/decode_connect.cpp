#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "mqtt/decode.hpp"
#include "mqtt/fault.hpp"

namespace linnet::mqtt {
namespace {

constexpr std::uint8_t kReservedFlag = 0x01;
constexpr std::uint8_t kCleanStartFlag = 0x02;
constexpr std::uint8_t kWillFlag = 0x04;
constexpr std::uint8_t kWillQosFlags = 0x18;
constexpr std::uint8_t kWillRetainFlag = 0x20;
constexpr std::uint8_t kPasswordFlag = 0x40;
constexpr std::uint8_t kUserNameFlag = 0x80;

// Mosquitto's bridges set it in the level of MQTT 3, and try again without it after a CONNACK of
// MQTT 3 with return code 1: so that is what they must get.
constexpr std::uint8_t kBridgeBit = 0x80;

using MaybeError = std::optional<ProtocolError>;

ConnectError unsupported(std::optional<Version> answer_as, const char* text) noexcept {
  return {{ReasonCode::unsupported_protocol_version, text}, answer_as};
}

boost::system::result<Version, ConnectError> decode_version(Reader& in) noexcept {
  const auto name = in.string();
  const auto level = in.u8();
  if (!in.ok()) {
    return ConnectError{malformed("the CONNECT ends within its protocol name; mend its lengths"),
                        std::nullopt};
  }
  if (name == "MQTT") {
    if (level == 5) return Version::v5;
    if (level == 4) return Version::v3_1_1;
    const bool above = level > 5 && level != (kBridgeBit | 3) && level != (kBridgeBit | 4);
    return unsupported(above ? Version::v5 : Version::v3_1_1,
                       "the CONNECT asks for an unknown protocol level of MQTT; use 4 or 5");
  }
  if (name == "MQIsdp") {
    if (level == 3) return Version::v3_1;
    return unsupported(Version::v3_1_1,
                       "the CONNECT asks for an unknown protocol level of MQIsdp; use 3");
  }
  return unsupported(std::nullopt, "the CONNECT has an unknown protocol name; use MQTT");
}

MaybeError check_flags(std::uint8_t flags, Version version) noexcept {
  if ((flags & kReservedFlag) && version != Version::v3_1) {
    return malformed("the CONNECT sets the reserved flag; leave it 0");
  }
  if (!(flags & kWillFlag) && (flags & (kWillQosFlags | kWillRetainFlag))) {
    return malformed("the CONNECT has a Will QoS or Will Retain but no Will; leave them 0");
  }
  if ((flags & kWillQosFlags) == kWillQosFlags) {
    return malformed("the CONNECT has a Will with QoS 3; use 0, 1 or 2");
  }
  if ((flags & kPasswordFlag) && !(flags & kUserNameFlag) && version != Version::v5) {
    return malformed("the CONNECT has a password but no user name; send both or use MQTT 5");
  }
  return {};
}

void keep_property(const PropertyValue& value, Connect& connect) noexcept {
  switch (value.id) {
    case Property::session_expiry_interval: connect.session_expiry_s = value.number; break;
    case Property::receive_maximum:
      connect.receive_maximum = static_cast<std::uint16_t>(value.number);
      break;
    case Property::maximum_packet_size: connect.packet_size_max = value.number; break;
    case Property::topic_alias_maximum:
      connect.topic_alias_max = static_cast<std::uint16_t>(value.number);
      break;
    case Property::request_response_information:
      connect.request_response_information = value.number != 0;
      break;
    case Property::request_problem_information:
      connect.request_problem_information = value.number != 0;
      break;
    case Property::authentication_method: connect.authentication_method = value.text; break;
    case Property::authentication_data: connect.authentication_data = value.text; break;
    default: break;
  }
}

MaybeError decode_properties(Reader& in, Connect& connect) noexcept {
  const auto raw = take_properties(in);
  if (!in.ok()) {
    return malformed("the properties of the CONNECT reach beyond its end; mend their length");
  }
  bool has_method = false;
  bool has_data = false;
  PropertyReader properties(raw, place_of(PacketType::connect));
  while (properties.next()) {
    has_method |= properties.value().id == Property::authentication_method;
    has_data |= properties.value().id == Property::authentication_data;
    keep_property(properties.value(), connect);
  }
  if (properties.error()) return properties.error();
  if (has_data && !has_method) {
    return protocol_error(
        "the CONNECT has Authentication Data but no Authentication Method; send both");
  }
  return {};
}

MaybeError check_will_topic(std::string_view topic) noexcept {
  switch (check_topic_name(topic, TopicLimits{})) {
    case TopicFault::none: return {};
    case TopicFault::not_utf8:
      return malformed("the Will Topic is not UTF-8 without U+0000; mend the text");
    default:
      return ProtocolError{
          ReasonCode::topic_name_invalid,
          "the Will Topic is empty, too deep or holds a wildcard; send a topic name"};
  }
}

MaybeError decode_will(Reader& in, std::uint8_t flags, Connect& connect) noexcept {
  Will will;
  will.qos = static_cast<Qos>((flags & kWillQosFlags) >> 3);
  will.retain = (flags & kWillRetainFlag) != 0;
  const auto raw = connect.version == Version::v5 ? take_properties(in) : std::string_view{};
  will.topic = in.string();
  will.payload = in.string();
  if (!in.ok()) return malformed("the CONNECT ends within its Will; mend its lengths");
  const auto properties = decode_message_properties(raw, kWillPlace);
  if (!properties) return properties.error();
  will.properties = properties->publish;
  will.delay_s = properties->will_delay_s;
  if (auto error = check_will_topic(will.topic)) return error;
  connect.will = will;
  return {};
}

// A client of MQTT 3.1 may set the flags and leave out the fields: there the remaining length
// takes precedence over the flags.
bool is_there(const Reader& in, bool flag, Version version) noexcept {
  return flag && !(version == Version::v3_1 && in.empty());
}

MaybeError decode_credentials(Reader& in, std::uint8_t flags, Connect& connect) noexcept {
  if (is_there(in, flags & kUserNameFlag, connect.version)) connect.user_name = in.string();
  if (is_there(in, flags & kPasswordFlag, connect.version)) connect.password = in.string();
  if (!in.ok()) {
    return malformed("the CONNECT ends within its user name or password; mend its lengths");
  }
  if (connect.user_name && !is_mqtt_utf8(*connect.user_name)) {
    return malformed("the user name is not UTF-8 without U+0000; mend the text");
  }
  return {};
}

MaybeError decode_body(Reader& in, Connect& connect) noexcept {
  const auto flags = in.u8();
  connect.keep_alive_s = in.u16();
  if (!in.ok()) {
    return malformed("the CONNECT ends within its flags and keep-alive; send all of it");
  }
  connect.clean_start = (flags & kCleanStartFlag) != 0;
  if (auto error = check_flags(flags, connect.version)) return error;
  if (connect.version == Version::v5) {
    if (auto error = decode_properties(in, connect)) return error;
  }
  connect.client_id = in.string();
  if (!in.ok()) return malformed("the CONNECT ends within its client identifier; mend its lengths");
  if (!is_mqtt_utf8(connect.client_id)) {
    return malformed("the client identifier is not UTF-8 without U+0000; mend the text");
  }
  if (flags & kWillFlag) {
    if (auto error = decode_will(in, flags, connect)) return error;
  }
  if (auto error = decode_credentials(in, flags, connect)) return error;
  if (!in.empty()) {
    return malformed("the CONNECT has bytes behind its last field; mend its flags or its length");
  }
  return {};
}

}  // namespace

DecodedConnect decode_connect(const Frame& frame) noexcept {
  Reader in(frame.body);
  const auto version = decode_version(in);
  if (!version) return version.error();
  Connect connect;
  connect.version = *version;
  if (const auto error = decode_body(in, connect)) return ConnectError{*error, connect.version};
  return connect;
}

}  // namespace linnet::mqtt

#include "support/wire.hpp"

#include <algorithm>
#include <cctype>

namespace linnet::test {

namespace {

unsigned value_of(char digit) {
  if (digit <= '9') return static_cast<unsigned>(digit - '0');
  return static_cast<unsigned>((digit | 0x20) - 'a') + 10;
}

enum class Form { one, two, four, varint, text, pair };

Form form_of(Property id) {
  switch (id) {
    case Property::payload_format_indicator:
    case Property::request_problem_information:
    case Property::request_response_information:
    case Property::maximum_qos:
    case Property::retain_available:
    case Property::wildcard_subscription_available:
    case Property::subscription_identifier_available:
    case Property::shared_subscription_available: return Form::one;
    case Property::server_keep_alive:
    case Property::receive_maximum:
    case Property::topic_alias_maximum:
    case Property::topic_alias: return Form::two;
    case Property::message_expiry_interval:
    case Property::session_expiry_interval:
    case Property::will_delay_interval:
    case Property::maximum_packet_size: return Form::four;
    case Property::subscription_identifier: return Form::varint;
    case Property::user_property: return Form::pair;
    default: return Form::text;
  }
}

/// The varint-sized block of properties that an MQTT 5 packet has.
void put_properties(Bytes& out, Version version, const Properties& properties) {
  if (version != Version::v5) return;
  out.varint(static_cast<std::uint32_t>(properties.str().size())).raw(properties.str());
}

}  // namespace

std::string from_hex(std::string_view hex) {
  std::string digits;
  std::copy_if(hex.begin(), hex.end(), std::back_inserter(digits),
               [](unsigned char one) { return std::isxdigit(one) != 0; });
  std::string bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
    bytes += static_cast<char>((value_of(digits[at]) << 4) | value_of(digits[at + 1]));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char one : bytes) {
    const auto byte = static_cast<unsigned char>(one);
    if (!hex.empty()) hex += ' ';
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

Bytes& Bytes::u8(unsigned value) {
  bytes_ += static_cast<char>(value & 0xFF);
  return *this;
}
Bytes& Bytes::u16(unsigned value) {
  return u8(value >> 8).u8(value);
}
Bytes& Bytes::u32(std::uint32_t value) {
  return u16(value >> 16).u16(value & 0xFFFF);
}
Bytes& Bytes::varint(std::uint32_t value) {
  for (; value >= 0x80; value >>= 7)
    u8((value & 0x7F) | 0x80);
  return u8(value);
}
Bytes& Bytes::text(std::string_view value) {
  return u16(static_cast<unsigned>(value.size())).raw(value);
}
Bytes& Bytes::raw(std::string_view value) {
  bytes_ += value;
  return *this;
}

Properties& Properties::number(Property id, std::uint32_t value) {
  bytes_.u8(static_cast<unsigned>(id));
  switch (form_of(id)) {
    case Form::one: bytes_.u8(value); break;
    case Form::two: bytes_.u16(value); break;
    case Form::varint: bytes_.varint(value); break;
    default: bytes_.u32(value); break;
  }
  return *this;
}
Properties& Properties::text(Property id, std::string_view value) {
  bytes_.u8(static_cast<unsigned>(id)).text(value);
  return *this;
}
Properties& Properties::user(std::string_view name, std::string_view value) {
  bytes_.u8(static_cast<unsigned>(Property::user_property)).text(name).text(value);
  return *this;
}
Properties& Properties::add(const Properties& others) {
  bytes_.raw(others.str());
  return *this;
}

std::string packet(unsigned first_byte, std::string_view body) {
  return Bytes().u8(first_byte).varint(static_cast<std::uint32_t>(body.size())).raw(body).str();
}

namespace {

unsigned flag(bool set, unsigned bit) {
  return set ? 1U << bit : 0U;
}

void put_will(Bytes& out, Version version, const WillOptions& will) {
  Properties properties;
  if (will.delay_s != 0) properties.number(Property::will_delay_interval, will.delay_s);
  if (will.expiry_s) properties.number(Property::message_expiry_interval, *will.expiry_s);
  put_properties(out, version, properties.add(will.properties));
  out.text(will.topic).text(will.payload);
}

Properties connect_properties(const ConnectOptions& options) {
  Properties all;
  if (options.expiry_s != 0) all.number(Property::session_expiry_interval, options.expiry_s);
  if (options.receive_maximum) all.number(Property::receive_maximum, *options.receive_maximum);
  if (options.packet_size_max) all.number(Property::maximum_packet_size, *options.packet_size_max);
  if (options.topic_alias_max) all.number(Property::topic_alias_maximum, *options.topic_alias_max);
  return all.add(options.properties);
}

}  // namespace

std::string connect_packet(Version version, std::string_view client_id,
                           const ConnectOptions& options) {
  Bytes out;
  out.text(version == Version::v3_1 ? "MQIsdp" : "MQTT").u8(static_cast<unsigned>(version));
  unsigned flags = flag(options.clean_start, 1) | flag(options.will.has_value(), 2) |
                   flag(options.password.has_value(), 6) | flag(options.user_name.has_value(), 7);
  if (options.will) flags |= (options.will->qos << 3) | flag(options.will->retain, 5);
  out.u8(flags).u16(options.keep_alive_s);
  put_properties(out, version, connect_properties(options));
  out.text(client_id);
  if (options.will) put_will(out, version, *options.will);
  if (options.user_name) out.text(*options.user_name);
  if (options.password) out.text(*options.password);
  return packet(0x10, out.str());
}

std::string publish_packet(Version version, std::string_view topic, std::string_view payload,
                           const PublishOptions& options) {
  Bytes out;
  out.text(topic);
  if (options.qos > 0) out.u16(options.packet_id);
  Properties properties;
  if (options.alias != 0) properties.number(Property::topic_alias, options.alias);
  if (options.expiry_s) properties.number(Property::message_expiry_interval, *options.expiry_s);
  put_properties(out, version, properties.add(options.properties));
  out.raw(payload);
  return packet(0x30 | flag(options.dup, 3) | (options.qos << 1) | flag(options.retain, 0),
                out.str());
}

std::string ack_packet(Version version, PacketType type, unsigned packet_id, ReasonCode reason) {
  Bytes out;
  out.u16(packet_id);
  if (version == Version::v5 && reason != ReasonCode::success) {
    out.u8(static_cast<unsigned>(reason));
  }
  const unsigned flags = type == PacketType::pubrel ? 2 : 0;
  return packet((static_cast<unsigned>(type) << 4) | flags, out.str());
}

std::string subscribe_packet(Version version, unsigned packet_id,
                             const std::vector<std::string>& filters,
                             const SubscribeOptions& options) {
  Bytes out;
  out.u16(packet_id);
  Properties properties;
  if (options.id != 0) properties.number(Property::subscription_identifier, options.id);
  put_properties(out, version, properties);
  for (const std::string& filter : filters) {
    out.text(filter).u8(options.qos | flag(options.no_local, 2) |
                        flag(options.retain_as_published, 3) | (options.retain_handling << 4));
  }
  return packet(0x82, out.str());
}

std::string unsubscribe_packet(Version version, unsigned packet_id,
                               const std::vector<std::string>& filters) {
  Bytes out;
  out.u16(packet_id);
  put_properties(out, version, {});
  for (const std::string& filter : filters)
    out.text(filter);
  return packet(0xA2, out.str());
}

std::string disconnect_packet(Version version, ReasonCode reason,
                              std::optional<std::uint32_t> expiry_s) {
  Bytes out;
  if (version == Version::v5 && (reason != ReasonCode::success || expiry_s)) {
    Properties properties;
    if (expiry_s) properties.number(Property::session_expiry_interval, *expiry_s);
    out.u8(static_cast<unsigned>(reason));
    put_properties(out, version, properties);
  }
  return packet(0xE0, out.str());
}

std::string auth_packet(ReasonCode reason, std::string_view method, std::string_view data) {
  Properties properties;
  if (!method.empty()) properties.text(Property::authentication_method, method);
  if (!data.empty()) properties.text(Property::authentication_data, data);
  Bytes out;
  out.u8(static_cast<unsigned>(reason));
  put_properties(out, Version::v5, properties);
  return packet(0xF0, out.str());
}

}  // namespace linnet::test

#include "bench/packets.hpp"

#include <array>

#include "base/bytes.hpp"
#include "base/cat.hpp"
#include "mqtt/framer.hpp"
#include "mqtt/property.hpp"

namespace linnet::bench {

namespace {

constexpr std::uint32_t kKeptS = 3600;

void add_u16(std::string& out, std::size_t value) {
  out += static_cast<char>(value >> 8 & 0xFF);
  out += static_cast<char>(value & 0xFF);
}

void add_text(std::string& out, std::string_view text) {
  add_u16(out, text.size());
  out += text;
}

/// `more` bytes follow the body.
std::string with_header(std::uint8_t first_byte, std::string_view body, std::size_t more = 0) {
  std::array<char, 5> head{};
  Writer writer(head.data());
  writer.u8(first_byte);
  writer.varint(static_cast<std::uint32_t>(body.size() + more));
  std::string packet(head.data(), static_cast<std::size_t>(writer.position() - head.data()));
  return packet.append(body);
}

/// MQTT 3 has return codes of its own.
std::string return_code_text(std::uint8_t code) {
  switch (code) {
    case 1: return "Unacceptable protocol version (1)";
    case 2: return "Identifier rejected (2)";
    case 3: return "Server unavailable (3)";
    case 4: return "Bad user name or password (4)";
    case 5: return "Not authorized (5)";
    default: return cat("return code ", code);
  }
}

void read_properties(std::string_view raw, ConnackAnswer& answer) {
  mqtt::PropertyReader properties(raw, mqtt::place_of(mqtt::PacketType::connack));
  while (properties.next()) {
    const auto& value = properties.value();
    switch (value.id) {
      case mqtt::Property::receive_maximum:
        answer.receive_maximum = static_cast<std::uint16_t>(value.number);
        break;
      case mqtt::Property::maximum_qos:
        answer.qos_max = static_cast<std::uint8_t>(value.number);
        break;
      case mqtt::Property::maximum_packet_size: answer.packet_size_max = value.number; break;
      case mqtt::Property::server_keep_alive:
        answer.keep_alive_s = static_cast<std::uint16_t>(value.number);
        break;
      default: break;
    }
  }
  if (properties.error())
    answer.fault = cat("has sent a broken CONNACK: ", properties.error()->text);
}

}  // namespace

std::string reason_text(ReasonCode reason) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto code = static_cast<std::uint8_t>(reason);
  return cat(name_of(reason), " (0x", kDigits[code >> 4], kDigits[code & 15], ')');
}

std::string connect_packet(const ConnectPacket& connect) {
  std::string body;
  add_text(body, connect.version == Version::v3_1 ? "MQIsdp" : "MQTT");
  body += static_cast<char>(connect.version);
  std::uint8_t flags = connect.clean ? 0x02 : 0;
  if (!connect.user.empty()) flags |= 0x80;
  if (!connect.password.empty()) flags |= 0x40;
  body += static_cast<char>(flags);
  add_u16(body, 0);  // no Keep Alive
  if (connect.version == Version::v5) {
    if (connect.clean) {
      body += '\0';
    } else {
      body += '\x05';
      body += static_cast<char>(mqtt::Property::session_expiry_interval);
      add_u16(body, kKeptS >> 16);
      add_u16(body, kKeptS);
    }
  }
  add_text(body, connect.client_id);
  if (!connect.user.empty()) add_text(body, connect.user);
  if (!connect.password.empty()) add_text(body, connect.password);
  return with_header(0x10, body);
}

std::string subscribe_packet(std::string_view filter, Qos qos, Version version) {
  std::string body;
  add_u16(body, 1);
  if (version == Version::v5) body += '\0';
  add_text(body, filter);
  body += static_cast<char>(qos);
  return with_header(0x82, body);
}

std::string disconnect_packet() {
  return with_header(0xE0, {});
}

std::string ping_packet() {
  return with_header(0xC0, {});
}

PublishForm publish_form(const PublishShape& shape, std::size_t payload) {
  PublishForm form;
  std::string body;
  add_text(body, shape.topic);
  if (shape.qos != Qos::at_most_once) {
    form.packet_id_at = body.size();
    add_u16(body, 1);
  }
  if (shape.version == Version::v5) body += '\0';
  const auto first_byte = static_cast<std::uint8_t>(
      0x30 | static_cast<std::uint8_t>(shape.qos) << 1 | (shape.retain ? 1 : 0));
  form.head = with_header(first_byte, body, payload);
  if (form.packet_id_at > 0) form.packet_id_at += form.head.size() - body.size();
  return form;
}

ConnackAnswer read_connack(std::string_view body, Version version) {
  ConnackAnswer answer;
  Reader in(body);
  answer.session_present = (in.u8() & 1) != 0;
  const std::uint8_t code = in.u8();
  std::string_view properties;
  // A refusal may be that of an older protocol: without properties.
  if (version == Version::v5 && !in.empty()) properties = mqtt::take_properties(in);
  if (!in.ok() || !in.empty()) {
    answer.fault = "has sent a broken CONNACK";
    return answer;
  }
  read_properties(properties, answer);
  if (code == 0 || !answer.fault.empty()) return answer;
  const bool is_reason = version == Version::v5 && code >= 0x80;
  answer.fault =
      cat("refuses the connection: ",
          is_reason ? reason_text(static_cast<ReasonCode>(code)) : return_code_text(code));
  return answer;
}

std::string suback_fault(std::string_view body, Qos qos, Version version) {
  Reader in(body);
  const std::uint16_t packet_id = in.u16();
  if (version == Version::v5) (void)mqtt::take_properties(in);
  const std::uint8_t code = in.u8();
  if (!in.ok() || !in.empty() || packet_id != 1) return "has sent a broken SUBACK";
  if (code >= 0x80) {
    return version == Version::v5
               ? cat("refuses the subscription: ", reason_text(static_cast<ReasonCode>(code)))
               : std::string("refuses the subscription");
  }
  if (code == static_cast<std::uint8_t>(qos)) return {};
  return cat("grants QoS ", code, " where QoS ", static_cast<std::uint8_t>(qos), " was asked for");
}

std::string disconnect_text(std::string_view body) {
  if (body.empty()) return "has ended the connection";
  return cat("has ended the connection: ",
             reason_text(static_cast<ReasonCode>(static_cast<std::uint8_t>(body[0]))));
}

}  // namespace linnet::bench

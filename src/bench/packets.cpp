#include "bench/packets.hpp"

#include <array>

#include "base/bytes.hpp"
#include "base/cat.hpp"
#include "client/session.hpp"
#include "mqtt/decode_client.hpp"
#include "mqtt/encode_client.hpp"
#include "mqtt/property_writer.hpp"

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

mqtt::Frame frame_of(mqtt::PacketType type, std::string_view body) noexcept {
  return {static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4), body, body};
}

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

}  // namespace

std::string reason_text(ReasonCode reason) {
  return client::reason_text(reason);
}

std::string connect_packet(const ConnectPacket& connect) {
  mqtt::PropertyWriter kept;
  if (!connect.clean) kept.u32(mqtt::Property::session_expiry_interval, kKeptS);
  mqtt::OutgoingConnect packet;
  packet.version = connect.version;
  packet.clean_start = connect.clean;
  packet.client_id = connect.client_id;
  if (!connect.user.empty()) packet.user_name = connect.user;
  if (!connect.password.empty()) packet.password = connect.password;
  packet.properties = kept.bytes();
  std::string bytes;
  mqtt::append(bytes, packet);
  return bytes;
}

std::string subscribe_packet(std::string_view filter, Qos qos, Version version) {
  const mqtt::TopicFilter filters[] = {{filter, {.qos = qos}}};
  std::string bytes;
  mqtt::append(bytes, mqtt::OutgoingSubscribe{1, filters, {}}, version);
  return bytes;
}

std::string disconnect_packet() {
  std::string bytes;
  mqtt::append(bytes, mqtt::OutgoingDisconnect{}, Version::v5);
  return bytes;
}

std::string ping_packet() {
  std::string bytes;
  mqtt::append_pingreq(bytes);
  return bytes;
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
  const auto connack = mqtt::decode_connack(frame_of(mqtt::PacketType::connack, body), version);
  if (!connack) {
    answer.fault = cat("has sent a broken CONNACK: ", connack.error().text);
    return answer;
  }
  answer.session_present = connack->session_present;
  answer.receive_maximum = connack->receive_maximum;
  answer.qos_max = static_cast<std::uint8_t>(connack->qos_max);
  answer.packet_size_max = connack->packet_size_max;
  answer.keep_alive_s = connack->server_keep_alive_s.value_or(0);
  if (connack->reason == ReasonCode::success) return answer;
  // MQTT 3 has return codes of its own.
  const auto code = static_cast<std::uint8_t>(body[1]);
  answer.fault = cat("refuses the connection: ",
                     code >= 0x80 ? reason_text(connack->reason) : return_code_text(code));
  return answer;
}

std::string suback_fault(std::string_view body, Qos qos, Version version) {
  const auto suback = mqtt::decode_suback(frame_of(mqtt::PacketType::suback, body), version);
  if (!suback || suback->packet_id != 1 || suback->codes.size() != 1)
    return "has sent a broken SUBACK";
  const ReasonCode reason = suback->reason(0);
  if (failed(reason)) {
    return version == Version::v5 ? cat("refuses the subscription: ", reason_text(reason))
                                  : std::string("refuses the subscription");
  }
  const auto granted = static_cast<std::uint8_t>(reason);
  if (granted == static_cast<std::uint8_t>(qos)) return {};
  return cat("grants QoS ", granted, " where QoS ", static_cast<std::uint8_t>(qos),
             " was asked for");
}

std::string disconnect_text(std::string_view body) {
  if (body.empty()) return "has ended the connection";
  return cat("has ended the connection: ",
             reason_text(static_cast<ReasonCode>(static_cast<std::uint8_t>(body[0]))));
}

}  // namespace linnet::bench

// Packets from the bytes that the broker sends.
#include <sstream>

#include "base/bytes.hpp"
#include "support/wire.hpp"

namespace linnet::test {

namespace {

/// Reads one property's value; false if the identifier is unknown.
bool read_value(Reader& in, Packet::Prop& prop) {
  using P = Property;
  switch (prop.id) {
    case P::payload_format_indicator:
    case P::maximum_qos:
    case P::retain_available:
    case P::wildcard_subscription_available:
    case P::subscription_identifier_available:
    case P::shared_subscription_available: prop.number = in.u8(); return true;
    case P::server_keep_alive:
    case P::receive_maximum:
    case P::topic_alias_maximum:
    case P::topic_alias: prop.number = in.u16(); return true;
    case P::message_expiry_interval:
    case P::session_expiry_interval:
    case P::maximum_packet_size: prop.number = in.u32(); return true;
    case P::subscription_identifier: prop.number = in.varint(); return true;
    case P::content_type:
    case P::response_topic:
    case P::correlation_data:
    case P::assigned_client_identifier:
    case P::authentication_method:
    case P::authentication_data:
    case P::response_information:
    case P::server_reference:
    case P::reason_string: prop.text = in.string(); return true;
    case P::user_property:
      prop.text = in.string();
      prop.second = in.string();
      return true;
    default: return false;
  }
}

void read_properties(Reader& in, Packet& out) {
  Reader all(in.take(in.varint()));
  while (all.ok() && !all.empty()) {
    Packet::Prop prop;
    prop.id = static_cast<Property>(all.varint());
    if (!read_value(all, prop)) {
      out.error = "a property that a server does not send";
      return;
    }
    out.properties.push_back(std::move(prop));
  }
  if (!all.ok()) out.error = "a property is cut short";
}

void read_publish(Reader& in, Packet& out, Version version) {
  out.topic = in.string();
  if (out.qos > 0) out.packet_id = in.u16();
  if (version == Version::v5) read_properties(in, out);
  out.payload = in.rest();
  if (out.qos > 0 && out.packet_id == 0) out.error = "packet identifier 0";
  if (out.qos > 2) out.error = "QoS 3";
}

void read_reasons(Reader& in, Packet& out, Version version) {
  out.packet_id = in.u16();
  if (version == Version::v5) read_properties(in, out);
  while (in.ok() && !in.empty())
    out.reasons.push_back(static_cast<ReasonCode>(in.u8()));
}

/// PUBACK and its like, DISCONNECT, AUTH: reason and properties can be left out at the end.
void read_reason(Reader& in, Packet& out) {
  if (in.empty()) return;
  out.reason = static_cast<ReasonCode>(in.u8());
  if (!in.empty()) read_properties(in, out);
}

void read_body(Reader& in, Packet& out, Version version) {
  switch (out.type) {
    case PacketType::connack:
      out.session_present = in.u8() == 1;
      out.reason = static_cast<ReasonCode>(in.u8());
      if (version == Version::v5) read_properties(in, out);
      break;
    case PacketType::publish: return read_publish(in, out, version);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      out.packet_id = in.u16();
      read_reason(in, out);
      break;
    case PacketType::suback:
    case PacketType::unsuback: read_reasons(in, out, version); break;
    case PacketType::pingresp: break;
    case PacketType::disconnect:
    case PacketType::auth: read_reason(in, out); break;
    default: out.error = "not a packet that a server sends"; return;
  }
  if (!in.empty()) out.error = "bytes behind the end of the packet";
}

std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out(text.substr(0, kShown));
  for (char& one : out) {
    if (one < ' ' || one > '~') one = '.';
  }
  if (text.size() > kShown) out += "... (" + std::to_string(text.size()) + " bytes)";
  return '"' + out + '"';
}

void dump_property(std::ostream& out, const Packet::Prop& prop) {
  for (const auto& rule : mqtt::property_rules()) {
    if (rule.id == prop.id) out << ' ' << rule.name << '=';
  }
  out << (prop.text.empty() ? std::to_string(prop.number) : shown(prop.text));
  if (!prop.second.empty()) out << ':' << shown(prop.second);
}

}  // namespace

std::optional<Packet> take_packet(std::string& bytes, Version version) {
  if (bytes.size() < 2) return std::nullopt;
  std::size_t size = 0;
  std::size_t at = 1;
  for (unsigned shift = 0;; shift += 7, ++at) {
    if (at >= bytes.size()) return std::nullopt;
    size |= static_cast<std::size_t>(bytes[at] & 0x7F) << shift;
    if ((bytes[at] & 0x80) == 0 || shift == 21) break;
  }
  const std::size_t head = at + 1;
  if (bytes.size() < head + size) return std::nullopt;
  Packet out;
  out.bytes = bytes.substr(0, head + size);
  bytes.erase(0, head + size);
  const auto first = static_cast<unsigned char>(out.bytes[0]);
  out.type = static_cast<PacketType>(first >> 4);
  out.dup = (first & 8) != 0;
  out.qos = (first >> 1) & 3U;
  out.retain = (first & 1) != 0;
  Reader in(std::string_view(out.bytes).substr(head));
  read_body(in, out, version);
  if (!in.ok()) out.error = "the packet is cut short";
  if (out.type != PacketType::publish) out.qos = 0, out.dup = out.retain = false;
  return out;
}

const Packet::Prop* Packet::find(Property id) const {
  for (const Prop& prop : properties) {
    if (prop.id == id) return &prop;
  }
  return nullptr;
}

std::optional<std::uint32_t> Packet::number(Property id) const {
  const Prop* prop = find(id);
  return prop == nullptr ? std::nullopt : std::optional(prop->number);
}

std::string Packet::text(Property id) const {
  const Prop* prop = find(id);
  return prop == nullptr ? std::string() : prop->text;
}

std::optional<std::string> Packet::user(std::string_view name) const {
  for (const Prop& prop : properties) {
    if (prop.id == Property::user_property && prop.text == name) return prop.second;
  }
  return std::nullopt;
}

std::vector<std::uint32_t> Packet::subscription_ids() const {
  std::vector<std::uint32_t> ids;
  for (const Prop& prop : properties) {
    if (prop.id == Property::subscription_identifier) ids.push_back(prop.number);
  }
  return ids;
}

std::string Packet::dump() const {
  std::ostringstream out;
  out << mqtt::name_of(type);
  if (type == PacketType::publish) {
    out << ' ' << topic << ' ' << shown(payload) << " qos=" << qos;
    if (retain) out << " retain";
    if (dup) out << " dup";
  }
  if (packet_id != 0) out << " id=" << packet_id;
  if (session_present) out << " session-present";
  if (reason != ReasonCode::success) {
    out << " reason=0x" << std::hex << static_cast<unsigned>(reason) << std::dec << " ("
        << name_of(reason) << ')';
  }
  for (const ReasonCode one : reasons)
    out << " 0x" << std::hex << static_cast<unsigned>(one);
  out << std::dec;
  for (const Prop& prop : properties)
    dump_property(out, prop);
  if (!error.empty()) out << " UNREADABLE: " << error << " [" << to_hex(bytes) << ']';
  return out.str();
}

}  // namespace linnet::test

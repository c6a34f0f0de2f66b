#include "mqtt/encode_client.hpp"

#include "mqtt/property_writer.hpp"
#include "mqtt/put.hpp"

namespace linnet::mqtt {
namespace {

// First bytes, with the flags that the standard wants.
constexpr std::uint8_t kConnect = 0x10;
constexpr std::uint8_t kSubscribe = 0x82;
constexpr std::uint8_t kUnsubscribe = 0xA2;
constexpr std::uint8_t kPingreq = 0xC0;
constexpr std::uint8_t kDisconnect = 0xE0;

std::uint8_t flags_of(const OutgoingConnect& connect) noexcept {
  unsigned flags = connect.clean_start ? 0x02u : 0u;
  if (connect.will) {
    flags |= 0x04u | static_cast<unsigned>(connect.will->qos) << 3;
    if (connect.will->retain) flags |= 0x20u;
  }
  if (connect.password) flags |= 0x40u;
  if (connect.user_name) flags |= 0x80u;
  return static_cast<std::uint8_t>(flags);
}

// In MQTT 3 retain handling and the other options do not exist.
std::uint8_t options_of(const SubscriptionOptions& options, Version version) noexcept {
  auto byte = static_cast<unsigned>(options.qos);
  if (version == Version::v5) {
    if (options.no_local) byte |= 0x04u;
    if (options.retain_as_published) byte |= 0x08u;
    byte |= (options.retain_handling & 0x03u) << 4;
  }
  return static_cast<std::uint8_t>(byte);
}

}  // namespace

void append(std::string& target, const OutgoingConnect& connect) {
  const bool is_v5 = connect.version == Version::v5;
  std::string body;
  put_string(body, connect.version == Version::v3_1 ? "MQIsdp" : "MQTT");
  put_u8(body, static_cast<std::uint8_t>(connect.version));
  put_u8(body, flags_of(connect));
  put_u16(body, connect.keep_alive_s);
  if (is_v5) put_properties(body, connect.properties);
  put_string(body, connect.client_id);
  if (connect.will) {
    if (is_v5) put_properties(body, connect.will->properties);
    put_string(body, connect.will->topic);
    put_string(body, connect.will->payload);
  }
  if (connect.user_name) put_string(body, *connect.user_name);
  if (connect.password) put_string(body, *connect.password);
  put_packet(target, kConnect, body);
}

void append(std::string& target, const OutgoingSubscribe& subscribe, Version version) {
  std::string body;
  put_u16(body, subscribe.packet_id);
  if (version == Version::v5) put_properties(body, subscribe.properties);
  for (const TopicFilter& filter : subscribe.filters) {
    put_string(body, filter.filter);
    put_u8(body, options_of(filter.options, version));
  }
  put_packet(target, kSubscribe, body);
}

void append(std::string& target, const OutgoingUnsubscribe& unsubscribe, Version version) {
  std::string body;
  put_u16(body, unsubscribe.packet_id);
  if (version == Version::v5) put_properties(body, unsubscribe.properties);
  for (const std::string_view filter : unsubscribe.filters)
    put_string(body, filter);
  put_packet(target, kUnsubscribe, body);
}

void append_pingreq(std::string& target) {
  put_packet(target, kPingreq, {});
}

void append(std::string& target, const OutgoingDisconnect& disconnect, Version version) {
  std::string body;
  const bool says = disconnect.reason != ReasonCode::success || !disconnect.properties.empty();
  if (version == Version::v5 && says) {
    put_u8(body, static_cast<std::uint8_t>(disconnect.reason));
    if (!disconnect.properties.empty()) put_properties(body, disconnect.properties);
  }
  put_packet(target, kDisconnect, body);
}

}  // namespace linnet::mqtt

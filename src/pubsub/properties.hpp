// MQTT 5's properties as people write them: "content-type" and a value. Pure.
//
//   PropertyTexts texts{"publish", "content-type", "text/plain", "publish", "user-property", "a",
//                       "b"};
//   std::string error;
//   const auto properties = parse_properties(texts, error);       // nothing: `error` says why
//   properties->of(PropertyPacket::publish)                       // in their wire form
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mqtt/property.hpp"

namespace linnet::pubsub {

/// Which packets may be given properties.
enum class PropertyPacket : std::uint8_t {
  connect,
  publish,
  subscribe,
  unsubscribe,
  disconnect,
  will,
};
inline constexpr std::size_t kPropertyPackets = 6;

class PacketProperties {
 public:
  [[nodiscard]] const std::string& of(PropertyPacket packet) const noexcept {
    return wire_[static_cast<std::size_t>(packet)];
  }
  [[nodiscard]] std::string& of(PropertyPacket packet) noexcept {
    return wire_[static_cast<std::size_t>(packet)];
  }
  /// The Topic Alias of a PUBLISH stands here, and not in its wire form; 0: none.
  std::uint16_t topic_alias = 0;
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] bool has(PropertyPacket packet, mqtt::Property id) const noexcept;

 private:
  std::array<std::string, kPropertyPackets> wire_;
};

/// `texts` are all options -D, one behind the other: packet, name and value, or packet,
/// user-property, name and value.
[[nodiscard]] std::optional<PacketProperties> parse_properties(std::span<const std::string> texts,
                                                               std::string& error);

/// "content-type".
[[nodiscard]] std::string property_name(mqtt::Property id);

}  // namespace linnet::pubsub

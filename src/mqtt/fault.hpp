// What the decoders say when a packet is wrong, and the rules that several packets share. Private
// to this room.
#pragma once

#include "base/result.hpp"
#include "mqtt/property.hpp"

namespace linnet::mqtt {

[[nodiscard]] constexpr ProtocolError malformed(const char* text) noexcept {
  return {ReasonCode::malformed_packet, text};
}
[[nodiscard]] constexpr ProtocolError protocol_error(const char* text) noexcept {
  return {ReasonCode::protocol_error, text};
}

/// Where the properties of a message were found, and what only a Will has.
struct MessageProperties {
  PublishProperties publish;
  std::uint32_t will_delay_s = 0;
};

/// Reads the properties of a PUBLISH from a client or of a Will.
[[nodiscard]] Decoded<MessageProperties> decode_message_properties(std::string_view raw,
                                                                   PropertyPlaces place) noexcept;

/// The DUP flag in PUBREL, SUBSCRIBE and UNSUBSCRIBE is one of MQTT 3.1 alone.
[[nodiscard]] inline bool has_stray_dup(const Frame& frame, Version version) noexcept {
  return (frame.flags() & 0x08) && version != Version::v3_1;
}
inline constexpr const char* kStrayDupText =
    "the packet has the DUP flag; only MQTT 3.1 knows it here, so leave it 0";

}  // namespace linnet::mqtt

// The framer: where does one control packet end and the next begin (MQTT 5.0, section 2.1).
// Pure; nothing is copied and nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"

namespace linnet::mqtt {

/// The control packets, with their numbers on the wire (MQTT 5.0, table 2-1).
enum class PacketType : std::uint8_t {
  reserved = 0,
  connect = 1,
  connack = 2,
  publish = 3,
  puback = 4,
  pubrec = 5,
  pubrel = 6,
  pubcomp = 7,
  subscribe = 8,
  suback = 9,
  unsubscribe = 10,
  unsuback = 11,
  pingreq = 12,
  pingresp = 13,
  disconnect = 14,
  auth = 15,
};

/// "PUBLISH", "CONNECT" …, for logs.
[[nodiscard]] std::string_view name_of(PacketType type) noexcept;

/// One whole control packet: views into the bytes that were received.
struct Frame {
  std::uint8_t first_byte = 0;
  std::string_view body;   // after the fixed header
  std::string_view whole;  // fixed header included

  [[nodiscard]] PacketType type() const noexcept {
    return static_cast<PacketType>(first_byte >> 4);
  }
  [[nodiscard]] std::uint8_t flags() const noexcept { return first_byte & 0x0F; }
};

/// What next_frame found at the head of some bytes.
struct Framed {
  enum class State : std::uint8_t { whole, incomplete, bad };
  State state = State::incomplete;
  Frame frame;               // if whole
  ProtocolError error;       // if bad
  std::size_t size_min = 2;  // if incomplete: how many bytes the packet has at least
};

/// Finds the first packet in `bytes`. A packet of more than `size_max` bytes (fixed header
/// included) is bad as soon as its length is known (Packet too large), and so is a length of five
/// bytes or of more bytes than it needs (MQTT-1.5.5-1), a reserved packet type, or flags that the
/// type does not have (MQTT-2.1.3-1). The DUP flag that MQTT 3.1 has in PUBREL, SUBSCRIBE and
/// UNSUBSCRIBE passes here: their decoders know the version, and refuse it in every other.
[[nodiscard]] Framed next_frame(std::string_view bytes, std::size_t size_max) noexcept;

}  // namespace linnet::mqtt

#include "mqtt/framer.hpp"

#include <array>

namespace linnet::mqtt {
namespace {

constexpr std::array<std::string_view, 16> kNames{"reserved packet type 0",
                                                  "CONNECT",
                                                  "CONNACK",
                                                  "PUBLISH",
                                                  "PUBACK",
                                                  "PUBREC",
                                                  "PUBREL",
                                                  "PUBCOMP",
                                                  "SUBSCRIBE",
                                                  "SUBACK",
                                                  "UNSUBSCRIBE",
                                                  "UNSUBACK",
                                                  "PINGREQ",
                                                  "PINGRESP",
                                                  "DISCONNECT",
                                                  "AUTH"};

// For each packet type the flags that it may have, one bit for each of their 16 values. A DUP flag
// is let through where MQTT 3.1 has one (PUBREL, SUBSCRIBE, UNSUBSCRIBE): only the decoder knows
// the version.
constexpr std::uint16_t kNone = 1u << 0x0;
constexpr std::uint16_t kQos1 = (1u << 0x2) | (1u << 0xA);
constexpr std::array<std::uint16_t, 16> kFlagsAllowed{0,     kNone, kNone, 0xFFFF, kNone, kNone,
                                                      kQos1, kNone, kQos1, kNone,  kQos1, kNone,
                                                      kNone, kNone, kNone, kNone};

constexpr std::size_t kLengthBytesMax = 4;

Framed bad(ReasonCode reason, const char* text) noexcept {
  Framed found;
  found.state = Framed::State::bad;
  found.error = {reason, text};
  return found;
}

Framed incomplete(std::size_t size_min) noexcept {
  Framed found;
  found.size_min = size_min;
  return found;
}

Framed bad_first_byte(std::uint8_t first_byte) noexcept {
  if (first_byte >> 4 == 0) {
    return bad(ReasonCode::malformed_packet,
               "a packet has the reserved type 0; use the types 1 to 15");
  }
  return bad(ReasonCode::malformed_packet,
             "a packet has flags that its type does not have; set them as the standard says");
}

}  // namespace

std::string_view name_of(PacketType type) noexcept {
  return kNames[static_cast<std::size_t>(type) & 0x0F];
}

Framed next_frame(std::string_view bytes, std::size_t size_max) noexcept {
  if (bytes.empty()) return incomplete(2);
  const auto first_byte = static_cast<std::uint8_t>(bytes[0]);
  if (!((kFlagsAllowed[first_byte >> 4] >> (first_byte & 0x0F)) & 1u)) {
    return bad_first_byte(first_byte);
  }
  std::size_t length = 0;
  std::size_t head = 1;
  for (;;) {
    if (head == bytes.size()) return incomplete(head + 1);
    const auto next = static_cast<std::uint8_t>(bytes[head]);
    length |= static_cast<std::size_t>(next & 0x7F) << (7 * (head - 1));
    ++head;
    if (next < 0x80) {
      if (next == 0 && head > 2) {
        return bad(ReasonCode::malformed_packet,
                   "a remaining length has more bytes than it needs; use the shortest form");
      }
      break;
    }
    if (head > kLengthBytesMax) {
      return bad(ReasonCode::malformed_packet,
                 "a remaining length has more than four bytes; send at most 268435455 bytes");
    }
  }
  const auto size = head + length;
  if (size > size_max) {
    return bad(ReasonCode::packet_too_large,
               "a packet is larger than this server takes; send smaller packets");
  }
  if (bytes.size() < size) return incomplete(size);
  Framed found;
  found.state = Framed::State::whole;
  found.frame = {first_byte, bytes.substr(head, length), bytes.substr(0, size)};
  return found;
}

}  // namespace linnet::mqtt

// From frames to packets, for a client: the packets that a server may send. Pure. The results are
// views into the frame, which must outlive them. A server's bytes are as hostile as a client's:
// what the standard calls malformed or a protocol error within one packet is found here.
#pragma once

#include "base/result.hpp"
#include "mqtt/framer.hpp"
#include "mqtt/packet.hpp"

namespace linnet::mqtt {

/// A refusal may come in the form of MQTT 3.1.1, from a server that knows no other: its return code
/// becomes the reason code that fits best.
[[nodiscard]] Decoded<Connack> decode_connack(const Frame& frame, Version version) noexcept;

/// A PUBLISH as a client gets it.
struct ReceivedPublish {
  std::string_view topic{};  // empty: the alias names it
  std::string_view payload{};
  PacketId packet_id = 0;  // 0 at QoS 0
  Qos qos = Qos::at_most_once;
  bool dup = false;
  bool retain = false;
  std::uint16_t topic_alias = 0;  // 0: none
  /// All properties in their wire form, Subscription Identifiers among them. They have been
  /// checked, so that walking them with a PropertyReader can't fail.
  std::string_view properties{};
};
[[nodiscard]] Decoded<ReceivedPublish> decode_received_publish(const Frame& frame,
                                                               Version version) noexcept;

/// PUBACK, PUBREC, PUBREL or PUBCOMP; only reason codes that a server may send.
[[nodiscard]] Decoded<Ack> decode_server_ack(const Frame& frame, Version version) noexcept;

/// SUBACK and UNSUBACK have one form.
struct Suback {
  PacketId packet_id = 0;
  std::string_view codes{};  // one byte for each filter; none in an UNSUBACK of MQTT 3
  std::string_view reason_string{};

  /// Of filter `at`. What MQTT 3 refuses is an unspecified error.
  [[nodiscard]] ReasonCode reason(std::size_t at) const noexcept {
    return static_cast<ReasonCode>(static_cast<std::uint8_t>(codes[at]));
  }
};
[[nodiscard]] Decoded<Suback> decode_suback(const Frame& frame, Version version) noexcept;

/// MQTT 5 only.
[[nodiscard]] Decoded<Disconnect> decode_server_disconnect(const Frame& frame) noexcept;
[[nodiscard]] Decoded<Auth> decode_server_auth(const Frame& frame) noexcept;

}  // namespace linnet::mqtt

// From packets to bytes, for a server: the packets that go to a client. Pure. Each packet has a
// size function and a write function, so that the bytes are written once, straight into the memory
// that will be sent; `append` does both for a std::string. The bytes are those of the given
// version.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "mqtt/framer.hpp"
#include "mqtt/packet.hpp"

namespace linnet::mqtt {

/// One copy of an application message on its way to one client.
struct OutgoingPublish {
  std::string_view topic{};  // empty: the alias alone names it
  std::string_view payload{};
  std::string_view forwarded{};  // see PublishProperties; not written in MQTT 3
  Qos qos = Qos::at_most_once;
  bool dup = false;
  bool retain = false;
  PacketId packet_id = 0;
  std::uint16_t topic_alias = 0;                    // 0: none
  std::optional<std::uint32_t> message_expiry_s{};  // what is left of it
  std::span<const std::uint32_t> subscription_ids{};
  /// How many messages this receiver missed before this one; written as a last User Property
  /// `linnet-dropped` if not 0.
  std::uint32_t dropped = 0;
};

/// Where in an encoded PUBLISH the packet identifier stands: a copy of the bytes for another
/// receiver is patched there.
struct PublishLayout {
  std::size_t size = 0;              // of the whole packet
  std::size_t head_size = 0;         // all but the payload
  std::size_t packet_id_offset = 0;  // 0 at QoS 0
  std::size_t remaining_size = 0;    // what the fixed header says
  std::size_t properties_size = 0;   // what the property length of MQTT 5 says
};

/// The size of a PUBLISH, worked out once and given to write_publish_head. A size beyond
/// 268,435,455 + 5 bytes can't be sent; the caller compares with the receiver's maximum first.
[[nodiscard]] PublishLayout layout_of(const OutgoingPublish& publish, Version version) noexcept;

/// Writes all but the payload: layout.head_size bytes.
void write_publish_head(Writer& out, const OutgoingPublish& publish, const PublishLayout& layout,
                        Version version) noexcept;

/// Head and payload at the end of `target`.
void append(std::string& target, const OutgoingPublish& publish, Version version);

/// PUBACK, PUBREC, PUBREL, PUBCOMP: 2 + 2 bytes where reason and string can be left out.
void append_ack(std::string& target, PacketType type, const Ack& ack, Version version);
/// Four bytes, for the common acknowledgement: success, or any of MQTT 3.
[[nodiscard]] std::uint32_t short_ack_size() noexcept;
void write_short_ack(Writer& out, PacketType type, PacketId packet_id) noexcept;

/// MQTT 3 gets the return code that fits the reason best (0x00 to 0x05).
void append(std::string& target, const Connack& connack, Version version);
/// SUBACK; codes of MQTT 5 are folded to 0x80 for MQTT 3 (and kept 0, 1, 2 otherwise).
void append_suback(std::string& target, PacketId packet_id, std::span<const ReasonCode> reasons,
                   Version version);
/// UNSUBACK; without reasons for MQTT 3.
void append_unsuback(std::string& target, PacketId packet_id, std::span<const ReasonCode> reasons,
                     Version version);
/// MQTT 5 only: a server of MQTT 3 has no DISCONNECT to send.
void append(std::string& target, const Disconnect& disconnect);
void append(std::string& target, const Auth& auth);
void append_pingresp(std::string& target);

}  // namespace linnet::mqtt

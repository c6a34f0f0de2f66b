// The packets of a client, and what a broker answers to them, for MQTT 3.1, 3.1.1 and 5.0. Not for
// the path of a message: see wire.hpp and publisher.cpp. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <linnet/types.hpp>

namespace linnet::bench {

struct ConnectPacket {
  std::string_view client_id;
  std::string_view user;
  std::string_view password;
  Version version = Version::v3_1_1;
  bool clean = true;  // else the session is kept, in MQTT 5 for an hour
};

[[nodiscard]] std::string connect_packet(const ConnectPacket& connect);
/// Packet identifier 1.
[[nodiscard]] std::string subscribe_packet(std::string_view filter, Qos qos, Version version);
[[nodiscard]] std::string disconnect_packet();
[[nodiscard]] std::string ping_packet();

/// A PUBLISH without its payload, to be numbered for each message.
struct PublishForm {
  std::string head;
  std::size_t packet_id_at = 0;  // 0: it has none
};

struct PublishShape {
  std::string_view topic;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  Version version = Version::v3_1_1;
};
[[nodiscard]] PublishForm publish_form(const PublishShape& shape, std::size_t payload);

/// What a CONNACK says.
struct ConnackAnswer {
  std::string fault;  // empty: connected
  bool session_present = false;
  std::uint16_t receive_maximum = 65'535;
  std::uint8_t qos_max = 2;
  std::uint32_t packet_size_max = 0;  // 0: no limit
  std::uint16_t keep_alive_s = 0;     // that the server wants; 0: none
};
[[nodiscard]] ConnackAnswer read_connack(std::string_view body, Version version);

/// Why a subscription was not made as wanted; empty: it was. `body` is that of a SUBACK to
/// subscribe_packet().
[[nodiscard]] std::string suback_fault(std::string_view body, Qos qos, Version version);

/// An acknowledgement: PUBACK, PUBREC, PUBREL or PUBCOMP.
struct AckAnswer {
  std::uint16_t packet_id = 0;  // 0: it is broken
  ReasonCode reason = ReasonCode::success;
};
[[nodiscard]] inline AckAnswer read_ack(std::string_view body, Version version) noexcept {
  if (body.size() < 2 || (body.size() > 2 && version != Version::v5)) return {};
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(body[at]); };
  return {static_cast<std::uint16_t>(byte(0) << 8 | byte(1)),
          body.size() > 2 ? static_cast<ReasonCode>(byte(2)) : ReasonCode::success};
}

/// "has ended the connection: Server shutting down (0x8B)", of a DISCONNECT of MQTT 5.
[[nodiscard]] std::string disconnect_text(std::string_view body);
/// "Not authorized (0x87)".
[[nodiscard]] std::string reason_text(ReasonCode reason);

}  // namespace linnet::bench

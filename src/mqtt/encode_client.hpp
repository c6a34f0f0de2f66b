// From packets to bytes, for a client: the packets that go to a server. Pure. A PUBLISH, its
// acknowledgements and AUTH have the same form both ways: see encode.hpp. Properties are in their
// wire form (property_writer.hpp) and are not written in MQTT 3. Texts have at most 65,535 bytes.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mqtt/packet.hpp"

namespace linnet::mqtt {

struct OutgoingWill {
  std::string_view topic{};
  std::string_view payload{};
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::string_view properties{};
};

struct OutgoingConnect {
  Version version = Version::v5;
  bool clean_start = true;  // Clean Session in MQTT 3
  std::uint16_t keep_alive_s = 0;
  std::string_view client_id{};
  std::optional<OutgoingWill> will{};
  std::optional<std::string_view> user_name{};
  std::optional<std::string_view> password{};
  std::string_view properties{};
};

void append(std::string& target, const OutgoingConnect& connect);

/// At least one filter.
struct OutgoingSubscribe {
  PacketId packet_id = 0;
  std::span<const TopicFilter> filters{};
  std::string_view properties{};
};
void append(std::string& target, const OutgoingSubscribe& subscribe, Version version);

struct OutgoingUnsubscribe {
  PacketId packet_id = 0;
  std::span<const std::string_view> filters{};
  std::string_view properties{};
};
void append(std::string& target, const OutgoingUnsubscribe& unsubscribe, Version version);

void append_pingreq(std::string& target);

/// A client's goodbye. In MQTT 3 it says nothing more.
struct OutgoingDisconnect {
  ReasonCode reason = ReasonCode::success;
  std::string_view properties{};
};
void append(std::string& target, const OutgoingDisconnect& disconnect, Version version);

}  // namespace linnet::mqtt

// The control packets as plain structs (MQTT 5.0, chapter 3). Every std::string_view is a view into
// the frame that a packet was decoded from, or into what the caller encodes. Absent properties have
// the value that the standard gives to their absence, unless their presence matters.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <linnet/types.hpp>

namespace linnet::mqtt {

using PacketId = std::uint16_t;  // never 0 on the wire

/// The properties of an application message that travel with it (MQTT 5.0, section 3.3.2.3).
struct PublishProperties {
  /// Payload Format Indicator, Content Type, Response Topic, Correlation Data and User Properties
  /// in their wire form and in the order in which they came: what is forwarded unchanged
  /// (MQTT-3.3.2-4, -15, -16, -17, -20).
  std::string_view forwarded{};
  /// True if properties that are not forwarded (alias, expiry, will delay) stand between those that
  /// are: `forwarded` then holds them too, and strip_hop_properties() in property.hpp takes them
  /// out.
  bool mixed = false;
  std::optional<std::uint32_t> message_expiry_s{};
  std::uint16_t topic_alias = 0;  // 0: none
  bool payload_is_utf8 = false;   // Payload Format Indicator 1
};

/// A Will (MQTT 5.0, sections 3.1.2.5 and 3.1.3.2).
struct Will {
  std::string_view topic{};
  std::string_view payload{};
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::uint32_t delay_s = 0;
  PublishProperties properties{};
};

struct Connect {
  Version version = Version::v5;
  bool clean_start = false;  // Clean Session in MQTT 3
  std::uint16_t keep_alive_s = 0;
  std::string_view client_id{};
  std::optional<Will> will{};
  std::optional<std::string_view> user_name{};
  std::optional<std::string_view> password{};
  // MQTT 5 only
  std::uint32_t session_expiry_s = 0;  // 0xFFFFFFFF: never
  std::uint16_t receive_maximum = 65'535;
  std::uint32_t packet_size_max = 0;  // 0: no limit
  std::uint16_t topic_alias_max = 0;
  bool request_response_information = false;
  bool request_problem_information = true;
  std::string_view authentication_method{};  // empty: none
  std::string_view authentication_data{};
};

struct Publish {
  std::string_view topic{};  // empty if only the alias names it
  std::string_view payload{};
  PacketId packet_id = 0;  // 0 at QoS 0
  Qos qos = Qos::at_most_once;
  bool dup = false;
  bool retain = false;
  PublishProperties properties{};
};

/// PUBACK, PUBREC, PUBREL and PUBCOMP have one form.
struct Ack {
  PacketId packet_id = 0;
  ReasonCode reason = ReasonCode::success;
  std::string_view reason_string{};  // only towards the client; empty: none
};

/// The options of one subscription (MQTT 5.0, section 3.8.3.1).
struct SubscriptionOptions {
  Qos qos = Qos::at_most_once;
  bool no_local = false;
  bool retain_as_published = false;
  std::uint8_t retain_handling = 0;  // 0 send, 1 send if new, 2 do not send

  bool operator==(const SubscriptionOptions&) const = default;
};

struct TopicFilter {
  std::string_view filter{};
  SubscriptionOptions options;
};

/// A decoded SUBSCRIBE. Its filters stay in the frame and are walked with next_filter(): the
/// decoder has checked them all, so that the walk can't fail.
struct Subscribe {
  PacketId packet_id = 0;
  std::uint32_t subscription_id = 0;  // 0: none
  std::string_view filters{};         // the payload
  Version version = Version::v5;
};

struct Unsubscribe {
  PacketId packet_id = 0;
  std::string_view filters{};
};

struct Disconnect {
  ReasonCode reason = ReasonCode::success;
  std::optional<std::uint32_t> session_expiry_s{};
  std::string_view reason_string{};
  std::string_view server_reference{};  // only towards the client
};

struct Auth {
  ReasonCode reason = ReasonCode::success;
  std::string_view method{};
  std::string_view data{};
  std::string_view reason_string{};
};

struct Connack {
  bool session_present = false;
  ReasonCode reason = ReasonCode::success;
  // MQTT 5 only; a value equal to the standard's default is not written
  std::optional<std::uint32_t> session_expiry_s{};
  std::uint16_t receive_maximum = 65'535;
  Qos qos_max = Qos::exactly_once;
  bool retain_available = true;
  std::uint32_t packet_size_max = 0;  // 0: no limit
  std::string_view assigned_client_id{};
  std::uint16_t topic_alias_max = 0;
  std::string_view reason_string{};
  std::optional<std::uint16_t> server_keep_alive_s{};
  std::string_view response_information{};
  std::string_view server_reference{};
  std::string_view authentication_method{};
  std::string_view authentication_data{};
};

}  // namespace linnet::mqtt

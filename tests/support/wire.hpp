// A client's side of MQTT, for tests: bytes of the packets that clients send, and packets from the
// bytes that servers send. Written apart from src/mqtt, so that neither hides the other's mistakes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mqtt/framer.hpp"
#include "mqtt/property.hpp"
#include <linnet/types.hpp>

namespace linnet::test {

using mqtt::PacketType;
using mqtt::Property;

/// "10 0a 00" or "100a00" to bytes; anything that is not a hex digit is skipped.
[[nodiscard]] std::string from_hex(std::string_view hex);
/// Bytes to "10 0a 00".
[[nodiscard]] std::string to_hex(std::string_view bytes);

/// Bytes under construction: MQTT's wire types.
class Bytes {
 public:
  Bytes& u8(unsigned value);
  Bytes& u16(unsigned value);
  Bytes& u32(std::uint32_t value);
  Bytes& varint(std::uint32_t value);
  Bytes& text(std::string_view value);  // with its two-byte length
  Bytes& raw(std::string_view value);
  [[nodiscard]] const std::string& str() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

/// Properties in the order in which they are added:
///   Properties().number(Property::receive_maximum, 3).user("key", "value")
class Properties {
 public:
  /// In the size that the property has on the wire.
  Properties& number(Property id, std::uint32_t value);
  Properties& text(Property id, std::string_view value);
  Properties& user(std::string_view name, std::string_view value);
  Properties& add(const Properties& others);
  [[nodiscard]] const std::string& str() const noexcept { return bytes_.str(); }
  [[nodiscard]] bool empty() const noexcept { return bytes_.str().empty(); }

 private:
  Bytes bytes_;
};

struct WillOptions {
  std::string topic;
  std::string payload;
  unsigned qos = 0;
  bool retain = false;
  std::uint32_t delay_s = 0;
  std::optional<std::uint32_t> expiry_s{};
  Properties properties{};
};

struct ConnectOptions {
  bool clean_start = true;
  std::uint32_t expiry_s = 0;  // MQTT 5 only
  std::uint16_t keep_alive_s = 0;
  std::optional<std::uint16_t> receive_maximum{};
  std::optional<std::uint32_t> packet_size_max{};
  std::optional<std::uint16_t> topic_alias_max{};
  std::optional<WillOptions> will{};
  std::optional<std::string> user_name{};
  std::optional<std::string> password{};
  Properties properties{};
};

struct PublishOptions {
  unsigned qos = 0;
  bool retain = false;
  bool dup = false;
  std::uint16_t alias = 0;
  std::optional<std::uint32_t> expiry_s{};
  Properties properties{};
  std::uint16_t packet_id = 0;  // 0: the client chooses
};

/// One subscription's options, as in SUBSCRIBE.
struct SubscribeOptions {
  unsigned qos = 0;
  bool no_local = false;
  bool retain_as_published = false;
  unsigned retain_handling = 0;
  std::uint32_t id = 0;  // Subscription Identifier
};

/// A whole packet: fixed header, length and body.
[[nodiscard]] std::string packet(unsigned first_byte, std::string_view body);
[[nodiscard]] std::string connect_packet(Version version, std::string_view client_id,
                                         const ConnectOptions& options);
[[nodiscard]] std::string publish_packet(Version version, std::string_view topic,
                                         std::string_view payload, const PublishOptions& options);
/// PUBACK, PUBREC, PUBREL, PUBCOMP.
[[nodiscard]] std::string ack_packet(Version version, PacketType type, unsigned packet_id,
                                     ReasonCode reason = ReasonCode::success);
[[nodiscard]] std::string subscribe_packet(Version version, unsigned packet_id,
                                           const std::vector<std::string>& filters,
                                           const SubscribeOptions& options);
[[nodiscard]] std::string unsubscribe_packet(Version version, unsigned packet_id,
                                             const std::vector<std::string>& filters);
[[nodiscard]] std::string disconnect_packet(Version version, ReasonCode reason,
                                            std::optional<std::uint32_t> expiry_s = {});

/// No method and no data where they are empty.
[[nodiscard]] std::string auth_packet(ReasonCode reason, std::string_view method,
                                      std::string_view data);

/// A packet that came from the broker; fields that its type does not have are empty.
struct Packet {
  struct Prop {
    Property id{};
    std::uint32_t number = 0;
    std::string text;    // a string, binary data, or the name of a User Property
    std::string second;  // the value of a User Property
  };

  PacketType type = PacketType::reserved;
  std::uint16_t packet_id = 0;
  unsigned qos = 0;
  bool retain = false;
  bool dup = false;
  bool session_present = false;
  ReasonCode reason = ReasonCode::success;
  std::vector<ReasonCode> reasons;  // SUBACK, UNSUBACK
  std::string topic;
  std::string payload;
  std::vector<Prop> properties;
  std::string bytes;  // the whole packet
  std::string error;  // not empty: it could not be read

  [[nodiscard]] bool has(Property id) const { return find(id) != nullptr; }
  /// Its value, or nothing.
  [[nodiscard]] std::optional<std::uint32_t> number(Property id) const;
  [[nodiscard]] std::string text(Property id) const;
  /// The first User Property with this name, or nothing.
  [[nodiscard]] std::optional<std::string> user(std::string_view name) const;
  [[nodiscard]] std::vector<std::uint32_t> subscription_ids() const;
  /// One line for people.
  [[nodiscard]] std::string dump() const;

 private:
  [[nodiscard]] const Prop* find(Property id) const;
};

/// Takes the first whole packet off `bytes`; nothing while it is incomplete.
[[nodiscard]] std::optional<Packet> take_packet(std::string& bytes, Version version);

}  // namespace linnet::test

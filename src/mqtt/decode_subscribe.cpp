#include "base/bytes.hpp"
#include "base/utf8.hpp"
#include "mqtt/decode.hpp"
#include "mqtt/fault.hpp"

namespace linnet::mqtt {
namespace {

using MaybeError = std::optional<ProtocolError>;

SubscriptionOptions options_of(std::uint8_t byte) noexcept {
  SubscriptionOptions options;
  options.qos = static_cast<Qos>(byte & 0x03);
  options.no_local = (byte & 0x04) != 0;
  options.retain_as_published = (byte & 0x08) != 0;
  options.retain_handling = static_cast<std::uint8_t>((byte >> 4) & 0x03);
  return options;
}

MaybeError check_options(std::uint8_t byte, std::string_view filter, Version version) noexcept {
  const std::uint8_t reserved = version == Version::v5 ? 0xC0 : 0xFC;
  if (byte & reserved) {
    return malformed("a subscription sets reserved bits of its options; leave them 0");
  }
  if ((byte & 0x03) == 3) return protocol_error("a subscription asks for QoS 3; use 0, 1 or 2");
  if ((byte & 0x30) == 0x30) {
    return protocol_error("a subscription has Retain Handling 3; use 0, 1 or 2");
  }
  if ((byte & 0x04) && filter.starts_with("$share/")) {
    return protocol_error("a shared subscription has No Local; leave it 0");
  }
  return {};
}

MaybeError check_filters(const Subscribe& subscribe) noexcept {
  Reader in(subscribe.filters);
  while (!in.empty()) {
    const auto filter = in.string();
    const auto options = in.u8();
    if (!in.ok()) {
      return malformed("the SUBSCRIBE ends within a topic filter or its options; mend its lengths");
    }
    if (!is_mqtt_utf8(filter)) {
      return malformed("a topic filter is not UTF-8 without U+0000; mend the text");
    }
    if (auto error = check_options(options, filter, subscribe.version)) return error;
  }
  return {};
}

MaybeError check_filters(const Unsubscribe& unsubscribe) noexcept {
  Reader in(unsubscribe.filters);
  while (!in.empty()) {
    const auto filter = in.string();
    if (!in.ok()) {
      return malformed("the UNSUBSCRIBE ends within a topic filter; mend its lengths");
    }
    if (!is_mqtt_utf8(filter)) {
      return malformed("a topic filter is not UTF-8 without U+0000; mend the text");
    }
  }
  return {};
}

}  // namespace

Decoded<Subscribe> decode_subscribe(const Frame& frame, Version version) noexcept {
  if (has_stray_dup(frame, version)) return malformed(kStrayDupText);
  Subscribe subscribe;
  subscribe.version = version;
  Reader in(frame.body);
  subscribe.packet_id = in.u16();
  const auto raw = version == Version::v5 ? take_properties(in) : std::string_view{};
  if (!in.ok()) return malformed("the SUBSCRIBE ends before its first filter; mend its lengths");
  if (subscribe.packet_id == 0) {
    return protocol_error("the SUBSCRIBE has packet identifier 0; use 1 to 65535");
  }
  PropertyReader properties(raw, place_of(PacketType::subscribe));
  while (properties.next()) {
    if (properties.value().id == Property::subscription_identifier) {
      subscribe.subscription_id = properties.value().number;
    }
  }
  if (properties.error()) return *properties.error();
  subscribe.filters = in.rest();
  if (subscribe.filters.empty()) {
    return protocol_error("the SUBSCRIBE has no topic filter; send at least one");
  }
  if (const auto error = check_filters(subscribe)) return *error;
  return subscribe;
}

Decoded<Unsubscribe> decode_unsubscribe(const Frame& frame, Version version) noexcept {
  if (has_stray_dup(frame, version)) return malformed(kStrayDupText);
  Unsubscribe unsubscribe;
  Reader in(frame.body);
  unsubscribe.packet_id = in.u16();
  const auto raw = version == Version::v5 ? take_properties(in) : std::string_view{};
  if (!in.ok()) return malformed("the UNSUBSCRIBE ends before its first filter; mend its lengths");
  if (unsubscribe.packet_id == 0) {
    return protocol_error("the UNSUBSCRIBE has packet identifier 0; use 1 to 65535");
  }
  if (const auto error = check_properties(raw, place_of(PacketType::unsubscribe))) return *error;
  unsubscribe.filters = in.rest();
  if (unsubscribe.filters.empty()) {
    return protocol_error("the UNSUBSCRIBE has no topic filter; send at least one");
  }
  if (const auto error = check_filters(unsubscribe)) return *error;
  return unsubscribe;
}

bool next_filter(Subscribe& subscribe, TopicFilter& filter) noexcept {
  if (subscribe.filters.empty()) return false;
  Reader in(subscribe.filters);
  filter.filter = in.string();
  filter.options = options_of(in.u8());
  subscribe.filters = in.rest();
  return in.ok();
}

bool next_filter(Unsubscribe& unsubscribe, std::string_view& filter) noexcept {
  if (unsubscribe.filters.empty()) return false;
  Reader in(unsubscribe.filters);
  filter = in.string();
  unsubscribe.filters = in.rest();
  return in.ok();
}

}  // namespace linnet::mqtt

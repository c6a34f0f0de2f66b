#include "base/bytes.hpp"
#include "mqtt/decode.hpp"
#include "mqtt/fault.hpp"

namespace linnet::mqtt {
namespace {

ProtocolError topic_error(TopicFault fault) noexcept {
  switch (fault) {
    case TopicFault::not_utf8:
      return malformed("the topic of the PUBLISH is not UTF-8 without U+0000; mend the text");
    case TopicFault::empty:
      return protocol_error("the PUBLISH has neither a topic nor a topic alias; send one of them");
    case TopicFault::wildcard:
      return {ReasonCode::topic_name_invalid,
              "the topic of the PUBLISH holds + or #; publish to a topic without wildcards"};
    default:
      return {ReasonCode::topic_name_invalid,
              "the topic of the PUBLISH is longer or deeper than this server takes; shorten it"};
  }
}

}  // namespace

Decoded<MessageProperties> decode_message_properties(std::string_view raw,
                                                     PropertyPlaces place) noexcept {
  MessageProperties found;
  const char* begin = nullptr;
  const char* end = nullptr;
  PropertyReader properties(raw, place);
  while (properties.next()) {
    const auto& value = properties.value();
    if (value.forwarded) {
      if (!begin) begin = value.raw.data();
      if (end && end != value.raw.data()) found.publish.mixed = true;
      end = value.raw.data() + value.raw.size();
    }
    switch (value.id) {
      case Property::payload_format_indicator:
        found.publish.payload_is_utf8 = value.number == 1;
        break;
      case Property::message_expiry_interval: found.publish.message_expiry_s = value.number; break;
      case Property::topic_alias:
        found.publish.topic_alias = static_cast<std::uint16_t>(value.number);
        break;
      case Property::will_delay_interval: found.will_delay_s = value.number; break;
      case Property::subscription_identifier:
        return protocol_error(
            "the PUBLISH has a Subscription Identifier; only a server may send one, so leave it "
            "out");
      default: break;
    }
  }
  if (properties.error()) return *properties.error();
  if (begin) found.publish.forwarded = {begin, static_cast<std::size_t>(end - begin)};
  return found;
}

Decoded<Publish> decode_publish(const Frame& frame, Version version,
                                const TopicLimits& limits) noexcept {
  const auto flags = frame.flags();
  const auto qos = (flags >> 1) & 0x03;
  if (qos == 3) return malformed("the PUBLISH uses QoS 3; use 0, 1 or 2");
  Publish publish;
  publish.qos = static_cast<Qos>(qos);
  publish.dup = (flags & 0x08) != 0;
  publish.retain = (flags & 0x01) != 0;
  if (publish.dup && qos == 0) {
    return malformed("the PUBLISH has the DUP flag at QoS 0; leave it 0 there");
  }
  Reader in(frame.body);
  publish.topic = in.string();
  if (qos > 0) publish.packet_id = in.u16();
  const auto raw = version == Version::v5 ? take_properties(in) : std::string_view{};
  if (!in.ok()) {
    return malformed("the PUBLISH ends before its payload begins; mend its lengths");
  }
  publish.payload = in.rest();
  if (qos > 0 && publish.packet_id == 0) {
    return protocol_error("the PUBLISH has packet identifier 0; use 1 to 65535");
  }
  if (!raw.empty()) {
    const auto properties = decode_message_properties(raw, place_of(PacketType::publish));
    if (!properties) return properties.error();
    publish.properties = properties->publish;
  }
  if (publish.topic.empty() && publish.properties.topic_alias != 0) return publish;
  const auto fault = check_topic_name(publish.topic, limits);
  if (fault != TopicFault::none) return topic_error(fault);
  return publish;
}

}  // namespace linnet::mqtt

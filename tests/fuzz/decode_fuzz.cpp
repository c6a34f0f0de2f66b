// The first byte picks the version, the rest is a stream from a client: framed, decoded by type,
// and what decodes must agree with itself. A PUBLISH, an acknowledgement and an AUTH are encoded
// again, and must come back the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/assert.hpp"
#include "base/utf8.hpp"
#include "mqtt/decode.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/property.hpp"

namespace {

using namespace linnet;
using namespace linnet::mqtt;

constexpr std::size_t kSizeMax = 65'536;
constexpr TopicLimits kLimits;

void check_error(const ProtocolError& error) {
  LINNET_ASSERT(failed(error.reason));
  LINNET_ASSERT(error.text[0] != '\0');
}

void check_same(const Publish& a, const Publish& b) {
  LINNET_ASSERT(a.topic == b.topic && a.payload == b.payload && a.packet_id == b.packet_id);
  LINNET_ASSERT(a.qos == b.qos && a.dup == b.dup && a.retain == b.retain);
  LINNET_ASSERT(a.properties.topic_alias == b.properties.topic_alias);
  LINNET_ASSERT(a.properties.message_expiry_s == b.properties.message_expiry_s);
  LINNET_ASSERT(a.properties.payload_is_utf8 == b.properties.payload_is_utf8);
}

void check_publish(const Frame& frame, Version version) {
  const auto publish = decode_publish(frame, version, kLimits);
  if (!publish) return check_error(publish.error());
  LINNET_ASSERT(publish->topic.empty() || is_topic_name(publish->topic, kLimits));
  LINNET_ASSERT((publish->packet_id == 0) == (publish->qos == Qos::at_most_once));
  std::string stripped;
  strip_hop_properties(publish->properties.forwarded, stripped);
  LINNET_ASSERT(publish->properties.mixed == (stripped != publish->properties.forwarded));
  const OutgoingPublish outgoing{.topic = publish->topic,
                                 .payload = publish->payload,
                                 .forwarded = stripped,
                                 .qos = publish->qos,
                                 .dup = publish->dup,
                                 .retain = publish->retain,
                                 .packet_id = publish->packet_id,
                                 .topic_alias = publish->properties.topic_alias,
                                 .message_expiry_s = publish->properties.message_expiry_s};
  std::string bytes;
  append(bytes, outgoing, version);
  LINNET_ASSERT(bytes.size() == layout_of(outgoing, version).size);
  const auto again = next_frame(bytes, bytes.size());
  LINNET_ASSERT(again.state == Framed::State::whole && again.frame.whole == bytes);
  const auto back = decode_publish(again.frame, version, kLimits);
  LINNET_ASSERT(back.has_value());
  check_same(*publish, *back);
  LINNET_ASSERT(back->properties.forwarded == stripped && !back->properties.mixed);
}

void check_connect(const Frame& frame) {
  const auto connect = decode_connect(frame);
  if (!connect) return check_error(connect.error().error);
  LINNET_ASSERT(is_mqtt_utf8(connect->client_id));
  LINNET_ASSERT(connect->receive_maximum != 0);
  if (connect->user_name) LINNET_ASSERT(is_mqtt_utf8(*connect->user_name));
  if (connect->will) LINNET_ASSERT(is_topic_name(connect->will->topic, kLimits));
}

void check_ack(const Frame& frame, Version version) {
  const auto ack = decode_ack(frame, version);
  if (!ack) return check_error(ack.error());
  std::string bytes;
  append_ack(bytes, frame.type(), *ack, version);
  const auto back = decode_ack(next_frame(bytes, kSizeMax + 4).frame, version);
  LINNET_ASSERT(back && back->packet_id == ack->packet_id && back->reason == ack->reason);
  LINNET_ASSERT(back->reason_string == ack->reason_string);
}

void check_subscribe(const Frame& frame, Version version) {
  auto subscribe = decode_subscribe(frame, version);
  if (!subscribe) return check_error(subscribe.error());
  std::size_t size = 0;
  const auto whole = subscribe->filters.size();
  for (TopicFilter filter; next_filter(*subscribe, filter); size += 3 + filter.filter.size()) {
    LINNET_ASSERT(is_mqtt_utf8(filter.filter) && filter.options.retain_handling < 3);
    LINNET_ASSERT(filter.options.qos <= Qos::exactly_once);
  }
  LINNET_ASSERT(size == whole && size > 0);
}

void check_unsubscribe(const Frame& frame, Version version) {
  auto unsubscribe = decode_unsubscribe(frame, version);
  if (!unsubscribe) return check_error(unsubscribe.error());
  std::size_t size = 0;
  const auto whole = unsubscribe->filters.size();
  for (std::string_view filter; next_filter(*unsubscribe, filter); size += 2 + filter.size()) {
    LINNET_ASSERT(is_mqtt_utf8(filter));
  }
  LINNET_ASSERT(size == whole && size > 0);
}

void check_auth(const Frame& frame) {
  const auto auth = decode_auth(frame);
  if (!auth) return check_error(auth.error());
  if (auth->method.empty()) return;  // the encoder takes it for none
  std::string bytes;
  append(bytes, *auth);
  const auto back = decode_auth(next_frame(bytes, kSizeMax + 4).frame);
  LINNET_ASSERT(back && back->method == auth->method && back->data == auth->data);
}

void check_frame(const Frame& frame, Version version) {
  switch (frame.type()) {
    case PacketType::connect: return check_connect(frame);
    case PacketType::publish: return check_publish(frame, version);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp: return check_ack(frame, version);
    case PacketType::subscribe: return check_subscribe(frame, version);
    case PacketType::unsubscribe: return check_unsubscribe(frame, version);
    case PacketType::auth: return check_auth(frame);
    case PacketType::disconnect: {
      const auto disconnect = decode_disconnect(frame, version);
      if (!disconnect) check_error(disconnect.error());
      return;
    }
    default: static_cast<void>(decode_pingreq(frame).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto version = static_cast<Version>(3 + data[0] % 3);
  std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (;;) {
    const auto found = next_frame(stream, kSizeMax);
    if (found.state != Framed::State::whole) return 0;
    check_frame(found.frame, version);
    stream.remove_prefix(found.frame.whole.size());
  }
}

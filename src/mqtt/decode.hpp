// From frames to packets, for a server: the packets that a client may send. Pure. The results are
// views into the frame, which must outlive them. Everything that the standard calls malformed or a
// protocol error within one packet is found here, and what is found carries its reason code and a
// sentence for the log and the reason string; what depends on the session's state is not.
#pragma once

#include "base/result.hpp"
#include "base/topic.hpp"
#include "mqtt/framer.hpp"
#include "mqtt/packet.hpp"

namespace linnet::mqtt {

/// What makes a failing CONNECT special: how the refusal must be written.
struct ConnectError {
  ProtocolError error;
  /// In which version to answer (MQTT 5.0, section 3.1.2.2): with an unknown protocol level a
  /// CONNACK of MQTT 3.1.1 with 0x01 goes to levels below 5, one of MQTT 5 with 0x84 to those
  /// above. Nothing: close without an answer, since this is not MQTT at all.
  std::optional<Version> answer_as;
};
using DecodedConnect = boost::system::result<Connect, ConnectError>;

/// Protocol names MQIsdp (level 3) and MQTT (levels 4 and 5). An empty client identifier is left to
/// the session; user name and password flags are checked as each version says.
[[nodiscard]] DecodedConnect decode_connect(const Frame& frame) noexcept;

/// Topic name and alias are checked against each other, the topic against `limits` (0x90).
[[nodiscard]] Decoded<Publish> decode_publish(const Frame& frame, Version version,
                                              const TopicLimits& limits) noexcept;

/// PUBACK, PUBREC, PUBREL or PUBCOMP; only reason codes that this packet may carry from a client.
[[nodiscard]] Decoded<Ack> decode_ack(const Frame& frame, Version version) noexcept;

/// At least one filter; options' reserved bits, QoS 3, retain handling 3, and No Local on a shared
/// subscription (MQTT-3.8.3-4) are errors. Whether a filter is a valid one is not: that is answered
/// filter by filter in SUBACK.
[[nodiscard]] Decoded<Subscribe> decode_subscribe(const Frame& frame, Version version) noexcept;
[[nodiscard]] Decoded<Unsubscribe> decode_unsubscribe(const Frame& frame, Version version) noexcept;

/// Takes the next filter off `filters` (from a decoded Subscribe); false after the last one. In
/// MQTT 3 the options hold the QoS alone.
[[nodiscard]] bool next_filter(Subscribe& subscribe, TopicFilter& filter) noexcept;
[[nodiscard]] bool next_filter(Unsubscribe& unsubscribe, std::string_view& filter) noexcept;

[[nodiscard]] Decoded<Disconnect> decode_disconnect(const Frame& frame, Version version) noexcept;
/// PINGREQ has no body.
[[nodiscard]] Decoded<bool> decode_pingreq(const Frame& frame) noexcept;
/// MQTT 5 only.
[[nodiscard]] Decoded<Auth> decode_auth(const Frame& frame) noexcept;

}  // namespace linnet::mqtt

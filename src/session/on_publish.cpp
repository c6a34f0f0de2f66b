// PUBLISH from the client (MQTT 5.0, section 3.3): from the frame to the one door, Peers::publish.
#include <utility>

#include "base/utf8.hpp"
#include "mqtt/property.hpp"
#include "session/connection.hpp"

namespace linnet::session {

using mqtt::PacketType;

Connection::Frame Connection::on_publish(const mqtt::Frame& frame) {
  const Limits& limits = services_.limits();
  auto decoded =
      mqtt::decode_publish(frame, version_, {limits.topic_length_max, limits.topic_levels_max});
  if (!decoded) {
    fail(decoded.error());
    return Frame::taken;
  }
  mqtt::Publish& publish = *decoded;
  if (!resolve_topic(publish) || !allowed(publish)) return Frame::taken;
  if (spending_ && !paced_) {
    const Pace pace = pace_publish(publish, frame.whole.size());
    if (pace == Pace::ended) return Frame::taken;
    if (pace == Pace::refused) refuse_next_ = true;
  }
  if (publish.qos == Qos::exactly_once) return publish_qos2(publish);

  const bool acknowledged = publish.qos == Qos::at_least_once;
  Published published{Published::State::done, judge_and_tell(publish), 0};
  if (!failed(published.reason)) {
    published = publish_now(publish, {acknowledged ? this : nullptr, nullptr, publish.packet_id});
  }
  if (published.state == Published::State::no_room) return wait_for_room();
  paced_ = false;
  ++services_.counters.publish_received;
  services_.counters.publish_bytes_received += publish.payload.size();
  if (acknowledged) owe_published(PacketType::puback, publish.packet_id, published);
  return Frame::taken;
}

/// Replaces an alias by its topic, and learns new ones; fails the connection if it can't.
bool Connection::resolve_topic(mqtt::Publish& publish) {
  const std::uint16_t alias = publish.properties.topic_alias;
  if (alias == 0) return true;
  if (alias > told_topic_alias_max_) {  // MQTT-3.3.2-9
    fail({ReasonCode::topic_alias_invalid,
          "the topic alias is above the Topic Alias Maximum of CONNACK"});
    return false;
  }
  if (!publish.topic.empty()) {
    if (!aliases_) aliases_ = std::make_unique<IncomingAliases>();
    aliases_->set(alias, publish.topic);
    return true;
  }
  if (aliases_) publish.topic = aliases_->find(alias);
  if (!publish.topic.empty()) return true;
  fail({ReasonCode::protocol_error, "the topic alias was not set on this connection"});
  return false;
}

/// What ends the connection: the client was told in CONNACK that it must not.
bool Connection::allowed(const mqtt::Publish& publish) {
  if (publish.qos > told_qos_max_) {  // MQTT-3.2.2-11
    fail({ReasonCode::qos_not_supported, "the QoS is above limits.qos_max"});
    return false;
  }
  if (publish.retain && !told_retain_available_) {  // MQTT-3.2.2-14
    fail({ReasonCode::retain_not_supported, "limits.retain_available is false"});
    return false;
  }
  const bool repeated = publish.qos == Qos::exactly_once && publish.dup &&
                        session_->received().find(publish.packet_id) != nullptr;
  if (version_ == Version::v5 && publish.qos != Qos::at_most_once && !repeated &&
      received_ >= told_receive_maximum_) {  // MQTT-3.3.4-7
    fail({ReasonCode::receive_maximum_exceeded,
          "more messages are unacknowledged than the Receive Maximum of CONNACK allows"});
    return false;
  }
  return true;
}

/// What refuses the message alone.
ReasonCode Connection::judge(const mqtt::Publish& publish) {
  const bool refused = refuse_next_;
  refuse_next_ = false;
  if (is_sys_topic(publish.topic)) {
    log_fault("published to $SYS, which belongs to the broker; use another topic");
    // MQTT 3 acknowledges what it does not deliver (MQTT-3.3.5-2).
    return ReasonCode::not_authorized;
  }
  if (refused) return ReasonCode::quota_exceeded;
  if (Access* access = session_->access()) {
    const auth::Decision& decision =
        access->decide({auth::Action::publish, publish.topic, publish.qos, publish.retain, false});
    if (decision.denied()) {
      ++services_.counters.publish_denied;
      log_denial("publish to", publish.topic, decision);
      return ReasonCode::not_authorized;
    }
  }
  if (services_.config().check_payload_format && publish.properties.payload_is_utf8 &&
      !is_utf8(publish.payload)) {
    return ReasonCode::payload_format_invalid;
  }
  return ReasonCode::success;
}

ReasonCode Connection::judge_and_tell(const mqtt::Publish& publish) {
  const ReasonCode reason = judge(publish);
  // One that has waited for room was told when it came.
  if (services_.watch != nullptr && !paced_) [[unlikely]]
    tell_received(publish, reason);
  return reason;
}

Connection::Frame Connection::publish_qos2(const mqtt::Publish& publish) {
  ReceivedIds& received = session_->received();
  if (const auto* entry = received.find(publish.packet_id)) {
    refuse_next_ = paced_ = false;                       // it was accepted when it came first
    repeat_pubrec(publish.packet_id, entry->operation);  // MQTT-4.3.3-10
    return Frame::taken;
  }
  Published published{Published::State::done, judge_and_tell(publish), 0};
  if (!failed(published.reason)) {
    published = publish_now(publish, {this, session_.get(), publish.packet_id});
  }
  if (published.state == Published::State::no_room) return wait_for_room();
  paced_ = false;
  ++services_.counters.publish_received;
  services_.counters.publish_bytes_received += publish.payload.size();
  const bool accepted = published.state == Published::State::waiting || !failed(published.reason);
  const bool acknowledged_anyway =
      version_ != Version::v5 && published.reason == ReasonCode::not_authorized;
  if (accepted || acknowledged_anyway) received.add(publish.packet_id, published.operation);
  owe_published(PacketType::pubrec, publish.packet_id, published);
  return Frame::taken;
}

/// A repeated QoS 2 PUBLISH: its PUBREC again, or as soon as the first may leave.
void Connection::repeat_pubrec(PacketId packet_id, OperationId operation) {
  if (acks_.holds(PacketType::pubrec, packet_id)) return;
  owe({operation, PacketType::pubrec, ReasonCode::success, packet_id, nullptr});
}

Published Connection::publish_now(const mqtt::Publish& publish, const PublishWaiter& waiter) {
  MessageView view;
  view.topic = publish.topic;
  view.payload = publish.payload;
  view.properties = publish.properties.forwarded;
  std::string stripped;
  if (publish.properties.mixed) {
    mqtt::strip_hop_properties(publish.properties.forwarded, stripped);
    view.properties = stripped;
  }
  view.publisher = session_->client_id();
  view.qos = publish.qos;
  view.retain = publish.retain;
  if (const auto expiry_s = publish.properties.message_expiry_s) {
    view.expires_at_ms = services_.now_ms() + std::uint64_t{*expiry_s} * 1000;
  }
  Publication publication(view);
  return services_.peers.publish(publication, waiter);
}

/// Leaves the frame with the link, which is not read until there is room: half the Keep Alive or
/// limits.refuse_timeout at most, then the message is refused.
Connection::Frame Connection::wait_for_room() {
  parked_ = true;
  paced_ = true;    // it has been paid for
  slowed_ = false;  // this wait will do
  if (services_.watch != nullptr) [[unlikely]] {
    tell_of_packet(Step::waits, 0, "other shards or the store have no room now");
  }
  const auto refuse = static_cast<std::uint64_t>(services_.limits().refuse_timeout.count());
  const std::uint64_t half = std::uint64_t{keep_alive_s_} * 500;
  const std::uint64_t wait = keep_alive_s_ == 0 ? refuse : std::min(refuse, half);
  services_.timers.arm(timer_, services_.now_ms() + wait);
  services_.peers.park(*this);
  update_reading();
  return Frame::left;
}

void Connection::owe_published(PacketType type, PacketId packet_id, const Published& published) {
  ++received_;
  const bool waits = published.state == Published::State::waiting;
  owe({waits ? published.operation : 0, type, waits ? ReasonCode::success : published.reason,
       packet_id, nullptr});
}

}  // namespace linnet::session

// What goes out to the client: acknowledgements in order, and copies of messages.
#include "base/cat.hpp"
#include "session/connection.hpp"

namespace linnet::session {

using mqtt::PacketType;

void Connection::send_bytes(std::string_view bytes) {
  if (link_ == nullptr) return;
  link_->outbox().append(bytes);
  ++services_.counters.messages_sent;
  link_->touch();
}

void Connection::send_ack(PacketType type, PacketId packet_id, ReasonCode reason) {
  if (link_ == nullptr) return;
  if (reason == ReasonCode::success || version_ != Version::v5) {
    const std::uint32_t size = mqtt::short_ack_size();
    Writer out(link_->outbox().extend(size));
    mqtt::write_short_ack(out, type, packet_id);
    ++services_.counters.messages_sent;
    link_->touch();
    return;
  }
  std::string bytes;
  mqtt::append_ack(bytes, type, {packet_id, reason, {}}, version_);
  send_bytes(bytes);
}

/// Sends an acknowledgement, or queues it behind those that must leave before it.
void Connection::owe(OwedAck ack) {
  if (ack.operation == 0 && acks_.empty()) return write_ack(ack);
  acks_.push(std::move(ack));
  flush_acks();
}

/// Sends what is ready at the head of the queue.
void Connection::flush_acks() {
  while (OwedAck* ack = acks_.ready()) {
    OwedAck taken = std::move(*ack);
    acks_.pop();
    write_ack(taken);
    if (state_ != State::open) return;
  }
  update_reading();
}

void Connection::write_ack(const OwedAck& ack) {
  switch (ack.type) {
    case PacketType::connack: return write_connack(ack);
    case PacketType::suback:
    case PacketType::unsuback: return write_list(ack);
    case PacketType::puback:
    case PacketType::pubrec: {
      if (failed(ack.reason) && services_.watch != nullptr && session_) {
        tell_of_packet(Step::refused, ack.packet_id, name_of(ack.reason));
      }
      // MQTT 3 has no word for a refusal: it acknowledges what the client may not do
      // (MQTT-3.3.5-2), and does not acknowledge what was refused for want of room.
      if (version_ != Version::v5 && failed(ack.reason) &&
          ack.reason != ReasonCode::not_authorized) {
        return refuse_silently();
      }
      if (failed(ack.reason)) ++services_.counters.publish_refused;
      const bool ends = ack.type == PacketType::puback || failed(ack.reason);
      if (ends && received_ > 0) --received_;
      break;
    }
    case PacketType::pingresp: return write_pingresp();
    case PacketType::pubcomp:
      if (received_ > 0) --received_;
      [[fallthrough]];
    default:
      if (failed(ack.reason) && ack.reason != ReasonCode::packet_identifier_not_found) {
        // PUBREL and PUBCOMP have no word for it; the client asks again when it is back.
        return fail({ack.reason, "the store does not take more now; connect again later"});
      }
  }
  send_ack(ack.type, ack.packet_id, ack.reason);
}

void Connection::write_pingresp() {
  static constexpr char kPingresp[] = {static_cast<char>(0xD0), 0};
  send_bytes({kPingresp, sizeof(kPingresp)});
}

void Connection::write_connack(const OwedAck& ack) {
  mqtt::Connack& packet = connack_->packet;
  if (failed(ack.reason)) {
    refuse_connect(ack.reason, "the session can't be kept now; connect with a clean session");
    return;
  }
  std::string bytes;
  mqtt::append(bytes, packet, version_);
  if (!fits(bytes.size())) {  // the Response Information is all that it can do without
    bytes.clear();
    packet.response_information = {};
    mqtt::append(bytes, packet, version_);
  }
  if (!fits(bytes.size())) {
    refuse_connect(ReasonCode::packet_too_large,
                   "the CONNACK is larger than the client's Maximum Packet Size; allow more");
    return;
  }
  connack_.reset();
  send_bytes(bytes);
  session_->go_online();
}

void Connection::write_list(const OwedAck& ack) {
  // MQTT 3's UNSUBACK has no way to say that the subscription is still in the store.
  if (failed(ack.reason) && version_ != Version::v5 && ack.type == PacketType::unsuback) {
    return refuse_silently();
  }
  std::vector<ReasonCode>& reasons = ack.details->reasons;
  if (failed(ack.reason)) {
    for (ReasonCode& reason : reasons)
      reason = ack.reason;
  }
  std::string bytes;
  if (ack.type == PacketType::suback) {
    if (unconfirmed_subscribes_ > 0) --unconfirmed_subscribes_;
    mqtt::append_suback(bytes, ack.packet_id, reasons, version_);
  } else {
    mqtt::append_unsuback(bytes, ack.packet_id, reasons, version_);
  }
  if (!fits(bytes.size())) return fail_too_small();
  send_bytes(bytes);
}

/// MQTT-3.1.2-24: what is too large for the client is not sent, and this answer can't be left out.
void Connection::fail_too_small() {
  fail({ReasonCode::packet_too_large,
        "an answer is larger than the client's Maximum Packet Size; allow larger packets"});
}

void Connection::send_disconnect(ReasonCode reason, std::string_view text) {
  if (version_ != Version::v5 || link_ == nullptr || connack_) return;
  mqtt::Disconnect packet;
  packet.reason = reason;
  if (problem_information_) packet.reason_string = text;
  std::string bytes;
  mqtt::append(bytes, packet);
  if (!fits(bytes.size())) {  // MQTT-3.14.2-3
    bytes.clear();
    packet.reason_string = {};
    mqtt::append(bytes, packet);
  }
  if (fits(bytes.size())) send_bytes(bytes);
}

Connection::Sent Connection::send(const OutgoingCopy& copy, std::uint32_t& dropped) {
  if (link_ == nullptr) return Sent::no_room;
  const MessageView& message = *copy.message;
  mqtt::OutgoingPublish publish;
  publish.topic = message.topic;
  publish.payload = message.payload;
  publish.qos = copy.qos;
  publish.retain = copy.retain;
  publish.dup = copy.dup;
  publish.packet_id = copy.packet_id;
  const bool v5 = version_ == Version::v5;
  if (v5) {
    publish.forwarded = message.properties;
    publish.subscription_ids = copy.subscription_ids;
    if (message.expires_at_ms != kNever) {
      const std::uint64_t now = services_.now_ms();
      const std::uint64_t left = message.expires_at_ms > now ? message.expires_at_ms - now : 0;
      publish.message_expiry_s = static_cast<std::uint32_t>((left + 999) / 1000);
    }
    if (services_.limits().report_dropped) publish.dropped = dropped;
  }
  const bool plain = !copy.dup && publish.dropped == 0 && publish.subscription_ids.empty();
  if (plain && !outgoing_aliases_ && services_.forms.active()) {
    const auto& form = services_.forms.get(publish, version_);
    if (!fits(form.layout.size)) return Sent::too_large;
    write_form(copy, form);
    return Sent::sent;
  }
  auto layout = mqtt::layout_of(publish, version_);
  if (!fits(layout.size) && publish.dropped != 0) {
    publish.dropped = 0;
    layout = mqtt::layout_of(publish, version_);
  }
  // A message that just fits without its alias is not tried with one: what follows can't fail.
  constexpr std::size_t kAliasSize = 3;
  if (!fits(layout.size)) return Sent::too_large;
  if (outgoing_aliases_ && fits(layout.size + kAliasSize + 1)) {
    const auto choice = outgoing_aliases_->choose(message.topic);
    publish.topic_alias = choice.alias;
    if (choice.alias != 0 && !choice.is_new) publish.topic = {};
    layout = mqtt::layout_of(publish, version_);
  }
  if (publish.dropped != 0) dropped = 0;
  write_publish(copy, publish, layout);
  return Sent::sent;
}

void Connection::write_publish(const OutgoingCopy& copy, const mqtt::OutgoingPublish& publish,
                               const mqtt::PublishLayout& layout) {
  net::Outbox& outbox = link_->outbox();
  const std::string_view payload = publish.payload;
  const bool shared = payload.size() >= net::Outbox::kShareMin && copy.owner != nullptr;
  Writer out(outbox.extend(shared ? layout.head_size : layout.size));
  mqtt::write_publish_head(out, publish, layout, version_);
  if (shared) {
    outbox.append_shared(copy.owner, copy.owner->payload());
  } else {
    out.bytes(payload);
  }
  count_publish(copy);
}

void Connection::write_form(const OutgoingCopy& copy, const WireForms::Form& form) {
  net::Outbox& outbox = link_->outbox();
  const std::string_view payload = copy.message->payload;
  const bool shared = payload.size() >= net::Outbox::kShareMin && copy.owner != nullptr;
  char* const start = outbox.extend(shared ? form.layout.head_size : form.layout.size);
  Writer out(start);
  out.bytes(form.head);
  if (!shared) out.bytes(payload);
  if (form.layout.packet_id_offset != 0) {
    Writer(start + form.layout.packet_id_offset).u16(copy.packet_id);
  }
  if (shared) outbox.append_shared(copy.owner, copy.owner->payload());
  count_publish(copy);
}

void Connection::count_publish(const OutgoingCopy& copy) {
  ++services_.counters.messages_sent;
  ++services_.counters.publish_sent;
  services_.counters.publish_bytes_sent += copy.message->payload.size();
  if (services_.watch != nullptr) [[unlikely]]
    tell_sent(copy);
  link_->touch();
}

}  // namespace linnet::session

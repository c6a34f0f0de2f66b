// PUBACK, PUBREC, PUBREL and PUBCOMP from the client (MQTT 5.0, sections 3.4 to 3.7).
#include "session/connection.hpp"

namespace linnet::session {

using mqtt::PacketType;

void Connection::on_puback(const mqtt::Frame& frame) {
  const auto ack = mqtt::decode_ack(frame, version_);
  if (!ack) return fail(ack.error());
  session_->on_puback(ack->packet_id, ack->reason);
}

void Connection::on_pubrec(const mqtt::Frame& frame) {
  const auto ack = mqtt::decode_ack(frame, version_);
  if (!ack) return fail(ack.error());
  OperationId operation = session_->kept() ? services_.peers.open_operation(*this) : 0;
  const auto released = session_->on_pubrec(ack->packet_id, ack->reason, operation);
  if (operation != 0 && services_.peers.seal(operation)) operation = 0;
  if (!released.send) return;
  owe({operation, PacketType::pubrel, released.reason, ack->packet_id, nullptr});
}

void Connection::on_pubrel(const mqtt::Frame& frame) {
  const auto ack = mqtt::decode_ack(frame, version_);
  if (!ack) return fail(ack.error());
  const bool known = session_->received().remove(ack->packet_id);
  OperationId operation = 0;
  if (session_->kept()) {  // even if it is not known here: an earlier erasure may have been refused
    operation = services_.peers.open_operation(*this);
    services_.peers.save(store::EraseReceived{session_->number(), ack->packet_id}, operation);
    if (services_.peers.seal(operation)) operation = 0;
  }
  const ReasonCode reason = known ? ReasonCode::success : ReasonCode::packet_identifier_not_found;
  owe({operation, PacketType::pubcomp, reason, ack->packet_id, nullptr});
}

void Connection::on_pubcomp(const mqtt::Frame& frame) {
  const auto ack = mqtt::decode_ack(frame, version_);
  if (!ack) return fail(ack.error());
  session_->on_pubcomp(ack->packet_id);
}

}  // namespace linnet::session

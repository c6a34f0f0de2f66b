// Acknowledgements from the client, and the end of a received QoS 2 message (MQTT 5.0,
// section 4.3).
#include "session/connection.hpp"
#include "session/session.hpp"

namespace linnet::session {

/// A message in flight is done with, for whatever reason.
void Session::finish(OwedMessage& owed) {
  erase_owed(owed);
  tell_group(owed);
  inflight_.finish(owed);
}

void Session::tell_group(const OwedMessage& owed) {
  if (owed.group == nullptr || owed.qos == Qos::at_most_once) return;
  services_.peers.group_acknowledged(*this, *owed.group);
}

void Session::on_puback(PacketId packet_id, ReasonCode reason) {
  OwedMessage* owed = inflight_.find(packet_id);
  if (owed == nullptr || owed->qos != Qos::at_least_once ||
      owed->state != OwedMessage::State::sent) {
    return;  // a message that was handed back meanwhile, or none of ours: nothing to do
  }
  if (services_.watch != nullptr) [[unlikely]] {
    tell_acknowledged(Step::acknowledged, *owed, reason);
  }
  // A refusal (0x80 and more) also ends it: MQTT-4.8.2-6, the message goes to nobody else.
  finish(*owed);
  pump();
}

Session::Released Session::on_pubrec(PacketId packet_id, ReasonCode reason, OperationId operation) {
  OwedMessage* owed = inflight_.find(packet_id);
  if (owed == nullptr || owed->qos != Qos::exactly_once) {
    return {!failed(reason), ReasonCode::packet_identifier_not_found};
  }
  if (services_.watch != nullptr) [[unlikely]] {
    tell_acknowledged(Step::acknowledged, *owed, reason);
  }
  if (failed(reason)) {
    finish(*owed);
    pump();
    return {false, ReasonCode::success};
  }
  if (owed->state == OwedMessage::State::sent) {
    owed->state = OwedMessage::State::released;
    owed->message.reset();
    if (owed->stored) {
      services_.peers.save(
          store::PutInflight{number_, owed->number, owed->sequence, store::OutgoingState::released},
          operation);
    }
  }
  return {};
}

void Session::on_pubcomp(PacketId packet_id) {
  OwedMessage* owed = inflight_.find(packet_id);
  if (owed == nullptr || owed->state != OwedMessage::State::released) return;
  if (services_.watch != nullptr) [[unlikely]] {
    tell_acknowledged(Step::completed, *owed, ReasonCode::success);
  }
  finish(*owed);
  pump();
}

void Session::on_received(PacketId packet_id, OperationId operation, ReasonCode reason) {
  if (auto* entry = received_.find(packet_id); entry != nullptr && entry->operation == operation) {
    entry->operation = 0;
    // A refused message was never received: the identifier is free (MQTT-4.3.3-9).
    if (failed(reason)) received_.remove(packet_id);
  }
  if (connection_ != nullptr) connection_->on_done(operation, reason);
}

}  // namespace linnet::session

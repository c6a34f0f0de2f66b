// What sessions and connections tell a watch. All of it is off the hot path: they ask first whether
// there is one.
#include "session/watch.hpp"

#include <array>
#include <bit>

#include "base/cat.hpp"
#include "mqtt/packet.hpp"
#include "session/connection.hpp"
#include "session/session.hpp"

namespace linnet::session {

std::string_view name_of(Step step) noexcept {
  constexpr std::array<std::string_view, kSteps> kNames{
      "received", "denied",       "refused",   "waits",   "will",    "queued",
      "sent",     "acknowledged", "completed", "expired", "dropped", "skipped"};
  return kNames[static_cast<std::size_t>(step)];
}

void Session::tell(Step step, const MessageView& message, Qos qos, std::string_view why) const {
  WatchedStep told;
  told.step = step;
  told.client_id = client_id();
  told.message = &message;
  told.why = why;
  told.qos = qos;
  told.retain = message.retain;
  services_.watch->on_step(told);
}

/// Only a rule that says so keeps a message from a receiver.
void Session::tell_denied(const MessageView& message, Qos qos) {
  const auto decision =
      access_->decide({auth::Action::receive, message.topic, Qos::at_most_once, false, false});
  tell(Step::denied, message, qos, access_->name_of(decision));
}

void Session::tell_acknowledged(Step step, const OwedMessage& owed, ReasonCode reason) const {
  WatchedStep told;
  MessageView message;
  if (owed.message) message = owed.message->view();
  told.step = step;
  told.client_id = client_id();
  told.message = owed.message ? &message : nullptr;
  if (failed(reason)) told.why = linnet::name_of(reason);
  told.packet_id = owed.packet_id;
  told.qos = owed.qos;
  services_.watch->on_step(told);
}

void Connection::tell_received(const mqtt::Publish& publish, ReasonCode reason) {
  MessageView message;
  message.topic = publish.topic;
  message.payload = publish.payload;
  message.publisher = session_->client_id();
  message.qos = publish.qos;
  message.retain = publish.retain;
  WatchedStep told;
  told.client_id = session_->client_id();
  told.message = &message;
  told.packet_id = publish.packet_id;
  told.qos = publish.qos;
  told.retain = publish.retain;
  told.dup = publish.dup;
  const router::Route& route = services_.router.route(publish.topic);
  told.receivers = static_cast<std::uint32_t>(route.targets.size());
  told.other_shards = static_cast<std::uint32_t>(std::popcount(route.shards));
  services_.watch->on_step(told);
  if (!failed(reason)) return;
  std::string why;
  told.receivers = told.other_shards = 0;
  told.step = Step::refused;
  if (is_sys_topic(publish.topic)) {
    why = "$SYS belongs to the broker";
  } else if (Access* access = session_->access();
             access != nullptr && reason == ReasonCode::not_authorized) {
    told.step = Step::denied;
    why = access->name_of(
        access->decide({auth::Action::publish, publish.topic, publish.qos, publish.retain, false}));
  } else {
    why = linnet::name_of(reason);
  }
  told.why = why;
  services_.watch->on_step(told);
}

void Connection::tell_sent(const OutgoingCopy& copy) const {
  WatchedStep told;
  told.step = Step::sent;
  told.client_id = session_->client_id();
  told.message = copy.message;
  told.packet_id = copy.packet_id;
  told.qos = copy.qos;
  told.retain = copy.retain;
  told.dup = copy.dup;
  services_.watch->on_step(told);
}

/// Of a message that is not at hand any more.
void Connection::tell_of_packet(Step step, PacketId packet_id, std::string_view why) const {
  WatchedStep told;
  told.step = step;
  told.client_id = session_->client_id();
  told.why = why;
  told.packet_id = packet_id;
  services_.watch->on_step(told);
}

}  // namespace linnet::session

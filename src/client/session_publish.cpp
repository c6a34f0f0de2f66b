#include <algorithm>

#include "base/cat.hpp"
#include "client/session.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/encode_client.hpp"

namespace linnet::client {

using mqtt::PacketType;

namespace {

constexpr std::size_t kWaitingMax = 1'000;
constexpr std::size_t kWaitingBytesMax = 1 << 20;
/// A message is kept until it is acknowledged.
constexpr std::size_t kFlightBytesMax = 16 << 20;
/// Some packet identifiers are for other questions.
constexpr std::uint16_t kWindowMax = 60'000;

std::size_t bytes_of(const Message& message) noexcept {
  return message.topic.size() + message.payload.size() + message.properties.size();
}

mqtt::OutgoingPublish packet_of(const Message& message) noexcept {
  mqtt::OutgoingPublish publish;
  publish.topic = message.topic;
  publish.payload = message.payload;
  publish.forwarded = message.properties;
  publish.qos = message.qos;
  publish.retain = message.retain;
  return publish;
}

}  // namespace

std::uint64_t Session::publish(Message message) {
  waiting_bytes_ += bytes_of(message);
  waiting_.push_back({++last_number_, std::move(message)});
  const std::uint64_t number = last_number_;
  send_waiting();
  return number;
}

bool Session::wants_messages() const noexcept {
  return waiting_.size() < kWaitingMax && waiting_bytes_ < kWaitingBytesMax &&
         output_.size() < kWaitingBytesMax;
}

bool Session::has_room_for(const Message& message) const noexcept {
  if (message.qos == Qos::at_most_once || flights_.empty()) return true;
  const std::size_t window = std::min({options_.inflight_max, server_.receive_max, kWindowMax});
  return flights_.size() < window && flight_bytes_ < kFlightBytesMax;
}

Outcome Session::check(const Message& message) const {
  if (message.qos > server_.qos_max)
    return {ReasonCode::qos_not_supported, "the server takes messages of a lower QoS only"};
  if (message.retain && !server_.retain_available)
    return {ReasonCode::retain_not_supported, "the server keeps no retained messages"};
  if (message.topic_alias > server_.topic_alias_max && options_.version == Version::v5) {
    return {ReasonCode::topic_alias_invalid,
            "the topic alias is larger than the server allows, or it allows none"};
  }
  mqtt::OutgoingPublish publish = packet_of(message);
  publish.topic_alias = message.topic_alias;
  const auto size = layout_of(publish, options_.version).size;
  if (size > server_.packet_size_max)
    return {ReasonCode::packet_too_large, "the message is larger than the server takes"};
  return {};
}

void Session::send_waiting() {
  if (is_resuming_) return;
  while (stage_ == Stage::open && !waiting_.empty() && has_room_for(waiting_.front().message)) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= bytes_of(next.message);
    if (const Outcome outcome = check(next.message); failed(outcome.reason)) {
      user_.on_published(next.number, outcome);
      continue;
    }
    if (next.message.qos == Qos::at_most_once) {
      send_publish(next.message, 0, false);
      user_.on_published(next.number, {});
      continue;
    }
    const mqtt::PacketId packet_id = next_packet_id();
    send_publish(next.message, packet_id, false);
    flight_bytes_ += bytes_of(next.message);
    flight_of_[packet_id] = next.number;
    flights_.emplace(next.number, Flight{packet_id, false, std::move(next.message)});
  }
}

void Session::send_publish(const Message& message, mqtt::PacketId packet_id, bool dup) {
  mqtt::OutgoingPublish publish = packet_of(message);
  publish.packet_id = packet_id;
  publish.dup = dup;
  const std::size_t alias = message.topic_alias;
  // The server may allow fewer than it did when the message was sent first.
  if (alias != 0 && alias <= server_.topic_alias_max) {
    publish.topic_alias = message.topic_alias;
    if (sent_aliases_.size() <= alias) sent_aliases_.resize(alias + 1);
    if (sent_aliases_[alias] == message.topic) publish.topic = {};
    sent_aliases_[alias] = message.topic;
  }
  const std::size_t before = output_.size();
  mqtt::append(output_, publish, options_.version);
  note_sent(PacketType::publish, before);
}

/// What was under way when the last connection was lost, in the order in which it was sent first.
void Session::resend(bool session_present) {
  std::deque<Waiting> again;
  std::size_t sent = 0;
  for (auto at = flights_.begin(); at != flights_.end() && stage_ == Stage::open;) {
    auto& [number, flight] = *at;
    ++at;
    if (flight.released && session_present) {
      ++sent;
      send_ack(PacketType::pubrel, {flight.packet_id});
    } else if (flight.released) {
      // The server had it, and has forgotten that we have not heard so.
      finish(number, {});
    } else if (session_present && sent < server_.receive_max) {
      ++sent;
      send_publish(flight.message, flight.packet_id, true);
    } else {
      again.push_back({number, flight.message});
    }
  }
  for (; !again.empty(); again.pop_back()) {
    Waiting& waiting = again.back();
    const auto found = flights_.find(waiting.number);
    flight_of_.erase(found->second.packet_id);
    flight_bytes_ -= bytes_of(waiting.message);
    flights_.erase(found);
    waiting_bytes_ += bytes_of(waiting.message);
    waiting_.push_front(std::move(waiting));
  }
}

void Session::on_ack(const mqtt::Frame& frame) {
  const auto ack = mqtt::decode_server_ack(frame, options_.version);
  if (!ack) return refuse_packet(frame.type(), ack.error());
  const auto found = flight_of_.find(ack->packet_id);
  if (found == flight_of_.end()) {
    // An answer to what we have given up, or to nothing: there is nothing to do about it.
    const bool wants_release = frame.type() == PacketType::pubrec && !failed(ack->reason);
    if (wants_release) {
      send_ack(PacketType::pubrel, {ack->packet_id, ReasonCode::packet_identifier_not_found});
    }
    return;
  }
  const Flight& flight = flights_.at(found->second);
  const bool once = flight.released || flight.message.qos == Qos::exactly_once;
  if (once == (frame.type() == PacketType::puback)) {
    return refuse(ReasonCode::protocol_error,
                  cat("answers a PUBLISH of QoS ", once ? 2 : 1, " with ", name_of(frame.type())));
  }
  if (frame.type() == PacketType::pubrec && !failed(ack->reason)) return on_pubrec(*ack);
  if (frame.type() == PacketType::pubcomp && !flight.released)
    return refuse(ReasonCode::protocol_error, "sends PUBCOMP without a PUBREC before it");
  const bool forgotten = flight.released && frame.type() == PacketType::pubcomp;
  // A server that does not know the identifier any more has had the message.
  finish(found->second, forgotten ? Outcome{} : Outcome{ack->reason, ack->reason_string});
  send_waiting();
}

void Session::on_pubrec(const mqtt::Ack& ack) {
  Flight& flight = flights_.at(flight_of_.at(ack.packet_id));
  if (!flight.released) {
    flight.released = true;
    flight_bytes_ -= bytes_of(flight.message);
    flight.message = {};
  }
  send_ack(PacketType::pubrel, {ack.packet_id});
}

void Session::finish(std::uint64_t number, const Outcome& outcome) {
  const auto found = flights_.find(number);
  flight_bytes_ -= bytes_of(found->second.message);
  flight_of_.erase(found->second.packet_id);
  flights_.erase(found);
  user_.on_published(number, outcome);
}

mqtt::PacketId Session::next_packet_id() {
  // There are fewer flights and questions than identifiers.
  do {
    ++last_packet_id_;
  } while (last_packet_id_ == 0 || flight_of_.contains(last_packet_id_) ||
           asked_.contains(last_packet_id_));
  return last_packet_id_;
}

void Session::subscribe(std::vector<Subscription> subscriptions) {
  subscriptions_.insert(subscriptions_.end(), subscriptions.begin(), subscriptions.end());
  if (stage_ == Stage::open) send_subscribe(std::move(subscriptions));
}

void Session::unsubscribe(std::vector<std::string> filters) {
  if (stage_ == Stage::open) return send_unsubscribe(std::move(filters));
  unsubscribes_.push_back(std::move(filters));
}

void Session::send_subscribe(std::vector<Subscription> subscriptions) {
  std::vector<mqtt::TopicFilter> filters;
  for (const Subscription& subscription : subscriptions)
    filters.push_back({subscription.filter, subscription.options});
  const mqtt::PacketId packet_id = next_packet_id();
  const std::size_t before = output_.size();
  mqtt::append(output_, mqtt::OutgoingSubscribe{packet_id, filters, options_.subscribe_properties},
               options_.version);
  note_sent(PacketType::subscribe, before);
  asked_[packet_id].subscriptions = std::move(subscriptions);
}

void Session::send_unsubscribe(std::vector<std::string> filters) {
  const std::vector<std::string_view> views(filters.begin(), filters.end());
  const mqtt::PacketId packet_id = next_packet_id();
  const std::size_t before = output_.size();
  mqtt::append(output_,
               mqtt::OutgoingUnsubscribe{packet_id, views, options_.unsubscribe_properties},
               options_.version);
  note_sent(PacketType::unsubscribe, before);
  asked_[packet_id].filters = std::move(filters);
}

}  // namespace linnet::client

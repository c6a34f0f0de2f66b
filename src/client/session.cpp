#include "client/session.hpp"

#include <algorithm>

#include "base/cat.hpp"
#include "mqtt/encode.hpp"
#include "mqtt/encode_client.hpp"
#include "mqtt/property.hpp"

namespace linnet::client {

namespace {

using mqtt::PacketType;

constexpr std::size_t kPacketMax = 268'435'455 + 5;
constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kNever = ~std::uint64_t{0};

/// Refusals and ends after which another try would come to the same end.
bool is_final(ReasonCode reason) noexcept {
  switch (reason) {
    case ReasonCode::success:
    case ReasonCode::unspecified_error:
    case ReasonCode::implementation_specific_error:
    case ReasonCode::server_unavailable:
    case ReasonCode::server_busy:
    case ReasonCode::server_shutting_down:
    case ReasonCode::keep_alive_timeout:
    case ReasonCode::receive_maximum_exceeded:
    case ReasonCode::message_rate_too_high:
    case ReasonCode::quota_exceeded:
    case ReasonCode::administrative_action:
    case ReasonCode::connection_rate_exceeded:
    case ReasonCode::maximum_connect_time: return false;
    default: return true;
  }
}

std::string with_text(std::string text, std::string_view more) {
  return more.empty() ? text : cat(text, ": ", more);
}

}  // namespace

std::string reason_text(ReasonCode reason) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto code = static_cast<std::uint8_t>(reason);
  return cat(name_of(reason), " (0x", kDigits[code >> 4], kDigits[code & 15], ')');
}

std::string reason_text(const Outcome& outcome) {
  return with_text(reason_text(outcome.reason), outcome.text);
}

Session::Session(SessionOptions options, SessionUser& user)
    : options_(std::move(options)), user_(user), limits_{kPacketMax}, server_{kPacketMax} {
  if (options_.version != Version::v5) return;
  mqtt::PropertyReader properties(options_.connect_properties, place_of(PacketType::connect));
  while (properties.next()) {
    const auto& value = properties.value();
    const auto u16 = static_cast<std::uint16_t>(value.number);
    switch (value.id) {
      case mqtt::Property::maximum_packet_size:
        limits_.packet_size_max = std::min<std::size_t>(value.number, kPacketMax);
        break;
      case mqtt::Property::session_expiry_interval: limits_.session_expiry_s = value.number; break;
      case mqtt::Property::receive_maximum: limits_.receive_max = u16; break;
      case mqtt::Property::topic_alias_maximum: limits_.topic_alias_max = u16; break;
      default: break;
    }
  }
}

void Session::begin(std::uint64_t now_ns) {
  output_.clear();
  fault_.reset();
  stage_ = Stage::opening;
  now_ns_ = sent_ns_ = received_ns_ = now_ns;
  pinged_ns_ = 0;
  mqtt::OutgoingConnect connect;
  connect.version = options_.version;
  // Whoever comes again wants the session that has a life of its own, or what was sent meanwhile
  // would be lost.
  const bool comes_again = was_connected_ && limits_.session_expiry_s > 0;
  connect.clean_start = options_.clean_start && !comes_again;
  connect.keep_alive_s = options_.keep_alive_s;
  connect.client_id = options_.client_id;
  if (options_.will) {
    const Message& will = *options_.will;
    connect.will = {will.topic, will.payload, will.qos, will.retain, will.properties};
  }
  if (options_.user_name) connect.user_name = *options_.user_name;
  if (options_.password) connect.password = *options_.password;
  connect.properties = options_.connect_properties;
  mqtt::append(output_, connect);
  note_sent(PacketType::connect, 0);
}

void Session::on_lost() {
  if (stage_ != Stage::ended) stage_ = Stage::closed;
  output_.clear();
  asked_.clear();
  pinged_ns_ = 0;
}

void Session::end(ReasonCode reason) {
  // What has been told is acknowledged, or it would come again.
  if (in_message_) {
    end_after_ = reason;
    return;
  }
  if (stage_ == Stage::open) {
    const std::size_t before = output_.size();
    mqtt::append(output_, mqtt::OutgoingDisconnect{reason, options_.disconnect_properties},
                 options_.version);
    note_sent(PacketType::disconnect, before);
  }
  stage_ = Stage::ended;
}

std::size_t Session::on_bytes(std::string_view bytes, std::uint64_t now_ns) {
  now_ns_ = received_ns_ = now_ns;
  std::size_t taken = 0;
  while (stage_ == Stage::opening || stage_ == Stage::open) {
    const auto framed = mqtt::next_frame(bytes.substr(taken), limits_.packet_size_max);
    if (framed.state == mqtt::Framed::State::incomplete) break;
    if (framed.state == mqtt::Framed::State::bad) {
      const bool too_large = framed.error.reason == ReasonCode::packet_too_large;
      if (stage_ == Stage::opening) {
        refuse(ReasonCode::malformed_packet,
               "does not answer CONNECT with CONNACK; is it an MQTT broker?");
      } else if (too_large) {
        refuse(framed.error.reason, cat("sends a packet of more than ", limits_.packet_size_max,
                                        " bytes, the Maximum Packet Size of our CONNECT"));
      } else {
        refuse(framed.error.reason, cat("sends what is not MQTT: ", framed.error.text));
      }
      break;
    }
    taken += framed.frame.whole.size();
    user_.on_packet(Direction::received, framed.frame.type(), framed.frame.whole.size());
    on_frame(framed.frame);
  }
  return taken;
}

void Session::on_frame(const mqtt::Frame& frame) {
  const PacketType type = frame.type();
  if (stage_ == Stage::opening) return on_connack(frame);
  switch (type) {
    case PacketType::publish: return on_publish(frame);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubcomp: return on_ack(frame);
    case PacketType::pubrel: return on_pubrel(frame);
    case PacketType::suback:
    case PacketType::unsuback: return on_suback(frame);
    case PacketType::pingresp: pinged_ns_ = 0; return;
    case PacketType::disconnect:
      if (options_.version == Version::v5) return on_disconnect(frame);
      break;
    case PacketType::auth:
      if (options_.version != Version::v5) break;
      return refuse(ReasonCode::protocol_error,
                    "wants to authenticate again, which this client does not do");
    default: break;
  }
  refuse(ReasonCode::protocol_error, cat("sends ", name_of(type), ", which is not for a client of ",
                                         name_of(options_.version)));
}

void Session::on_connack(const mqtt::Frame& frame) {
  if (frame.type() == PacketType::auth && options_.version == Version::v5) {
    return refuse(ReasonCode::bad_authentication_method,
                  "wants an authentication in several steps, which this client does not do");
  }
  if (frame.type() != PacketType::connack) {
    return refuse(ReasonCode::protocol_error,
                  cat("answers CONNECT with ", name_of(frame.type()), " instead of CONNACK"));
  }
  const auto connack = mqtt::decode_connack(frame, options_.version);
  if (!connack) return refuse_packet(frame.type(), connack.error());
  if (connack->reason == ReasonCode::success) return take_connack(*connack);
  stage_ = Stage::ended;
  std::string text = cat("refuses the connection: ",
                         reason_text(Outcome{connack->reason, connack->reason_string}));
  if (!connack->server_reference.empty())
    text += cat("; it names another server: ", connack->server_reference);
  fault_ = Fault{std::move(text), is_final(connack->reason), connack->reason};
}

void Session::take_connack(const mqtt::Connack& connack) {
  server_ = Server{kPacketMax};
  if (connack.packet_size_max != 0)
    server_.packet_size_max = std::min<std::size_t>(connack.packet_size_max, kPacketMax);
  server_.receive_max = connack.receive_maximum;
  server_.topic_alias_max = connack.topic_alias_max;
  server_.keep_alive_s = connack.server_keep_alive_s.value_or(options_.keep_alive_s);
  server_.qos_max = connack.qos_max;
  server_.retain_available = connack.retain_available;
  // A session that stays with us keeps its name.
  if (!connack.assigned_client_id.empty()) options_.client_id = connack.assigned_client_id;
  sent_aliases_.clear();
  aliases_.clear();
  alias_bytes_ = 0;
  if (!connack.session_present) {
    received_.clear();
    received_count_ = 0;
  }
  stage_ = Stage::open;
  const bool subscribes = !connack.session_present || !was_connected_;
  was_connected_ = true;
  // What is older goes first.
  is_resuming_ = true;
  user_.on_connected(connack);
  if (stage_ != Stage::open) return;
  if (subscribes && !subscriptions_.empty()) send_subscribe(subscriptions_);
  for (; !unsubscribes_.empty(); unsubscribes_.pop_front())
    send_unsubscribe(std::move(unsubscribes_.front()));
  resend(connack.session_present);
  is_resuming_ = false;
  send_waiting();
}

void Session::on_disconnect(const mqtt::Frame& frame) {
  const auto disconnect = mqtt::decode_server_disconnect(frame);
  if (!disconnect) return refuse_packet(frame.type(), disconnect.error());
  stage_ = Stage::ended;
  std::string text = "has ended the connection";
  const Outcome outcome{disconnect->reason, disconnect->reason_string};
  if (disconnect->reason != ReasonCode::success) text += cat(": ", reason_text(outcome));
  if (!disconnect->server_reference.empty())
    text += cat("; it names another server: ", disconnect->server_reference);
  fault_ = Fault{std::move(text), is_final(disconnect->reason), disconnect->reason};
}

/// What is wrong with this server's bytes will be wrong the next time.
void Session::refuse(ReasonCode reason, std::string text) {
  const bool says = stage_ == Stage::open && options_.version == Version::v5;
  if (says) {
    const std::size_t before = output_.size();
    mqtt::append(output_, mqtt::OutgoingDisconnect{reason, {}}, options_.version);
    note_sent(PacketType::disconnect, before);
  }
  stage_ = Stage::ended;
  fault_ = Fault{std::move(text), true, reason};
}

void Session::refuse_packet(PacketType type, const ProtocolError& error) {
  refuse(error.reason, cat("sends a broken ", name_of(type), ": ", error.text));
}

std::uint64_t Session::on_time(std::uint64_t now_ns) {
  now_ns_ = now_ns;
  if (stage_ != Stage::open || server_.keep_alive_s == 0) return kNever;
  const std::uint64_t keep_alive_ns = server_.keep_alive_s * kSecondNs;
  // Whatever comes shows that somebody is there.
  const auto silence_ns = [&] {
    return pinged_ns_ == 0 ? kNever : std::max(pinged_ns_, received_ns_) + keep_alive_ns;
  };
  if (now_ns >= silence_ns()) {
    stage_ = Stage::ended;
    fault_ = Fault{cat("has said nothing for ", server_.keep_alive_s, " s, not even PINGRESP"),
                   false, ReasonCode::keep_alive_timeout};
    return kNever;
  }
  // Also while an answer is due: it may lie unread behind much else.
  if (now_ns >= sent_ns_ + keep_alive_ns) {
    const std::size_t before = output_.size();
    mqtt::append_pingreq(output_);
    note_sent(PacketType::pingreq, before);
    if (pinged_ns_ == 0) pinged_ns_ = now_ns;
  }
  return std::min(silence_ns(), sent_ns_ + keep_alive_ns);
}

void Session::note_sent(PacketType type, std::size_t output_before) {
  sent_ns_ = now_ns_;
  user_.on_packet(Direction::sent, type, output_.size() - output_before);
}

}  // namespace linnet::client

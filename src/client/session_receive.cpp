#include <utility>

#include "base/cat.hpp"
#include "client/session.hpp"
#include "mqtt/encode.hpp"

namespace linnet::client {

using mqtt::PacketType;

namespace {

constexpr std::size_t kPacketIds = 65'536;
/// What the topics behind aliases may take together.
constexpr std::size_t kAliasBytesMax = 8 << 20;

}  // namespace

void Session::on_publish(const mqtt::Frame& frame) {
  auto publish = mqtt::decode_received_publish(frame, options_.version);
  if (!publish) return refuse_packet(frame.type(), publish.error());
  if (!resolve_alias(*publish)) return;
  // The same message of QoS 2 may come twice before its PUBREL, and is told once.
  const bool is_new = publish->qos != Qos::exactly_once || note_received(*publish);
  if (stage_ == Stage::ended) return;
  in_message_ = true;
  if (is_new) user_.on_message(*publish);
  in_message_ = false;
  const bool once = publish->qos == Qos::at_least_once;
  if (publish->qos != Qos::at_most_once)
    send_ack(once ? PacketType::puback : PacketType::pubrec, {publish->packet_id});
  if (end_after_) end(*std::exchange(end_after_, std::nullopt));
}

bool Session::resolve_alias(mqtt::ReceivedPublish& publish) {
  const std::size_t alias = publish.topic_alias;
  if (alias == 0) return true;
  if (alias > limits_.topic_alias_max) {
    refuse(ReasonCode::topic_alias_invalid,
           cat("uses topic alias ", alias, ", where our CONNECT allows ", limits_.topic_alias_max));
    return false;
  }
  if (publish.topic.empty()) {
    if (alias < aliases_.size()) publish.topic = aliases_[alias];
    if (!publish.topic.empty()) return true;
    refuse(ReasonCode::topic_alias_invalid,
           cat("uses topic alias ", alias, " without having said its topic"));
    return false;
  }
  if (aliases_.size() <= alias) aliases_.resize(alias + 1);
  alias_bytes_ = alias_bytes_ - aliases_[alias].size() + publish.topic.size();
  if (alias_bytes_ > kAliasBytesMax) {
    refuse(ReasonCode::quota_exceeded, "keeps too long topics behind topic aliases");
    return false;
  }
  aliases_[alias] = publish.topic;
  return true;
}

/// False if it was there before, or if there are too many of them.
bool Session::note_received(const mqtt::ReceivedPublish& publish) {
  if (received_.empty()) received_.resize(kPacketIds);
  if (received_[publish.packet_id]) return false;
  if (received_count_ >= limits_.receive_max) {
    refuse(ReasonCode::receive_maximum_exceeded,
           cat("has more than ", limits_.receive_max,
               " messages under way, the Receive Maximum of our CONNECT"));
    return false;
  }
  received_[publish.packet_id] = true;
  ++received_count_;
  return true;
}

void Session::on_pubrel(const mqtt::Frame& frame) {
  const auto release = mqtt::decode_server_ack(frame, options_.version);
  if (!release) return refuse_packet(frame.type(), release.error());
  mqtt::Ack answer{release->packet_id};
  if (!received_.empty() && received_[release->packet_id]) {
    received_[release->packet_id] = false;
    --received_count_;
  } else {
    answer.reason = ReasonCode::packet_identifier_not_found;
  }
  send_ack(PacketType::pubcomp, answer);
}

void Session::on_suback(const mqtt::Frame& frame) {
  const auto suback = mqtt::decode_suback(frame, options_.version);
  if (!suback) return refuse_packet(frame.type(), suback.error());
  const auto found = asked_.find(suback->packet_id);
  const bool subscribes = frame.type() == PacketType::suback;
  if (found == asked_.end() || found->second.subscriptions.empty() == subscribes) {
    return refuse(ReasonCode::protocol_error,
                  cat("sends ", name_of(frame.type()), " for what nobody has asked"));
  }
  const Asked asked = std::move(found->second);
  asked_.erase(found);
  const std::size_t count = subscribes ? asked.subscriptions.size() : asked.filters.size();
  const bool has_codes = subscribes || options_.version == Version::v5;
  if (has_codes && suback->codes.size() != count) {
    return refuse(ReasonCode::protocol_error,
                  cat("answers ", count, " filters with ", suback->codes.size(), " reason codes"));
  }
  std::vector<Outcome> outcomes(count);
  for (std::size_t at = 0; has_codes && at < count; ++at)
    outcomes[at] = {suback->reason(at), suback->reason_string};
  if (subscribes) return user_.on_subscribed(asked.subscriptions, outcomes);
  user_.on_unsubscribed(asked.filters, outcomes);
}

void Session::send_ack(PacketType type, const mqtt::Ack& ack) {
  if (stage_ != Stage::open) return;
  const std::size_t before = output_.size();
  mqtt::append_ack(output_, type, ack, options_.version);
  note_sent(type, before);
}

}  // namespace linnet::client

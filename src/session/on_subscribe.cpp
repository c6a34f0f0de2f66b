// SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0, sections 3.8 to 3.11).
#include "session/connection.hpp"

namespace linnet::session {

using mqtt::PacketType;

namespace {

/// By value: the walk uses the packet up.
std::uint32_t count_filters(mqtt::Subscribe subscribe) {
  std::uint32_t count = 0;
  mqtt::TopicFilter filter;
  while (mqtt::next_filter(subscribe, filter))
    ++count;
  return count;
}

}  // namespace

void Connection::on_subscribe(const mqtt::Frame& frame) {
  auto decoded = mqtt::decode_subscribe(frame, version_);
  if (!decoded) return fail(decoded.error());
  const OperationId operation = services_.peers.open_operation(*this);
  std::vector<ReasonCode> reasons;
  const bool in_pace = !spending_ || pace_subscribe(count_filters(*decoded));
  mqtt::TopicFilter filter;
  while (mqtt::next_filter(*decoded, filter)) {
    reasons.push_back(in_pace ? subscribe_one(filter, decoded->subscription_id, operation)
                              : ReasonCode::quota_exceeded);
  }
  const bool done = services_.peers.seal(operation).has_value();
  owe_list(PacketType::suback, decoded->packet_id, std::move(reasons), done ? 0 : operation);
  if (done && state_ == State::open) session_->on_subscribed(operation, true);
}

ReasonCode Connection::subscribe_one(const mqtt::TopicFilter& filter, std::uint32_t id,
                                     OperationId operation) {
  if (services_.memory.level() == Pressure::refuse_subscriptions &&
      !session_->has_subscription(filter.filter)) {
    ++services_.counters.memory_subscriptions_refused;
    return ReasonCode::quota_exceeded;
  }
  router::SubscriptionTerms terms;
  terms.id = id;
  terms.qos = min(filter.options.qos, services_.limits().qos_max);  // MQTT-3.2.2-9
  if (Access* access = session_->access()) {
    const auto decision = session_->judge_filter(*access, filter.filter, terms.qos);
    if (decision.denied()) {
      ++services_.counters.subscriptions_denied;
      log_denial("subscribe to", filter.filter, decision);
      return ReasonCode::not_authorized;
    }
    terms.qos = min(terms.qos, decision.qos_max);
  }
  terms.no_local = filter.options.no_local;
  terms.retain_as_published = filter.options.retain_as_published;
  terms.retain_handling = filter.options.retain_handling;
  return session_->subscribe(filter.filter, terms, operation);
}

void Connection::on_unsubscribe(const mqtt::Frame& frame) {
  auto decoded = mqtt::decode_unsubscribe(frame, version_);
  if (!decoded) return fail(decoded.error());
  const OperationId operation = services_.peers.open_operation(*this);
  std::vector<ReasonCode> reasons;
  std::string_view filter;
  while (mqtt::next_filter(*decoded, filter)) {
    reasons.push_back(session_->unsubscribe(filter, operation));
  }
  session_->sweep_memberships();
  const bool done = services_.peers.seal(operation).has_value();
  owe_list(PacketType::unsuback, decoded->packet_id, std::move(reasons), done ? 0 : operation);
}

void Connection::owe_list(PacketType type, PacketId packet_id, std::vector<ReasonCode> reasons,
                          OperationId operation) {
  auto details = std::make_unique<AckDetails>();
  details->reasons = std::move(reasons);
  if (type == PacketType::suback) ++unconfirmed_subscribes_;
  owe({operation, type, ReasonCode::success, packet_id, std::move(details)});
}

}  // namespace linnet::session

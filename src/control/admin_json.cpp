#include "control/admin_json.hpp"

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/utc_text.hpp"
#include "session/session.hpp"

namespace linnet::control {

namespace json = boost::json;

namespace {

template <class Row>
json::array array_of(const std::vector<Row>& all) {
  json::array array;
  for (const Row& one : all)
    array.push_back(json_of(one));
  return array;
}

/// "2026-01-01T00:00:00.123456Z"
std::string time_text(std::int64_t wall_us) {
  constexpr std::int64_t kMicroseconds = 1'000'000;
  std::string text = utc_text(static_cast<std::time_t>(wall_us / kMicroseconds));
  std::string digits = cat(wall_us % kMicroseconds + kMicroseconds);  // a 1 and six digits
  digits.front() = '.';
  if (!text.empty()) text.insert(text.size() - 1, digits);
  return text;
}

}  // namespace

json::object json_of(const Counters& counters) {
  return {{"clients_connected", counters.clients_connected},
          {"sessions", counters.sessions},
          {"subscriptions", counters.subscriptions + counters.shared_subscriptions},
          {"connections_total", counters.connections_total},
          {"messages_received", counters.messages_received},
          {"messages_sent", counters.messages_sent},
          {"bytes_received", counters.bytes_received},
          {"bytes_sent", counters.bytes_sent},
          {"publish_received", counters.publish_received},
          {"publish_sent", counters.publish_sent},
          {"publish_dropped", counters.publish_dropped},
          {"publish_expired", counters.publish_expired},
          {"publish_refused", counters.publish_refused},
          {"publish_denied", counters.publish_denied},
          {"backlog_messages", counters.backlog_messages},
          {"backlog_bytes", counters.backlog_bytes}};
}

json::object json_of(const session::SessionFacts& facts) {
  json::object object{
      {"client_id", facts.client_id},         {"user", facts.user},
      {"connected", facts.connected},         {"subscriptions", facts.subscriptions},
      {"inflight", facts.inflight},           {"backlog_messages", facts.backlog_messages},
      {"backlog_bytes", facts.backlog_bytes}, {"dropped", facts.dropped}};
  constexpr std::uint32_t kNever = session::kNeverExpires;
  if (facts.expiry_s == kNever) {
    object["expiry_s"] = "never";
  } else {
    object["expiry_s"] = facts.expiry_s;
  }
  if (facts.connected) {
    object["address"] = facts.address;
    object["listener"] = facts.listener;
    object["version"] = facts.version;
    object["keep_alive_s"] = facts.keep_alive_s;
    object["outbox_bytes"] = facts.outbox_bytes;
    if (!facts.waits_for.empty()) object["waits_for"] = facts.waits_for;
  }
  if (facts.filters.empty()) return object;
  json::array filters;
  for (const session::SubscriptionFacts& one : facts.filters) {
    filters.push_back(
        json::object{{"filter", one.filter}, {"qos", static_cast<unsigned>(one.qos)}});
  }
  object["filters"] = std::move(filters);
  return object;
}

json::object json_of(const shard::HeavyRow& row) {
  return {{"name", row.name}, {"messages", row.messages}, {"bytes", row.bytes}};
}

json::object json_of(const shard::TraceRecord& record) {
  const std::string_view step = session::name_of(record.step);
  json::object object{{"n", record.number},
                      {"time", time_text(record.wall_us)},
                      {"step", json::string_view(step.data(), step.size())},
                      {"client_id", record.client_id}};
  if (record.has_message) {
    object["topic"] = record.topic;
    object["publisher"] = record.publisher;
    object["bytes"] = record.payload_bytes;
    object["qos"] = static_cast<unsigned>(record.qos);
    object["retain"] = record.retain;
    if (record.dup) object["dup"] = true;
  }
  if (record.packet_id != 0) object["packet_id"] = record.packet_id;
  if (!record.why.empty()) object["why"] = record.why;
  if (record.step == session::Step::received) {
    object["receivers"] = record.receivers;
    if (record.other_shards != 0) object["other_shards"] = record.other_shards;
  }
  return object;
}

json::array json_of(const std::vector<session::SessionFacts>& all) {
  return array_of(all);
}

json::array json_of(const std::vector<shard::HeavyRow>& all) {
  return array_of(all);
}

}  // namespace linnet::control

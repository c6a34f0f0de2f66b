#include "faults/model.hpp"

#include <functional>

#include "base/cat.hpp"

namespace linnet::faults {

using store::OutgoingState;

namespace {

std::string message_text(const MessageView& message) {
  const auto hash = [](std::string_view bytes) { return std::hash<std::string_view>()(bytes); };
  return cat(message.topic.size(), ' ', message.topic.substr(0, 40), ' ', hash(message.topic), ' ',
             message.payload.substr(0, 20), ' ', message.payload.size(), ' ', hash(message.payload),
             " from ", message.publisher, " p ", hash(message.properties), " until ",
             message.expires_at_ms);
}

std::string subscription_text(std::string_view filter, std::uint32_t id, unsigned options) {
  return cat("  subscription ", filter, ' ', id, ' ', options, '\n');
}

template <class Ids>
std::string ids_text(const Ids& ids) {
  std::string result;
  for (const std::uint32_t id : ids)
    result += cat(' ', id);
  return result;
}

std::string inflight_text(std::uint64_t number, std::uint64_t sequence, OutgoingState state) {
  return cat("  inflight ", number, " message ", sequence, " state ", static_cast<unsigned>(state),
             '\n');
}

std::string owed_text(std::uint64_t messages, std::uint64_t bytes) {
  return cat("  owed ", messages, " messages, ", bytes, " bytes\n");
}

template <class Session>  // PutSession or StoredSession
std::string head_text(const Session& session) {
  return cat(session.client_id, " of ", session.user_name, " expiry ", session.expiry_s,
             " version ", static_cast<unsigned>(session.protocol_version),
             session.connected ? " connected" : "");
}

}  // namespace

Model::Session* Model::find(store::SessionNumber session) {
  const auto found = sessions_.find(session);
  return found != sessions_.end() ? &found->second : nullptr;
}

void Model::apply(const store::PutSession& put) {
  sessions_[put.session].head = head_text(put);
}

void Model::apply(const store::EraseSession& erase) {
  sessions_.erase(erase.session);
}

void Model::apply(const store::PutWill& put) {
  if (Session* const session = find(put.session)) {
    session->will = cat(message_text(put.message->view()), " delay ", put.delay_s);
  }
}

void Model::apply(const store::EraseWill& erase) {
  if (Session* const session = find(erase.session)) session->will.reset();
}

void Model::apply(const store::PutSubscription& put) {
  if (Session* const session = find(put.session)) {
    session->subscriptions[put.filter] =
        subscription_text(put.filter, put.subscription_id, put.options);
  }
}

void Model::apply(const store::EraseSubscription& erase) {
  if (Session* const session = find(erase.session)) session->subscriptions.erase(erase.filter);
}

void Model::apply(const store::PutInflight& put) {
  Session* const session = find(put.session);
  if (session == nullptr || session->outgoing.count(put.sequence) == 0) return;
  if (put.state == OutgoingState::released) session->outgoing.erase(put.sequence);
  session->inflight[put.number] = {put.sequence, put.state};
}

void Model::apply(const store::PutReceived& put) {
  if (Session* const session = find(put.session)) session->received.insert(put.packet_id);
}

void Model::apply(const store::EraseReceived& erase) {
  if (Session* const session = find(erase.session)) session->received.erase(erase.packet_id);
}

void Model::apply(const store::PutRetained& put) {
  const std::string topic(put.message->topic());
  if (put.message->payload().empty()) {
    retained_.erase(topic);
  } else {
    retained_[topic] = message_text(put.message->view());
  }
}

void Model::apply(const store::Request& request) {
  for (const store::PutOutgoing& put : request.outgoing) {
    Session* const session = find(put.session);
    if (put.taken_back || session == nullptr) continue;
    const MessageView message = request.message->view();
    session->outgoing[put.sequence] = {
        cat(message_text(message), " qos ", static_cast<unsigned>(put.qos),
            put.retain ? " retain" : "", " ids", ids_text(put.subscription_ids), " group ",
            put.group),
        store::owed_bytes(message)};
    if (put.number != 0) session->inflight[put.number] = {put.sequence, OutgoingState::sent};
  }
}

void Model::apply(const store::Batch& batch) {
  for (const store::Unit& unit : batch.units) {
    if (unit.outcome == store::Outcome::refused) continue;
    for (const store::Request& part : unit.parts) {
      apply(part);
      for (const store::Change& change : part.changes)
        std::visit([this](const auto& step) { apply(step); }, change);
    }
  }
  for (const store::EraseOutgoing& erase : batch.erased) {
    Session* const session = find(erase.session);
    if (session == nullptr) continue;
    session->outgoing.erase(erase.sequence);
    if (erase.number != 0) session->inflight.erase(erase.number);
  }
}

std::string Model::text() const {
  std::string result;
  for (const auto& [number, session] : sessions_) {
    result += cat("session ", number, ' ', session.head, '\n');
    if (session.will) result += cat("  will ", *session.will, '\n');
    for (const auto& [filter, line] : session.subscriptions)
      result += line;
    std::uint64_t bytes = 0;
    for (const auto& [sequence, outgoing] : session.outgoing)
      bytes += outgoing.bytes;
    result += owed_text(session.outgoing.size(), bytes);
    for (const std::uint16_t id : session.received)
      result += cat("  received ", id, '\n');
    for (const auto& [place, what] : session.inflight)
      result += inflight_text(place, what.first, what.second);
    for (const auto& [sequence, outgoing] : session.outgoing)
      result += cat("  outgoing ", sequence, ' ', outgoing.message, '\n');
  }
  for (const auto& [topic, message] : retained_)
    result += cat("retained ", message, '\n');
  return result;
}

namespace {

std::string session_text(const store::StoredSession& session) {
  std::string result = cat("session ", session.number, ' ', head_text(session), '\n');
  if (session.will) {
    result +=
        cat("  will ", message_text(session.will->message), " delay ", session.will->delay_s, '\n');
  }
  std::map<std::string, std::string> subscriptions;
  for (const store::StoredSubscription& one : session.subscriptions)
    subscriptions[std::string(one.filter)] =
        subscription_text(one.filter, one.subscription_id, one.options);
  for (const auto& [filter, line] : subscriptions)
    result += line;
  result += owed_text(session.outgoing_messages, session.outgoing_bytes);
  return result;
}

std::string details_text(const store::Database& database, store::SessionNumber session) {
  std::string result;
  bool read = database.read_received(
      session, [&](std::uint16_t id) { result += cat("  received ", id, '\n'); });
  read = database.read_inflight(session, [&](const store::StoredInflight& one) {
    result += inflight_text(one.number, one.sequence, one.state);
  }) && read;
  const auto outgoing = [&](const store::StoredOutgoing& one) {
    result += cat("  outgoing ", one.sequence, ' ', message_text(one.message), " qos ",
                  static_cast<unsigned>(one.qos), one.retain ? " retain" : "", " ids",
                  ids_text(one.subscription_ids), " group ", one.group, '\n');
    return true;
  };
  read = database.read_outgoing(session, 0, UINT64_MAX, outgoing) && read;
  return read ? result : "  unreadable\n";
}

}  // namespace

std::string text_of(const store::Database& database) {
  std::vector<std::pair<store::SessionNumber, std::string>> sessions;
  database.load_sessions([&](const store::StoredSession& session) {
    sessions.emplace_back(session.number, session_text(session));
  });
  std::string result;
  for (const auto& [number, head] : sessions)
    result += cat(head, details_text(database, number));
  std::map<std::string, std::string> retained;
  store::RetainedQuery query{"#", {}, SIZE_MAX};
  const store::RetainedWalk walk = database.read_retained(query, [&](const MessageView& message) {
    retained[std::string(message.topic)] = message_text(message);
    return true;
  });
  for (const auto& [topic, line] : retained)
    result += cat("retained ", line, '\n');
  return walk.done ? result : cat(result, "unreadable\n");
}

}  // namespace linnet::faults

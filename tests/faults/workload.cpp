#include "faults/workload.hpp"

#include <algorithm>
#include <iterator>

#include "base/cat.hpp"

namespace linnet::faults {

namespace {

constexpr std::size_t kSessionsMax = 12;
constexpr std::size_t kOwedMax = 60;
constexpr std::size_t kLongName = 65'000;

}  // namespace

store::SessionNumber Workload::any_session() {
  const auto place = static_cast<std::ptrdiff_t>(draw(sessions_.size()));
  return std::next(sessions_.begin(), place)->first;
}

/// Some names are longer than a key, and differ only at their end.
std::string Workload::name(std::string_view kind, std::uint64_t count) {
  const std::uint64_t number = draw(count);
  std::string result = cat(kind, '/', number % 7, '/', number);
  if (number % 10 == 9) result.insert(0, number % 20 == 9 ? 600 : kLongName, 'n');
  return result;
}

MessagePtr Workload::message(const std::string& topic, bool may_be_empty) {
  std::size_t size = 1 + draw(200);
  if (one_in(8)) size = 1'000 + draw(12'000);
  if (may_be_empty && one_in(3)) size = 0;
  const std::string payload(size, static_cast<char>('a' + draw(26)));
  const std::string publisher = cat("publisher-", draw(5));
  MessageView view{topic,
                   payload,
                   "",
                   publisher,
                   one_in(4) ? 5'000'000 + draw(1'000'000) : kNever,
                   Qos::at_least_once,
                   false};
  return Message::make(view);
}

void Workload::submit(std::uint32_t shard, store::Change change) {
  store::Request request;
  request.shard = shard;
  request.ticket = next_ticket_++;
  request.changes.push_back(std::move(change));
  target_.submit(std::move(request));
}

void Workload::begin_session() {
  const store::SessionNumber number = next_session_++;
  sessions_[number];
  store::Request request;
  request.shard = home(number);
  request.ticket = next_ticket_++;
  request.changes.push_back(
      store::PutSession{number, cat("client-", number, std::string(one_in(6) ? kLongName : 0, 'c')),
                        one_in(3) ? name("user", 20) : "", 3'600, 5, true});
  if (one_in(2)) {
    request.changes.push_back(
        store::PutWill{number, message(name("will", 20), false), 7, std::nullopt});
  }
  target_.submit(std::move(request));
}

void Workload::end_session() {
  const store::SessionNumber number = any_session();
  submit(home(number), store::EraseSession{number});
  sessions_.erase(number);
}

void Workload::change_session() {
  const store::SessionNumber number = any_session();
  Session& session = sessions_[number];
  const std::uint32_t shard = home(number);
  switch (draw(5)) {
    case 0: submit(shard, store::EraseWill{number}); return;
    case 1: submit(shard, store::PutWill{number, message(name("will", 20), false), 3, 60}); return;
    case 2:
      submit(shard,
             store::PutSession{number, cat("client-", number), name("user", 20), 60, 4, one_in(2)});
      return;
    default: break;
  }
  const std::string filter = name("filter", 30);
  if (session.filters.insert(filter).second || one_in(2)) {
    submit(shard, store::PutSubscription{number, filter, static_cast<std::uint32_t>(draw(500)),
                                         static_cast<std::uint8_t>(draw(3))});
  } else {
    session.filters.erase(filter);
    submit(shard, store::EraseSubscription{number, filter});
  }
}

void Workload::owe(store::Request& part, store::SessionNumber number, bool inflight) {
  Session& session = sessions_[number];
  Owed owed;
  owed.sequence = session.next_sequence++;
  if (inflight) {
    owed.number = session.next_number++;
    owed.state = store::OutgoingState::sent;
  }
  owed.place = {target_.next_request(part.shard), static_cast<std::uint32_t>(part.outgoing.size())};
  store::PutOutgoing put;
  put.session = number;
  put.sequence = owed.sequence;
  put.number = owed.number;
  put.qos = one_in(2) ? Qos::at_least_once : Qos::exactly_once;
  put.retain = one_in(5);
  if (one_in(3)) put.subscription_ids = {static_cast<std::uint32_t>(1 + draw(300))};
  if (one_in(6)) put.group = "group/filter";
  part.outgoing.push_back(put);
  session.owed.push_back(owed);
}

/// One message for several sessions on both shards, with what belongs to it: all or nothing.
void Workload::publish() {
  const store::UnitId unit = next_unit_++;
  const auto origin = static_cast<std::uint32_t>(draw(kShards));
  const std::string topic = name("topic", 60);
  const MessagePtr sent = message(topic, false);
  std::uint32_t parts = 0;
  for (std::uint32_t shard = 0; shard < kShards; ++shard) {
    store::Request part;
    part.shard = shard;
    part.unit = unit;
    part.ticket = next_ticket_++;
    part.message = sent->clone();
    for (auto& [number, session] : sessions_) {
      const bool wanted = home(number) == shard && one_in(2) && session.owed.size() < kOwedMax;
      const bool window_open =
          session.owed.empty() || session.owed.back().state != store::OutgoingState::queued;
      if (wanted) owe(part, number, window_open && one_in(2));
    }
    if (shard == origin && one_in(3)) {
      part.changes.push_back(store::PutRetained{sent->clone()});
    }
    if (part.outgoing.empty() && part.changes.empty()) continue;
    target_.submit(std::move(part));
    ++parts;
  }
  target_.submit(store::Seal{origin, next_ticket_++, unit, parts, false});
}

/// A client acknowledges the oldest of its messages, or the next of its messages is sent.
void Workload::go_on() {
  const store::SessionNumber number = any_session();
  Session& session = sessions_[number];
  const std::uint32_t shard = home(number);
  if (one_in(4)) {
    const auto id = static_cast<std::uint16_t>(1 + draw(8));
    if (session.received.insert(id).second) return submit(shard, store::PutReceived{number, id});
    session.received.erase(id);
    return submit(shard, store::EraseReceived{number, id});
  }
  const auto next = std::find_if(session.owed.begin(), session.owed.end(), [](const Owed& owed) {
    return owed.state == store::OutgoingState::queued;
  });
  if (next != session.owed.end() && next->committed && one_in(3)) {
    next->number = session.next_number++;
    next->state = store::OutgoingState::sent;
    return submit(shard, store::PutInflight{number, next->number, next->sequence, next->state});
  }
  if (session.owed.empty()) return;
  Owed& first = session.owed.front();
  if (first.state == store::OutgoingState::sent && first.committed && one_in(2)) {
    first.state = store::OutgoingState::released;
    return submit(shard, store::PutInflight{number, first.number, first.sequence, first.state});
  }
  target_.erase_outgoing(shard, {number, first.sequence, first.number}, first.place);
  session.owed.erase(session.owed.begin());
}

void Workload::publish_retained() {
  const std::string topic = name("retained", 80);
  submit(static_cast<std::uint32_t>(draw(kShards)), store::PutRetained{message(topic, true)});
}

void Workload::step() {
  const std::uint64_t choice = draw(100);
  if (sessions_.size() < 3 || (choice < 4 && sessions_.size() < kSessionsMax)) {
    begin_session();
  } else if (choice < 6) {
    end_session();
  } else if (choice < 16) {
    change_session();
  } else if (choice < 26) {
    publish_retained();
  } else if (choice < 60) {
    publish();
  } else {
    go_on();
  }
}

void Workload::committed() {
  for (auto& [number, session] : sessions_) {
    for (Owed& owed : session.owed)
      owed.committed = true;
  }
}

}  // namespace linnet::faults

#include "bench/traffic.hpp"

#include <algorithm>

namespace linnet::bench {

namespace {

constexpr std::uint64_t kOutstandingMin = 10'000;
constexpr std::uint64_t kMessagesOfFanout = 16;

}  // namespace

Traffic::Traffic(const Settings& settings, Plan plan)
    : plan_(std::move(plan)),
      payload_(settings.payload),
      numbered_(settings.is_numbered()),
      timed_(settings.is_timed()),
      sent_(plan_.streams.size()),
      ledgers_(settings.publishers) {
  limit_ = settings.outstanding > 0
               ? settings.outstanding
               : std::max(kOutstandingMin, kMessagesOfFanout * plan_.fanout_max());
  share_ = static_cast<std::int64_t>(std::max<std::uint64_t>(limit_ / settings.publishers, 1));
  for (const Plan::Receiver& receiver : plan_.receivers)
    receivers_.push_back(plan_.shared ? Tally::Receiver{} : tally_.add(receiver.streams));
  if (plan_.shared)
    shared_.emplace(sent_, 2 * static_cast<std::uint64_t>(share_), plan_.receivers.size());
  touched_.reserve(settings.publishers);
  working_.reserve(settings.publishers);
  for (std::uint32_t publisher = 0; publisher < settings.publishers; ++publisher)
    touch(publisher);
}

void Traffic::refuse(std::uint32_t publisher, std::uint32_t stream, ReasonCode reason) {
  const std::uint32_t fanout = plan_.streams[stream].fanout;
  ++refused_;
  refusal_ = reason;
  expected_ -= fanout;
  settle(publisher, fanout);
}

/// A payload without room for a number counts, but not for whom: the publishers take turns.
void Traffic::take_odd(std::string_view payload) {
  if (payload.size() != payload_) {
    ++odd_;
    return;
  }
  ++delivered_;
  settle(turn_, 1);
  if (++turn_ == ledgers_.size()) turn_ = 0;
}

Anomalies Traffic::anomalies() const {
  Anomalies found = shared_ ? shared_->anomalies() : tally_.anomalies();
  found.alien += odd_;
  return found;
}

void Traffic::write_off() {
  written_off_ = missing();
  for (std::uint32_t publisher = 0; publisher < ledgers_.size(); ++publisher) {
    ledgers_[publisher].outstanding = 0;
    touch(publisher);
  }
}

}  // namespace linnet::bench

// Who sends more than the rates allow is slowed down: its link is not read until it is within them
// again. What would have to wait longer than rates.patience is refused.
#include <algorithm>

#include "base/cat.hpp"
#include "session/connection.hpp"

namespace linnet::session {

/// After the client is in its session, and when the rates have changed.
void Connection::note_rates() {
  const Rates& rates = services_.config().rates;
  const bool limited =
      rates.client != RateLimits{} || rates.user != RateLimits{} || rates.address != RateLimits{};
  if (!limited) return spending_.reset();
  if (spending_) return;
  spending_ = std::make_unique<auth::Spending>(
      session_->account(), services_.gate.accounts().of_address(link_->endpoint()));
}

Connection::Pace Connection::pace_publish(const mqtt::Publish& publish, std::size_t bytes) {
  if (!spending_) return Pace::go_on;
  const auto wait = spending_->spend_publish(services_.config().rates, bytes, services_.now_ms());
  if (!wait.refused) {
    slow_down(wait.wait_ms);
    return Pace::go_on;
  }
  if (version_ == Version::v5 && publish.qos != Qos::at_most_once) return Pace::refused;
  fail({ReasonCode::message_rate_too_high,
        "the message would have to wait longer than rates.patience"});
  return Pace::ended;
}

/// False if the filters are refused.
bool Connection::pace_subscribe(std::uint32_t filters) {
  if (!spending_) return true;
  const auto wait =
      spending_->spend_subscribe(services_.config().rates, filters, services_.now_ms());
  if (!wait.refused) slow_down(wait.wait_ms);
  return !wait.refused;
}

void Connection::slow_down(std::uint64_t wait_ms) {
  if (wait_ms == 0) return;
  ++services_.counters.clients_slowed;
  slowed_ = true;
  services_.timers.arm(timer_, services_.now_ms() + std::min(wait_ms, left_to_expiry_ms()));
  update_reading();
}

}  // namespace linnet::session

#include "transport/door.hpp"

#include <string>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet::transport {

namespace {

class HalfOpenLink final : public net::Admission {
 public:
  HalfOpenLink(const Door& door, auth::Accounts& accounts) noexcept
      : door_(door), place_(accounts) {}

  [[nodiscard]] auth::HalfOpen& place() noexcept { return place_; }

  [[nodiscard]] bool meet(const net::Endpoint& client, bool final, std::uint64_t now_ms) override {
    if (met_ || (!final && door_.may_tell(client))) return true;
    met_ = true;
    return door_.admit(client, now_ms, place_);
  }

 private:
  Door door_;
  auth::HalfOpen place_;
  bool met_ = false;
};

std::string reason(Refusal refusal, const DoorTerms& terms) {
  switch (refusal) {
    case Refusal::denied: return "listener.allow and listener.deny do not let its address in";
    case Refusal::banned: return "its address is banned; `linnet ban list` says until when";
    case Refusal::rate:
      return cat("its address connects more often than rates.address.connections = ",
                 terms.connections.rate, " allows");
    case Refusal::half_open_per_address:
      return cat("its address has limits.half_open_per_address_max = ",
                 terms.half_open_per_address_max, " connections that are not let in yet");
    case Refusal::half_open: break;
  }
  return cat("there are limits.half_open_max = ", terms.half_open_max,
             " connections that are not let in yet");
}

}  // namespace

DoorTerms door_terms(const Config& config) noexcept {
  DoorTerms terms;
  terms.half_open_max = config.limits.half_open_max;
  terms.half_open_per_address_max = config.limits.half_open_per_address_max;
  terms.connections.rate = config.rates.address.connections;
  terms.connections.burst_ms = static_cast<std::uint64_t>(config.rates.burst.count());
  return terms;
}

std::unique_ptr<net::Admission> Door::open(const net::Endpoint& peer, std::uint64_t now_ms) const {
  auto link = std::make_unique<HalfOpenLink>(*this, keeper_->accounts);
  if (!link->meet(peer, false, now_ms)) return nullptr;
  if (!link->place().take(keeper_->terms.half_open_max)) {
    refuse(Refusal::half_open, peer, now_ms);
    return nullptr;
  }
  return link;
}

bool Door::admit(const net::Endpoint& client, std::uint64_t now_ms, auth::HalfOpen& place) const {
  const net::Networks& allow = entrance_->allow;
  if (entrance_->deny.contains(client) || (!allow.empty() && !allow.contains(client))) {
    return refuse(Refusal::denied, client, now_ms);
  }
  if (keeper_->bans.is_banned(client, now_ms)) return refuse(Refusal::banned, client, now_ms);
  const DoorTerms& terms = keeper_->terms;
  auth::AccountPtr address = keeper_->accounts.of_address(client);
  if (!address) return true;
  if (!address->connects.try_spend(terms.connections, 1, now_ms)) {
    return refuse(Refusal::rate, client, now_ms);
  }
  return place.take_of_address(std::move(address), terms.half_open_per_address_max) ||
         refuse(Refusal::half_open_per_address, client, now_ms);
}

/// Always false.
bool Door::refuse(Refusal refusal, const net::Endpoint& client, std::uint64_t now_ms) const {
  const auto index = static_cast<std::size_t>(refusal);
  ++keeper_->refused.at(index);
  if (!log::enabled(log::Level::info, "transport")) return false;
  if (const auto verdict = keeper_->log_limiters.at(index).ask(now_ms); verdict.allowed) {
    log::info("transport", cat("closed ", client.text(), " at ", entrance_->traits.url, ": ",
                               reason(refusal, keeper_->terms), more_like_it(verdict)));
  }
  return false;
}

}  // namespace linnet::transport

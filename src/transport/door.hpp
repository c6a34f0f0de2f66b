// The door of a listener: whether a connection may begin, by what is known before it has said a
// word: its address, and how many there are. Who may not is closed at once, since nothing can be
// said before TLS and CONNECT; that is counted, and logged now and then.
//
// Behind a proxy the address is known when the proxy has told it, in a PROXY header or in
// X-Forwarded-For; a link asks again then, at the latest before it shows the first bytes of MQTT.
//
//   Door door(entrance, keeper);
//   auto admission = door.open(peer, now_ms);
//   if (!admission) return;               // closed
//   link->hold(std::move(admission));     // until link->let_in()
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "auth/accounts.hpp"
#include "auth/bans.hpp"
#include "base/rate_limit.hpp"
#include "base/token_bucket.hpp"
#include "net/admission.hpp"
#include "transport/entrance.hpp"
#include <linnet/config.hpp>

namespace linnet::transport {

/// What may change by a reload.
struct DoorTerms {
  std::uint32_t half_open_max = 0;  // 0: no limit, here and below
  std::uint32_t half_open_per_address_max = 0;
  BucketTerms connections;  // rates.address.connections
};
[[nodiscard]] DoorTerms door_terms(const Config& config) noexcept;

/// Why a connection was closed at once.
enum class Refusal : std::uint8_t { denied, banned, rate, half_open_per_address, half_open };
inline constexpr std::size_t kRefusals = 5;

/// What all doors of a shard share; of the shard's thread. Outlives the shard's links.
struct DoorKeeper {
  DoorKeeper(auth::Accounts& all_accounts, auth::Bans& all_bans, const DoorTerms& first) noexcept
      : accounts(all_accounts), bans(all_bans), terms(first) {}

  auth::Accounts& accounts;
  auth::Bans& bans;
  DoorTerms terms;  // the shard may write new ones
  std::array<std::uint64_t, kRefusals> refused{};
  std::array<LogLimiter, kRefusals> log_limiters;
};

/// Two pointers.
class Door {
 public:
  /// Both outlive the links.
  Door(const Entrance& entrance, DoorKeeper& keeper) noexcept
      : entrance_(&entrance), keeper_(&keeper) {}

  /// For a connection that has just been accepted. Null: close it.
  [[nodiscard]] std::unique_ptr<net::Admission> open(const net::Endpoint& peer,
                                                     std::uint64_t now_ms) const;
  /// All that depends on the client's address; `place` takes one for it. False: close it.
  [[nodiscard]] bool admit(const net::Endpoint& client, std::uint64_t now_ms,
                           auth::HalfOpen& place) const;
  /// The address is a proxy's, which may tell another one.
  [[nodiscard]] bool may_tell(const net::Endpoint& peer) const noexcept {
    return entrance_->trusted_proxies.contains(peer);
  }

 private:
  bool refuse(Refusal refusal, const net::Endpoint& client, std::uint64_t now_ms) const;

  const Entrance* entrance_;
  DoorKeeper* keeper_;
};

}  // namespace linnet::transport

// Addresses that are banned: for repeated wrong logins, for a time that doubles with each ban, or
// by the administrator's word. Any thread. IPv6 addresses count by their /64, and where kSiteBans
// different ones of the same /48 get banned within one `window`, all of it is, for `time` whenever
// that happens: it may be many strangers. Loopback and Unix sockets are never banned. Nothing of it
// outlives the process.
//
//   if (bans.is_banned(address, now_ms)) return refuse(ReasonCode::banned);
//   ...
//   if (wrong) static_cast<void>(bans.on_wrong_login(address, config.auth.ban, now_ms));
//
// An address is forgotten when its last wrong login is older than `window` and its last ban has
// been over for 10 times as long as it lasted. Of more than kAddressesMax, those that have only
// guessed are forgotten before, the ones with the least time left first; and where fewer than
// kGuessersMin of these are known, the bans with the least time left, over or not. So many
// addresses with few guesses end nobody's ban, and many bans do not keep new guessers from being
// counted. What was banned by hand is never forgotten. Bans for wrong logins are logged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/endpoint.hpp"
#include <linnet/config.hpp>

namespace linnet::auth {

struct Ban {
  std::string address;        // "192.0.2.7", "2001:db8::/64" or "2001:db8::/48"
  std::uint64_t left_ms = 0;  // 0: until it is lifted
  std::uint32_t times = 0;    // how often it was banned for wrong logins, as far as is remembered
  bool by_hand = false;
};

class Bans {
 public:
  static constexpr std::size_t kAddressesMax = 100'000;
  static constexpr std::size_t kGuessersMin = 25'000;
  static constexpr std::uint32_t kSiteBans = 16;

  Bans();
  ~Bans();
  Bans(const Bans&) = delete;
  Bans& operator=(const Bans&) = delete;

  /// Asked for every connection; no more than an atomic load while nobody is banned.
  [[nodiscard]] bool is_banned(const net::Endpoint& address, std::uint64_t now_ms) const noexcept;
  /// How long the ban lasts that this wrong login has led to, in ms; 0: none yet. While an address
  /// is banned, its wrong logins do not count.
  std::uint64_t on_wrong_login(const net::Endpoint& address, const BanConfig& terms,
                               std::uint64_t now_ms);

  // For `linnet ban`

  /// Bans it for `time_ms` from now on, 0: until it is lifted; instead of a ban that it has.
  /// Returns the error; empty: there is none.
  [[nodiscard]] std::string add(const net::Endpoint& address, std::uint64_t time_ms,
                                std::uint64_t now_ms);
  /// Forgets all about the address, and about the /48 around it. False if it was not banned.
  bool lift(const net::Endpoint& address, std::uint64_t now_ms);
  /// Forgets all about all addresses; returns how many were banned.
  std::size_t lift_all(std::uint64_t now_ms);
  /// The longest ones last.
  [[nodiscard]] std::vector<Ban> list(std::uint64_t now_ms) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::auth

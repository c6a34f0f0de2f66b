// Addresses that are banned: for repeated wrong logins, for a time that doubles with each ban, or by
// the administrator's word. Any thread. IPv6 addresses count by their /64; loopback and Unix sockets
// are never banned for wrong logins.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/endpoint.hpp"
#include <linnet/config.hpp>

namespace linnet::auth {

struct Ban {
  std::string address;         // "192.0.2.7" or "2001:db8::/64"
  std::uint64_t left_ms = 0;   // kNever: until it is lifted
  std::uint32_t times = 0;     // how often it was banned
  bool by_hand = false;
};

class Bans {
 public:
  Bans();
  ~Bans();
  Bans(const Bans&) = delete;
  Bans& operator=(const Bans&) = delete;

  /// Asked for every connection; no more than an atomic load while nobody is banned.
  [[nodiscard]] bool is_banned(const net::Endpoint& address, std::uint64_t now_ms) const noexcept;
  /// How long the ban lasts that this wrong login has led to, in ms; 0: none yet.
  [[nodiscard]] std::uint64_t on_wrong_login(const net::Endpoint& address, const BanConfig& terms,
                                             std::uint64_t now_ms);

  // For `linnet ban`
  void add(const net::Endpoint& address, std::uint64_t time_ms, std::uint64_t now_ms);
  [[nodiscard]] bool lift(const net::Endpoint& address);
  [[nodiscard]] std::size_t lift_all();
  [[nodiscard]] std::vector<Ban> list(std::uint64_t now_ms) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::auth

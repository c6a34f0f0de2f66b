// How a broker is, in one line for people: whom it serves, and what is wrong if anything is. For
// the service manager and for `linnet status`. Pure.
//
//   health_line({.clients = 3})                 "3 clients"
//   health_line({.clients = 3, .alarm = why})   "3 clients; nothing is stored durably: <why>"
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

#include "base/memory_budget.hpp"

namespace linnet {

/// Something in use, and how much of it there may be; 0: there is no limit.
struct Usage {
  std::uint64_t used = 0;
  std::uint64_t max = 0;

  [[nodiscard]] bool full() const noexcept { return max != 0 && used >= max; }
};

struct HealthFacts {
  std::uint64_t clients = 0;  // that are connected now
  Usage connections{};        // limits.connections_max
  Usage sessions{};           // limits.sessions_max: kept ones
  Usage store{};              // limits.store_size_max: bytes
  std::string alarm{};        // why durable work is refused; empty: it is not
  Pressure pressure = Pressure::none;
  std::string memory_used{};  // "24.1 of 32.0 MiB"
  std::time_t now = 0;        // UTC; of no meaning without certificates

  struct Certificate {
    std::string file{};
    std::time_t not_after = 0;
  };
  std::vector<Certificate> certificates{};  // that listeners show
};

/// What is wrong, the worst first: a clause each, without a full stop. Empty if nothing is.
[[nodiscard]] std::vector<std::string> health_problems(const HealthFacts& facts);

/// "3 clients", with the problems behind it.
[[nodiscard]] std::string health_line(const HealthFacts& facts);

}  // namespace linnet

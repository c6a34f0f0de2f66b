// What is wrong with a broker that runs, in one line. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/memory_budget.hpp"

namespace linnet::control {

struct HealthFacts {
  std::string store_alarm;  // empty: none
  Pressure pressure = Pressure::none;
  std::string memory_used;  // "24.1 of 32.0 MiB"
  std::int64_t connections_left = 0;
  std::int64_t connections_max = 0;
  std::int64_t sessions_left = 0;  // kept ones
  std::int64_t sessions_max = 0;
};

/// "healthy", or what is wrong, the worst first.
[[nodiscard]] std::string health_line(const HealthFacts& facts);

}  // namespace linnet::control

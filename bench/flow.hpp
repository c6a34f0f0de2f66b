// What a delivered message costs the broker: the steady traffic (steady_traffic.hpp) against its
// CPU time.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "options.hpp"
#include "transports_client.hpp"

namespace linnet::bench {

struct Flow {
  double delivered_per_s = 0;
  double cpu_us = 0;          // the broker's, for each delivery
  double cpu_percent = 0;     // the broker's
  double client_percent = 0;  // ours
  std::uint64_t lost = 0;
};

/// For that long, after a short while that is not counted. `traffic` says which broker.
[[nodiscard]] Flow measure_flow(Transport transport, const Options& traffic,
                                std::chrono::seconds duration);

/// Of each figure; lost messages are added up.
[[nodiscard]] Flow median_of(const std::vector<Flow>& rounds);

}  // namespace linnet::bench

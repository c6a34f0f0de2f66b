// What a delivered message costs the broker, by transport, beside Mosquitto.
#pragma once

#include <cstdint>

#include "transports_options.hpp"

namespace linnet::bench {

/// Prints its table. `certificates` is a folder to write to. Returns how many messages were lost.
[[nodiscard]] std::uint64_t measure_throughput(const TransportOptions& options,
                                               const std::string& certificates);

}  // namespace linnet::bench

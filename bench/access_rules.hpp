// What rules cost a delivered message, beside Mosquitto.
#pragma once

#include <cstdint>

#include "access_options.hpp"

namespace linnet::bench {

/// Prints its table. Returns how many messages were lost.
[[nodiscard]] std::uint64_t measure_rules(const AccessOptions& options);

}  // namespace linnet::bench

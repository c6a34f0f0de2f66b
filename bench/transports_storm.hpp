// How late the messages of established clients are while others arrive at the TLS listener.
#pragma once

#include <cstdint>

#include "transports_options.hpp"

namespace linnet::bench {

/// Prints its tables. `certificates` is a folder to write to. Returns how many messages were lost.
[[nodiscard]] std::uint64_t measure_storm(const TransportOptions& options,
                                          const std::string& certificates);

}  // namespace linnet::bench

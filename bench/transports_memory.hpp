// What an idle connection costs the broker, by transport.
#pragma once

#include "transports_options.hpp"

namespace linnet::bench {

/// Prints its table and targets. `certificates` is a folder to write to.
void measure_memory(const TransportOptions& options, const std::string& certificates);

}  // namespace linnet::bench

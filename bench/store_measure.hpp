// The scenarios that any running broker can be measured with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store_broker.hpp"
#include "store_figures.hpp"
#include "store_options.hpp"

namespace linnet::bench {

/// All that the options want: offline and drain, latency, retained and fetch.
[[nodiscard]] std::vector<StoreFigures> measure(const Target& target, const StoreOptions& options);

/// Sets this many topics of their own from all publishers; bench/retained/<publisher>/<number>.
/// Returns how many messages each publisher has sent.
std::vector<std::uint64_t> set_retained(const Target& target, const StoreOptions& options,
                                        std::uint64_t topics);

/// Fetches them by `#`, with a fresh client.
[[nodiscard]] StoreFigures fetch_retained(const Target& target, char qos,
                                          const std::vector<std::uint64_t>& sent);

}  // namespace linnet::bench

// Linnet and its peer, measured one after the other.
#pragma once

#include <vector>

#include "store_options.hpp"
#include "store_table.hpp"

namespace linnet::bench {

/// Starts each broker anew in each round, with empty data below the options' folder; the rounds of
/// the brokers take turns. The last is the peer, if there is one. Prints each round on its way.
[[nodiscard]] std::vector<BrokerFigures> compare(const StoreOptions& options);

}  // namespace linnet::bench

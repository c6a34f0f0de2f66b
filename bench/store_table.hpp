// What people read in the end.
#pragma once

#include <string>
#include <vector>

#include "store_figures.hpp"
#include "store_options.hpp"

namespace linnet::bench {

struct BrokerFigures {
  std::string broker;
  bool is_linnet = false;  // the targets are for it
  std::vector<StoreFigures> scenarios;
};

/// The scenarios one by one, each with a row for each broker; ratios are to the last broker.
void print_table(const std::vector<BrokerFigures>& brokers);

/// Which targets are met; for those of `brokers` that are Linnet.
void print_targets(const std::vector<BrokerFigures>& brokers, const StoreOptions& options);

}  // namespace linnet::bench

// How long Linnet takes to start with a large store.
#pragma once

#include <string>
#include <vector>

#include "store_figures.hpp"
#include "store_options.hpp"

namespace linnet::bench {

/// Fills a store through the broker, and starts on it after an orderly end and after kill -9, once
/// in each round. What is then missing is counted as lost. `folder` is empty.
[[nodiscard]] std::vector<StoreFigures> measure_start(const std::string& folder,
                                                      const std::vector<std::string>& settings,
                                                      const StoreOptions& options);

}  // namespace linnet::bench

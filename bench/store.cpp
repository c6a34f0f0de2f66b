// bench_store: what a durable broker costs, measured on one that runs, or on Linnet and its peer
// side by side. See README.md.

#include <filesystem>
#include <iostream>
#include <utility>
#include <vector>

#include "store_compare.hpp"
#include "store_disk.hpp"
#include "store_measure.hpp"
#include "store_options.hpp"
#include "store_table.hpp"
#include "table_cells.hpp"

namespace {

using namespace linnet::bench;  // NOLINT: this file is one program

}  // namespace

int main(int count, char** arguments) {
  const auto options = parse_store_options(count, arguments);
  std::filesystem::create_directories(options.folder);
  if (is_in_memory(options.folder)) {
    std::cout << options.folder << " is in memory: what is measured is not durable\n";
  }

  print_load();

  std::vector<BrokerFigures> brokers;
  if (options.compare) {
    brokers = compare(options);
    std::cout << "medians of " << options.rounds << (options.rounds > 1 ? " rounds\n" : " round\n");
  } else {
    const Target target{.host = options.host, .port = options.port, .pid = options.pid};
    brokers.push_back(
        {.broker = "port " + std::to_string(options.port), .scenarios = measure(target, options)});
  }
  print_table(brokers);
  print_targets(brokers, options);

  double lost = 0;
  for (const auto& broker : brokers) {
    for (const auto& figures : broker.scenarios)
      lost += figures.lost;
  }
  if (lost > 0) std::cerr << "bench_store: " << lost << " messages or sessions were lost\n";
  return lost > 0 ? 1 : 0;
}

#include "store_compare.hpp"

#include <csignal>
#include <iostream>
#include <string>
#include <utility>

#include "bench_folder.hpp"
#include "store_broker.hpp"
#include "store_disk.hpp"
#include "store_measure.hpp"
#include "store_start.hpp"

namespace linnet::bench {

namespace {

struct Contender {
  std::string name;
  std::uint32_t threads = 0;  // 0: it is Mosquitto
  std::vector<std::vector<StoreFigures>> rounds;
};

std::vector<std::string> settings_of(const Contender& contender, const StoreOptions& options) {
  std::vector<std::string> settings{"threads=" + std::to_string(contender.threads),
                                    "durability=commit",
                                    "limits.backlog_messages_max=100000000",
                                    "limits.backlog_bytes_max=1TiB",
                                    "limits.retained_messages_max=100000000",
                                    "limits.retained_bytes_max=1TiB",
                                    "limits.connections_max=10000"};
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  return settings;
}

std::vector<StoreFigures> measure_round(const Contender& contender, const StoreOptions& options) {
  const BenchFolder folder(options.folder);
  auto broker = contender.threads > 0 ? RunningBroker::linnet(options.linnet, folder.path(),
                                                              settings_of(contender, options))
                                      : RunningBroker::mosquitto(options.mosquitto, folder.path());
  if (broker.log().find("kept in memory only") != std::string::npos) {
    std::cout << contender.name << " keeps everything in memory only\n";
  }
  auto figures = measure(broker.target(), options);
  broker.end(SIGTERM);
  return figures;
}

std::vector<StoreFigures> medians(const std::vector<std::vector<StoreFigures>>& rounds) {
  std::vector<StoreFigures> all;
  for (std::size_t scenario = 0; scenario < rounds.front().size(); ++scenario) {
    std::vector<StoreFigures> same;
    for (const auto& round : rounds)
      same.push_back(round[scenario]);
    all.push_back(median_of(same));
  }
  return all;
}

}  // namespace

std::vector<BrokerFigures> compare(const StoreOptions& options) {
  std::vector<Contender> contenders;
  for (std::uint32_t threads = 1; threads <= options.threads; ++threads) {
    contenders.push_back(
        {.name = "Linnet, " + std::to_string(threads) + " thread" + (threads > 1 ? "s" : ""),
         .threads = threads,
         .rounds = {}});
  }
  if (!options.mosquitto.empty()) {
    contenders.push_back({.name = "Mosquitto", .threads = 0, .rounds = {}});
  }

  const auto rounds = options.only == "start" ? 0 : options.rounds;
  for (std::uint32_t round = 1; round <= rounds; ++round) {
    std::vector<BrokerFigures> of_round;
    for (auto& contender : contenders) {
      std::cerr << "round " << round << ": " << contender.name << '\n';
      contender.rounds.push_back(measure_round(contender, options));
      of_round.push_back({.broker = contender.name, .scenarios = contender.rounds.back()});
    }
    if (rounds == 1) continue;  // it is its own median
    std::cout << "round " << round << '\n';
    print_table(of_round);
    std::cout << '\n';
  }

  std::vector<BrokerFigures> all;
  for (const auto& contender : contenders) {
    BrokerFigures broker{
        .broker = contender.name, .is_linnet = contender.threads > 0, .scenarios = {}};
    if (rounds > 0) broker.scenarios = medians(contender.rounds);
    if (broker.is_linnet && options.wants("start")) {
      std::cerr << "start: " << contender.name << '\n';
      const BenchFolder folder(options.folder);
      const auto starts = measure_start(folder.path(), settings_of(contender, options), options);
      broker.scenarios.insert(broker.scenarios.end(), starts.begin(), starts.end());
    }
    all.push_back(std::move(broker));
  }
  return all;
}

}  // namespace linnet::bench

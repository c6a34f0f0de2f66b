#include "store_table.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <iostream>
#include <string_view>

#include "statistics.hpp"
#include "table_cells.hpp"

namespace linnet::bench {

namespace {

constexpr auto kMedians = std::to_array<double StoreFigures::*>({
    &StoreFigures::per_s,
    &StoreFigures::cpu_us,
    &StoreFigures::resident_mib,
    &StoreFigures::anonymous_mib,
    &StoreFigures::peak_mib,
    &StoreFigures::disk_bytes,
    &StoreFigures::written_bytes,
    &StoreFigures::p50_ms,
    &StoreFigures::p99_ms,
    &StoreFigures::lmdb_p50_ms,
    &StoreFigures::lmdb_p99_ms,
    &StoreFigures::lmdb_disk_bytes,
    &StoreFigures::sync_ms,
    &StoreFigures::commit_ms,
});

const StoreFigures* find(const BrokerFigures& broker, std::string_view scenario) {
  const auto at =
      std::find_if(broker.scenarios.begin(), broker.scenarios.end(),
                   [&](const StoreFigures& figures) { return figures.scenario == scenario; });
  return at == broker.scenarios.end() ? nullptr : &*at;
}

// Traffic
// ------------------------------------------------------------------------------------------

void print_traffic_head() {
  std::cout << std::left << std::setw(13) << "scenario" << std::setw(20) << "broker" << std::right
            << "      msg/s  ratio   CPU us  ratio  RSS MiB   anon   peak  disk B  wchar B"
               "  sync ms  commit ms   lost  dup.  order\n";
}

void print_traffic(const std::string& broker, const StoreFigures& figures,
                   const StoreFigures* peer) {
  std::cout << std::left << std::setw(13) << figures.scenario << std::setw(20) << broker
            << std::right;
  print_cell(number(figures.per_s, 0), 11);
  print_cell(peer == nullptr ? "" : ratio(figures.per_s, peer->per_s), 7);
  print_cell(number(figures.cpu_us, 3), 9);
  print_cell(peer == nullptr ? "" : ratio(figures.cpu_us, peer->cpu_us), 7);
  print_cell(number(figures.resident_mib, 1), 9);
  print_cell(number(figures.anonymous_mib, 1), 7);
  print_cell(number(figures.peak_mib, 1), 7);
  print_cell(number(figures.disk_bytes, 1), 8);
  print_cell(number(figures.written_bytes, 1), 9);
  print_cell(number(figures.sync_ms, 3), 9);
  print_cell(number(figures.commit_ms, 3), 11);
  print_cell(number(figures.lost, 0), 7);
  print_cell(number(figures.duplicated, 0), 6);
  print_cell(number(figures.disordered, 0), 7);
  std::cout << '\n';
}

// Times
// --------------------------------------------------------------------------------------------

void print_latency_head() {
  std::cout << '\n'
            << std::left << std::setw(33) << "PUBACK, one in flight" << std::right
            << " p50 ms  p99 ms  LMDB p50 ms  LMDB p99 ms  p50 ratio  p99 ratio  sync ms"
               "  disk B  LMDB disk B\n";
}

void print_latency(const std::string& broker, const StoreFigures& figures) {
  std::cout << std::left << std::setw(33) << broker << std::right;
  print_cell(number(figures.p50_ms, 3), 7);
  print_cell(number(figures.p99_ms, 3), 8);
  print_cell(number(figures.lmdb_p50_ms, 3), 13);
  print_cell(number(figures.lmdb_p99_ms, 3), 13);
  print_cell(ratio(figures.p50_ms, figures.lmdb_p50_ms), 11);
  print_cell(ratio(figures.p99_ms, figures.lmdb_p99_ms), 11);
  print_cell(number(figures.sync_ms, 3), 9);
  print_cell(number(figures.disk_bytes, 0), 8);
  print_cell(number(figures.lmdb_disk_bytes, 0), 13);
  std::cout << '\n';
}

void print_start_head() {
  std::cout << '\n'
            << std::left << std::setw(47) << "start" << std::right
            << "ready ms  RSS MiB   anon  sync ms   lost\n";
}

void print_start(const std::string& broker, const StoreFigures& figures) {
  std::cout << std::left << std::setw(27) << figures.scenario << std::setw(20) << broker
            << std::right;
  print_cell(number(figures.p50_ms, 1), 8);
  print_cell(number(figures.resident_mib, 1), 9);
  print_cell(number(figures.anonymous_mib, 1), 7);
  print_cell(number(figures.sync_ms, 3), 9);
  print_cell(number(figures.lost, 0), 7);
  std::cout << '\n';
}

constexpr auto kTraffic =
    std::to_array<std::string_view>({"offline", "drain", "retained", "fetch", "fetch QoS 1"});
constexpr auto kStarts =
    std::to_array<std::string_view>({"start after an orderly end", "start after kill -9"});

// Targets
// ------------------------------------------------------------------------------------------

void print_rate_target(const BrokerFigures& broker, const std::string& scenario, double bound) {
  const auto* figures = find(broker, scenario);
  if (figures == nullptr) return;
  print_target(scenario + " a second", number(figures->per_s, 0),
               "at least " + number(bound, 0) + " (sync " + number(figures->sync_ms, 3) + " ms)",
               figures->per_s >= bound);
}

double offline_bound(const StoreFigures& figures, const StoreOptions& options) {
  constexpr double kQuickSyncMs = 0.2;
  constexpr double kQuickPerS = 300'000;
  if (figures.sync_ms <= kQuickSyncMs) return kQuickPerS;
  const auto in_flight = static_cast<double>(options.publishers) * options.window;
  return in_flight / (2.5 * figures.commit_ms / 1e3);
}

void print_times(const BrokerFigures& broker) {
  constexpr double kStartMs = 200;
  constexpr double kExtraMs = 0.3;
  if (const auto* latency = find(broker, "latency")) {
    const auto bound = 2 * latency->lmdb_p99_ms + kExtraMs;
    print_target("p99 of PUBACK, ms", number(latency->p99_ms, 3),
                 "at most 2 x LMDB's " + number(latency->lmdb_p99_ms, 3) + " + 0.3 = " +
                     number(bound, 3) + " (sync " + number(latency->sync_ms, 3) + " ms)",
                 latency->p99_ms <= bound);
  }
  for (const auto scenario : kStarts) {
    if (const auto* start = find(broker, scenario)) {
      print_target(std::string(scenario) + ", ms", number(start->p50_ms, 1),
                   "under 200 (sync " + number(start->sync_ms, 3) + " ms)",
                   start->p50_ms < kStartMs);
    }
  }
}

}  // namespace

StoreFigures median_of(const std::vector<StoreFigures>& rounds) {
  StoreFigures middle;
  middle.scenario = rounds.front().scenario;
  for (const auto field : kMedians)
    middle.*field = median(rounds, field);
  for (const auto& round : rounds) {
    middle.lost += round.lost;
    middle.duplicated += round.duplicated;
    middle.disordered += round.disordered;
  }
  return middle;
}

void print_table(const std::vector<BrokerFigures>& brokers) {
  const auto rows = [&](std::string_view scenario, const auto& print) {
    for (const auto& broker : brokers) {
      if (const auto* figures = find(broker, scenario)) print(broker, *figures);
    }
  };
  const auto has = [&](std::string_view scenario) {
    return std::any_of(brokers.begin(), brokers.end(),
                       [&](const auto& broker) { return find(broker, scenario) != nullptr; });
  };
  if (has("offline") || has("retained")) print_traffic_head();
  for (const auto scenario : kTraffic) {
    rows(scenario, [&](const BrokerFigures& broker, const StoreFigures& figures) {
      const bool is_peer = &broker == &brokers.back();
      print_traffic(broker.broker, figures, is_peer ? nullptr : find(brokers.back(), scenario));
    });
  }
  if (has("latency")) print_latency_head();
  rows("latency", [](const BrokerFigures& broker, const StoreFigures& figures) {
    print_latency(broker.broker, figures);
  });
  if (has(kStarts[0])) print_start_head();
  for (const auto scenario : kStarts) {
    rows(scenario, [](const BrokerFigures& broker, const StoreFigures& figures) {
      print_start(broker.broker, figures);
    });
  }
  std::cout << std::flush;
}

void print_targets(const std::vector<BrokerFigures>& brokers, const StoreOptions& options) {
  for (const auto& broker : brokers) {
    if (!broker.is_linnet) continue;
    std::cout << "\ntargets, " << broker.broker << '\n';
    if (const auto* offline = find(broker, "offline")) {
      print_rate_target(broker, "offline", offline_bound(*offline, options));
    }
    print_rate_target(broker, "drain", 400'000);
    print_rate_target(broker, "drain", 800'000);
    print_rate_target(broker, "retained", 300'000);
    print_rate_target(broker, "fetch", 900'000);
    print_times(broker);
  }
  std::cout << std::flush;
}

}  // namespace linnet::bench

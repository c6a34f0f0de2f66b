#include "transports_options.hpp"

#include <array>
#include <string_view>

#include "option_table.hpp"

namespace linnet::bench {

namespace {

constexpr auto kNumbers = std::to_array<NumberOption<TransportOptions>>({
    {"--threads", &TransportOptions::threads, 1, 64},
    {"--connections", &TransportOptions::connections, 100, 15'000},
    {"--seconds", &TransportOptions::storm_s, 1, 600},
    {"--arrivals", &TransportOptions::arrivals_per_s, 1, 1'000},
    {"--pairs", &TransportOptions::pairs, 1, 1'000},
    {"--messages", &TransportOptions::messages_per_s, 1, 100'000},
    {"--rounds", &TransportOptions::rounds, 1, 1'000},
    {"--round-seconds", &TransportOptions::throughput_s, 1, 600},
});

constexpr auto kTexts = std::to_array<TextOption<TransportOptions>>({
    {"--linnet", &TransportOptions::linnet},
    {"--mosquitto", &TransportOptions::mosquitto},
    {"--folder", &TransportOptions::folder},
    {"--only", &TransportOptions::only},
});

constexpr auto kParts = std::to_array<std::string_view>({"memory", "storm", "throughput"});

}  // namespace

void make_quick(TransportOptions& options) {
  options.connections = 1'000;
  options.storm_s = 3;
  options.rounds = 1;
  options.throughput_s = 1;
}

TransportOptions parse_transport_options(int count, char** arguments) {
  TransportOptions options;
  OptionTable<TransportOptions>(kNumbers, kTexts).read(options, 1, count, arguments);
  if (options.linnet.empty()) fail("--linnet FILE is needed");
  if (!options.only.empty() &&
      std::find(kParts.begin(), kParts.end(), options.only) == kParts.end()) {
    fail("--only takes memory, storm or throughput");
  }
  return options;
}

}  // namespace linnet::bench

#include "store_options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "numbered_message.hpp"
#include "option_table.hpp"
#include "wire.hpp"

namespace linnet::bench {

namespace {

constexpr auto kNumbers = std::to_array<NumberOption<StoreOptions>>({
    {"--port", &StoreOptions::port, 1, 65'535},
    {"--pid", &StoreOptions::pid, 1, 0x7FFF'FFFF},
    {"--threads", &StoreOptions::threads, 1, 2},
    {"--rounds", &StoreOptions::rounds, 1, 1'000},
    {"--messages", &StoreOptions::messages, 1, 100'000'000},
    {"--publishers", &StoreOptions::publishers, 1, 10'000},
    {"--window", &StoreOptions::window, 1, kPacketIds},
    {"--payload", &StoreOptions::payload_bytes, kNumberBytes, 65'535},
    {"--latency-messages", &StoreOptions::latency_messages, 10, 1'000'000},
    {"--topics", &StoreOptions::topics, 1, 10'000'000},
    {"--fetches", &StoreOptions::fetches, 1, 1'000},
    {"--start-retained", &StoreOptions::start_retained, 1, 10'000'000},
    {"--start-sessions", &StoreOptions::start_sessions, 1, 1'000'000},
});

constexpr auto kTexts = std::to_array<TextOption<StoreOptions>>({
    {"--host", &StoreOptions::host},
    {"--folder", &StoreOptions::folder},
    {"--linnet", &StoreOptions::linnet},
    {"--mosquitto", &StoreOptions::mosquitto},
    {"--only", &StoreOptions::only},
});

constexpr auto kScenarios =
    std::to_array<std::string_view>({"offline", "latency", "retained", "start"});

void check(const StoreOptions& options) {
  if (options.compare && options.linnet.empty()) fail("compare needs --linnet FILE");
  if (!options.compare && options.port == 0) fail("--port of the broker is needed");
  if (!options.only.empty() &&
      std::find(kScenarios.begin(), kScenarios.end(), options.only) == kScenarios.end()) {
    fail("--only takes offline, latency, retained or start");
  }
  if (!options.compare && options.only == "start") fail("start can only be compared");
  if (std::min(options.messages, options.topics) < options.publishers) {
    fail("every publisher needs a message");
  }
}

}  // namespace

void make_quick(StoreOptions& options) {
  options.rounds = 1;
  options.messages = 200'000;
  options.latency_messages = 1'000;
  options.topics = 50'000;
  options.fetches = 3;
  options.start_retained = 100'000;
  options.start_sessions = 1'000;
}

StoreOptions parse_store_options(int count, char** arguments) {
  StoreOptions options;
  options.compare = count > 1 && arguments[1] == "compare"sv;
  OptionTable<StoreOptions>(kNumbers, kTexts)
      .read(options, options.compare ? 2 : 1, count, arguments);
  check(options);
  return options;
}

}  // namespace linnet::bench

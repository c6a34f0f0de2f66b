#include "store_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "numbered_message.hpp"
#include "wire.hpp"

namespace linnet::bench {

namespace {

struct NumberOption {
  std::string_view name;
  std::uint32_t StoreOptions::*field;
  std::uint32_t min;
  std::uint32_t max;
};

struct TextOption {
  std::string_view name;
  std::string StoreOptions::*field;
};

constexpr auto kNumbers = std::to_array<NumberOption>({
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

constexpr auto kTexts = std::to_array<TextOption>({
    {"--host", &StoreOptions::host},
    {"--folder", &StoreOptions::folder},
    {"--linnet", &StoreOptions::linnet},
    {"--mosquitto", &StoreOptions::mosquitto},
    {"--only", &StoreOptions::only},
});

constexpr auto kScenarios =
    std::to_array<std::string_view>({"offline", "latency", "retained", "start"});

void make_quick(StoreOptions& options) {
  options.rounds = 1;
  options.messages = 200'000;
  options.latency_messages = 1'000;
  options.topics = 50'000;
  options.fetches = 3;
  options.start_retained = 100'000;
  options.start_sessions = 1'000;
}

void assign_number(StoreOptions& options, const NumberOption& option, std::string_view value) {
  auto& field = options.*option.field;
  const auto* end = value.data() + value.size();
  const auto [rest, error] = std::from_chars(value.data(), end, field);
  if (error == std::errc() && rest == end && field >= option.min && field <= option.max) return;
  fail(std::string(option.name) + " takes a number from " + std::to_string(option.min) + " to " +
       std::to_string(option.max));
}

void assign(StoreOptions& options, std::string_view name, std::string_view value) {
  const auto is_named = [name](const auto& option) { return option.name == name; };
  if (const auto* at = std::find_if(kNumbers.begin(), kNumbers.end(), is_named);
      at != kNumbers.end()) {
    return assign_number(options, *at, value);
  }
  const auto* at = std::find_if(kTexts.begin(), kTexts.end(), is_named);
  if (at == kTexts.end() && name != "--set") fail("there is no option " + std::string(name));
  if (value.empty()) fail(std::string(name) + " needs a value");
  if (name == "--set") {
    options.settings.emplace_back(value);
  } else {
    options.*at->field = value;
  }
}

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

StoreOptions parse_store_options(int count, char** arguments) {
  StoreOptions options;
  int at = 1;
  if (at < count && arguments[at] == "compare"sv) {
    options.compare = true;
    ++at;
  }
  while (at < count) {
    const std::string_view name = arguments[at++];
    if (name == "--quick") {
      make_quick(options);
    } else {
      assign(options, name, at < count ? arguments[at] : ""sv);
      ++at;
    }
  }
  check(options);
  return options;
}

}  // namespace linnet::bench

// What the command line of bench_churn says.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "wire.hpp"

namespace linnet::bench {

struct Options {
  std::uint32_t port = 0;
  std::uint32_t pid = 0;
  std::uint32_t publishers = 10;
  std::uint32_t subscribers = 10;
  std::uint32_t topics = 10;
  std::uint32_t payload_bytes = 16;
  std::uint32_t seconds = 5;
  std::uint32_t rounds = 3;
  std::uint32_t churn_per_s = 1'000;
  std::uint32_t outstanding = 10'000;

  // Not of the command line.
  std::uint32_t topics_each = 1;  // that a publisher takes in turn, at most 90
  std::string password{};         // of all clients, named like their identifiers; empty: no login
};

struct OptionName {
  std::string_view name;
  std::uint32_t Options::*field;
  std::uint32_t max;
};

constexpr auto kOptionNames = std::to_array<OptionName>({
    {"--port", &Options::port, 65'535},
    {"--pid", &Options::pid, std::numeric_limits<std::int32_t>::max()},
    {"--publishers", &Options::publishers, 10'000},
    {"--subscribers", &Options::subscribers, 10'000},
    {"--topics", &Options::topics, 10'000},
    {"--payload", &Options::payload_bytes, 65'535},
    {"--seconds", &Options::seconds, 3'600},
    {"--rounds", &Options::rounds, 1'000},
    {"--churn", &Options::churn_per_s, 100'000},
    {"--outstanding", &Options::outstanding, 10'000'000},
});

/// How many deliveries one message to this topic makes: the subscribers share out the topics.
inline std::uint32_t receivers_of(std::uint32_t topic, const Options& options) {
  return (options.subscribers - topic + options.topics - 1) / options.topics;
}

inline Options parse(int count, char** arguments) {
  Options options;
  for (int at = 1; at < count; at += 2) {
    const std::string_view name = arguments[at];
    const auto* found = std::find_if(kOptionNames.begin(), kOptionNames.end(),
                                     [&](const OptionName& known) { return known.name == name; });
    if (found == kOptionNames.end()) fail("there is no option " + std::string(name));
    const std::string_view value = at + 1 < count ? arguments[at + 1] : ""sv;
    auto& field = options.*found->field;
    const auto* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, field);
    if (error != std::errc() || rest != end || field == 0 || field > found->max) {
      fail(std::string(name) + " takes a number from 1 to " + std::to_string(found->max));
    }
  }
  if (options.port == 0 || options.pid == 0) fail("--port and --pid of the broker are needed");
  if (options.topics > std::min(options.publishers, options.subscribers)) {
    fail("every topic needs a publisher and a subscriber");
  }
  if (options.payload_bytes < 2) fail("the payload names its publisher, so it has 2 bytes or more");
  if (options.outstanding / options.publishers < receivers_of(0, options)) {
    fail("--outstanding has no room for one message of each publisher");
  }
  return options;
}

}  // namespace linnet::bench

// What the command line of bench_access says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::bench {

struct AccessOptions {
  std::string linnet;
  std::string mosquitto;              // empty: Linnet alone
  std::vector<std::string> settings;  // KEY=VALUE, for Linnet
  std::string folder = ".";           // where brokers keep their data, and passwords and rules are
  std::string only;                   // guesses or rules; empty: both

  std::uint32_t rounds = 3;

  std::uint32_t seconds = 5;  // of each row of the guesses
  std::uint32_t guesses_per_s = 200;
  std::uint32_t pairs = 25;
  std::uint32_t messages_per_s = 2'000;
  std::uint32_t iterations = 100'000;

  std::uint32_t rules_s = 3;
  std::uint32_t users = 10'000;  // with 5 rules each

  [[nodiscard]] bool wants(const std::string& part) const { return only.empty() || only == part; }
};

/// What --quick measures.
void make_quick(AccessOptions& options);

/// Ends the process with exit code 2 if it makes no sense.
[[nodiscard]] AccessOptions parse_access_options(int count, char** arguments);

}  // namespace linnet::bench

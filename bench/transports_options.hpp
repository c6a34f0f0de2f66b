// What the command line of bench_transports says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::bench {

struct TransportOptions {
  std::string linnet;
  std::string mosquitto;              // empty: Linnet alone
  std::uint32_t threads = 1;          // of Linnet
  std::vector<std::string> settings;  // KEY=VALUE, for Linnet
  std::string folder = ".";           // where brokers keep their data, and certificates are
  std::string only;                   // memory, storm or throughput; empty: all

  std::uint32_t connections = 5'000;

  std::uint32_t storm_s = 10;
  std::uint32_t arrivals_per_s = 500;
  std::uint32_t pairs = 25;
  std::uint32_t messages_per_s = 2'000;

  std::uint32_t rounds = 3;
  std::uint32_t throughput_s = 3;

  [[nodiscard]] bool wants(const std::string& part) const { return only.empty() || only == part; }
};

/// What --quick measures.
void make_quick(TransportOptions& options);

/// Ends the process with exit code 2 if it makes no sense.
[[nodiscard]] TransportOptions parse_transport_options(int count, char** arguments);

}  // namespace linnet::bench

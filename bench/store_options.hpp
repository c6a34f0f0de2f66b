// What the command line of bench_store says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::bench {

struct StoreOptions {
  bool compare = false;  // start the brokers, instead of measuring one that runs

  // One that runs.
  std::string host = "127.0.0.1";
  std::uint32_t port = 0;
  std::uint32_t pid = 0;  // 0: its CPU time, memory and writes are not shown

  // Those to be started.
  std::string linnet;
  std::string mosquitto;      // empty: Linnet alone
  std::uint32_t threads = 1;  // 2: Linnet with one thread and with two
  std::uint32_t rounds = 3;
  std::vector<std::string> settings;  // KEY=VALUE, for Linnet

  std::string folder = ".";  // where the disk is measured, and brokers keep their data
  std::string only;          // one scenario of kScenarios; empty: all
  std::uint32_t messages = 1'000'000;
  std::uint32_t publishers = 10;
  std::uint32_t window = 100;  // messages in flight, of each publisher
  std::uint32_t payload_bytes = 16;
  std::uint32_t latency_messages = 5'000;
  std::uint32_t topics = 100'000;
  std::uint32_t fetches = 5;
  std::uint32_t start_retained = 1'000'000;
  std::uint32_t start_sessions = 10'000;

  [[nodiscard]] bool wants(const std::string& scenario) const {
    return only.empty() || only == scenario;
  }
};

/// What --quick measures.
void make_quick(StoreOptions& options);

/// Ends the process with exit code 2 if it makes no sense.
[[nodiscard]] StoreOptions parse_store_options(int count, char** arguments);

}  // namespace linnet::bench

// What callgrind counts the instructions of: see instructions.py. Without callgrind it says what it
// would count, and how often malloc was called meanwhile.
//
//   bench_instructions --list          the names of the scenarios
//   bench_instructions --build         what the program was made by
//   bench_instructions p2p             runs one; a line of JSON
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <sys/resource.h>

#include "instructions_scenarios.hpp"
#include "memory_traffic.hpp"
#include "work_meter.hpp"

namespace {

using namespace linnet::bench;

constexpr std::uint64_t kDeliveriesMin = 16'000;
constexpr std::uint64_t kRoundsMin = 8;
constexpr std::uint64_t kWarmUpRounds = 4;

/// Counts of another compiler, or for another processor, can't be compared with these.
std::string build_text() {
#if defined(__clang__)
  std::string text = "clang " + std::to_string(__clang_major__);
#else
  std::string text = "GCC " + std::to_string(__GNUC__);
#endif
#if defined(__x86_64__)
  text += " x86_64";
#elif defined(__aarch64__)
  text += " aarch64";
#else
  text += " other";
#endif
#if defined(__OPTIMIZE__)
  text += " optimised";
#endif
  if (!WorkMeter::counts_instructions()) text += " without callgrind";
  return text;
}

/// Each client has a descriptor.
void allow_many_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

int run(const Scenario& scenario) {
  MemoryTraffic traffic(scenario);
  for (std::uint64_t round = 0; round < kWarmUpRounds; ++round)
    traffic.round();
  const std::uint64_t each = traffic.delivered() / kWarmUpRounds;
  if (each == 0) fail("nothing is delivered");
  const std::uint64_t rounds = std::max((kDeliveriesMin + each - 1) / each, kRoundsMin);
  const std::uint64_t before = traffic.delivered();
  traffic.count();
  WorkMeter::prepare();
  for (std::uint64_t round = 0; round < rounds; ++round)
    traffic.round();
  const std::uint64_t delivered = traffic.delivered() - before;
  if (delivered != each * rounds) fail("a round has delivered more or less than the others");
  std::cout << R"({"scenario": ")" << scenario.name << R"(", "messages": )"
            << rounds * traffic.round_messages() << R"(, "deliveries": )" << delivered
            << R"(, "allocations": )" << WorkMeter::allocations() << "}\n";
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view what = count == 2 ? arguments[1] : "";
  if (what == "--build") {
    std::cout << build_text() << '\n';
    return 0;
  }
  const auto all = scenarios();
  if (what == "--list") {
    for (const Scenario& scenario : all)
      std::cout << scenario.name << '\n';
    return 0;
  }
  const auto chosen = std::find_if(
      all.begin(), all.end(), [what](const Scenario& scenario) { return scenario.name == what; });
  if (chosen == all.end()) fail("which scenario? --list says which there are");
  allow_many_files();
  return run(*chosen);
}

// The command line of `linnet bench`.
#pragma once

#include <string>

#include "bench/options.hpp"

namespace CLI {
class App;
}

namespace linnet::cli {

struct BenchOptions {
  bench::Options run;
  std::string duration;  // "10s"; empty: the scenario's
  std::string warmup;
  std::string wait;
  std::string password_file;
  bool json = false;
};

void add_bench_options(CLI::App& app, BenchOptions& options);

/// Measures a broker. kFailed: something was lost that must not be, or the run was broken off.
[[nodiscard]] int bench(const BenchOptions& options);

}  // namespace linnet::cli

// What a run has measured, and how it is told: to people, and to programs. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/histogram.hpp"
#include "bench/options.hpp"
#include "bench/usage.hpp"

namespace linnet::bench {

struct Latency {
  std::uint64_t count = 0;
  std::uint64_t p50_ns = 0;
  std::uint64_t p90_ns = 0;
  std::uint64_t p99_ns = 0;
  std::uint64_t p999_ns = 0;
  std::uint64_t max_ns = 0;

  [[nodiscard]] static Latency of(const Histogram& histogram);
};

/// One part of a run.
struct Phase {
  std::string name;  // "run", "queue", "drain" ...
  std::string unit;  // what `count` counts, as one: "delivery", "message", "connection"
  double seconds = 0;
  std::uint64_t count = 0;
  std::optional<std::uint64_t> sent;  // messages, where those are not what `count` counts
  std::optional<Latency> latency;
  std::optional<Usage> broker;
  Usage generator;
  std::optional<double> bytes_each;  // of the broker's memory, in `idle`
};

struct Report {
  std::vector<Phase> phases;
  std::uint64_t lost = 0;
  std::uint64_t pending =
      0;  // on their way when the run was broken off: neither lost nor delivered
  std::uint64_t duplicated = 0;
  std::uint64_t disordered = 0;
  std::uint64_t alien = 0;    // nobody has sent them, or not to that receiver
  std::uint64_t refused = 0;  // messages, by their acknowledgement
  std::string refusal;        // the last one's reason
  std::uint64_t stalls = 0;   // how often nothing came for `wait_ms` while something was due
  bool exact = true;  // false: so much is missing that late and duplicated cannot be told apart
  std::optional<Memory> broker_memory;
  bool interrupted = false;
  std::string fault;  // why the run was broken off; empty: it was not

  /// Nothing was lost that must not be.
  [[nodiscard]] bool is_good(const Settings& settings) const noexcept;
};

/// Many lines, the last one without its end.
[[nodiscard]] std::string report_text(const Settings& settings, const Report& report);
/// One line.
[[nodiscard]] std::string report_json(const Settings& settings, const Report& report);

}  // namespace linnet::bench

// What the scenarios share: the loop, the broker, the report, and crowds of clients that come, go
// and answer together. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/client.hpp"
#include "bench/progress.hpp"
#include "bench/report.hpp"
#include "bench/traffic.hpp"

namespace linnet::bench {

/// How far things were at some time: two of them make a phase.
struct Mark {
  std::uint64_t time_ns = 0;
  std::uint64_t count = 0;
  std::uint64_t sent = 0;
  std::optional<Usage> broker;
  Usage generator;
};

class Stage {
 public:
  /// All of it outlives the stage.
  Stage(const Settings& settings, Loop& loop, Target& target, Report& report, Progress& progress);

  [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
  [[nodiscard]] Loop& loop() const noexcept { return place_.loop; }
  [[nodiscard]] const Place& place() const noexcept { return place_; }
  [[nodiscard]] Report& report() const noexcept { return report_; }
  [[nodiscard]] Progress& progress() const noexcept { return progress_; }
  /// Six digits that tell this run's topics and clients from those of others.
  [[nodiscard]] const std::string& run_name() const noexcept { return run_name_; }

  /// The CONNECT of "bench-RUN-KIND-NUMBER".
  [[nodiscard]] std::string connect_packet(const char* kind, std::uint32_t number,
                                           bool clean = true) const;

  using Each = std::function<void(std::uint32_t)>;
  /// Begins `count` clients, not too many at a time, and waits until all are ready. False at a
  /// fault, or if somebody wants the run to end.
  [[nodiscard]] bool begin_all(Crowd& crowd, std::uint32_t count, const Each& begin);
  /// Ends them, and waits until the broker has closed all `count` of them, but not for long.
  [[nodiscard]] bool end_all(Crowd& crowd, std::uint32_t count, const Each& end);
  /// Turns the loop until `done`. False at a fault or an interrupt, and if nothing changes for
  /// long: `what` then says what the broker does not do.
  [[nodiscard]] bool wait_until(const std::function<bool()>& done,
                                const std::function<std::uint64_t()>& progress, const char* what);

  [[nodiscard]] Mark mark(std::uint64_t count, std::uint64_t sent = 0) const;
  /// Adds a phase to the report.
  Phase& add_phase(const char* name, const char* unit, const Mark& from, const Mark& to);
  /// The broker's memory, as it is now.
  void note_memory();
  /// Waits until the broker does nothing any more, at most a few seconds.
  void let_rest();
  /// Takes what a run's books say into the report.
  void take_books(const Traffic& traffic);

 private:
  const Settings& settings_;
  const Place place_;
  Report& report_;
  Progress& progress_;
  std::string run_name_;
};

}  // namespace linnet::bench

// What a process has used so far, as its CPU clock and proc(5) tell it.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <thread>
#include <time.h>

#include "wire.hpp"

namespace linnet::bench {

/// User and system time of all threads of a process.
inline double cpu_s(std::uint32_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(static_cast<pid_t>(pid), &clock) != 0 ||
      ::clock_gettime(clock, &used) != 0) {
    fail("there is no process " + std::to_string(pid));
  }
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

/// The number behind `name` in /proc/PID/<file>; 0 if it is not there or not for us to read.
inline std::uint64_t proc_number(std::uint32_t pid, std::string_view file_name,
                                 std::string_view name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + std::string(file_name));
  for (std::string word; file >> word;) {
    std::uint64_t number = 0;
    if (word == name && file >> number) return number;
  }
  return 0;
}

/// What has added up.
struct Usage {
  double cpu_s = 0;
  std::uint64_t disk_bytes = 0;     // pages that went, or will go, to a disk
  std::uint64_t written_bytes = 0;  // through write calls, to whatever

  /// Whether between `earlier` and this next to nothing was done.
  [[nodiscard]] bool rested_since(const Usage& earlier) const {
    constexpr double kNothingS = 0.001;
    return cpu_s - earlier.cpu_s < kNothingS && disk_bytes == earlier.disk_bytes;
  }
};

inline Usage usage_of(std::uint32_t pid) {
  return {.cpu_s = cpu_s(pid),
          .disk_bytes = proc_number(pid, "io", "write_bytes:"),
          .written_bytes = proc_number(pid, "io", "wchar:")};
}

/// Waits until the process has done what it has put off: until it has done nothing for a while, or
/// for a few seconds if it never rests.
inline Usage settled_usage_of(std::uint32_t pid) {
  constexpr std::chrono::milliseconds kStep{50};
  constexpr int kStepsOfRest = 8;  // longer than a store puts off what nobody waits for
  constexpr int kStepsMax = 100;
  auto usage = usage_of(pid);
  int rested = 0;
  for (int step = 0; step < kStepsMax && rested < kStepsOfRest; ++step) {
    std::this_thread::sleep_for(kStep);
    const auto now = usage_of(pid);
    rested = now.rested_since(usage) ? rested + 1 : 0;
    usage = now;
  }
  return usage;
}

struct Memory {
  double resident_mib = 0;
  double anonymous_mib = 0;  // without mapped files, which the system takes back when it likes
  double peak_mib = 0;       // of the resident memory, since reset_peak
};

inline Memory memory_of(std::uint32_t pid) {
  const auto mib = [pid](std::string_view name) {
    return static_cast<double>(proc_number(pid, "status", name)) / 1024;
  };
  return {
      .resident_mib = mib("VmRSS:"), .anonymous_mib = mib("RssAnon:"), .peak_mib = mib("VmHWM:")};
}

/// Only the owner of the process may; else the peak is that of its whole life.
inline void reset_peak(std::uint32_t pid) {
  std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << "5";
}

}  // namespace linnet::bench

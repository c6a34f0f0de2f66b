#include "bench/usage.hpp"

#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet::bench {

namespace {

/// The number behind `name` in a file of /proc; 0 if it is not there.
std::uint64_t number_in(const std::string& file_name, std::string_view name) {
  std::ifstream file(file_name);
  for (std::string word; file >> word;) {
    std::uint64_t number = 0;
    if (word == name && file >> number) return number;
  }
  return 0;
}

/// How the process' CPU time divides: ticks of user and of system time.
struct Ticks {
  double user = 0;
  double system = 0;
};

std::optional<Ticks> ticks_of(pid_t pid) {
  std::ifstream file(cat("/proc/", pid, "/stat"));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The second field is a name in brackets, in which anything may stand.
  const auto end = line.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(end + 1));
  constexpr int kBetween = 11;
  std::string skipped;
  for (int field = 0; field < kBetween; ++field)
    fields >> skipped;
  Ticks ticks;
  fields >> ticks.user >> ticks.system;
  return fields ? std::optional(ticks) : std::nullopt;
}

/// The CPU clock of another process: to the nanosecond, where the ticks are 10 ms.
std::optional<double> cpu_us_of(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0)
    return std::nullopt;
  return static_cast<double>(used.tv_sec) * 1e6 + static_cast<double>(used.tv_nsec) / 1e3;
}

double us_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

}  // namespace

Usage Usage::since(const Usage& earlier) const noexcept {
  const auto less = [](std::uint64_t now, std::uint64_t then) {
    return now > then ? now - then : 0;
  };
  return {cpu_us - earlier.cpu_us, user - earlier.user, system - earlier.system,
          less(voluntary_switches, earlier.voluntary_switches),
          less(forced_switches, earlier.forced_switches)};
}

std::optional<Usage> usage_of(pid_t pid) {
  const auto cpu_us = cpu_us_of(pid);
  const auto ticks = ticks_of(pid);
  if (!cpu_us || !ticks) return std::nullopt;
  Usage usage;
  usage.cpu_us = *cpu_us;
  usage.user = ticks->user;
  usage.system = ticks->system;
  std::error_code error;
  for (std::filesystem::directory_iterator thread(cat("/proc/", pid, "/task"), error), end;
       !error && thread != end; thread.increment(error)) {
    const std::string status = thread->path().string() + "/status";
    usage.voluntary_switches += number_in(status, "voluntary_ctxt_switches:");
    usage.forced_switches += number_in(status, "nonvoluntary_ctxt_switches:");
  }
  return usage;
}

std::optional<Memory> memory_of(pid_t pid) {
  const std::string status = cat("/proc/", pid, "/status");
  if (::access(status.c_str(), R_OK) != 0) return std::nullopt;
  constexpr std::uint64_t kKib = 1024;
  return Memory{kKib * number_in(status, "VmRSS:"), kKib * number_in(status, "RssAnon:"),
                kKib * number_in(status, "VmHWM:")};
}

Usage own_usage() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const double user = us_of(used.ru_utime);
  const double system = us_of(used.ru_stime);
  return {user + system, user, system, static_cast<std::uint64_t>(used.ru_nvcsw),
          static_cast<std::uint64_t>(used.ru_nivcsw)};
}

}  // namespace linnet::bench

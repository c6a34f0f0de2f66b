// What processes have used: the broker's, as proc(5) shows it to its neighbours, and our own. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace linnet::bench {

/// What has added up.
struct Usage {
  double cpu_us = 0;
  // How that divides, in whatever unit: the kernel may count them more coarsely.
  double user = 0;
  double system = 0;
  std::uint64_t voluntary_switches = 0;  // it had nothing to do
  std::uint64_t forced_switches = 0;     // somebody else had

  /// Whether enough was used to say how it divides.
  [[nodiscard]] bool is_divided() const noexcept { return user + system > 0; }
  [[nodiscard]] double user_us() const noexcept { return cpu_us * user / (user + system); }
  [[nodiscard]] double system_us() const noexcept { return cpu_us * system / (user + system); }
  [[nodiscard]] Usage since(const Usage& earlier) const noexcept;
};

struct Memory {
  std::uint64_t resident_bytes = 0;
  std::uint64_t anonymous_bytes = 0;  // without mapped files
  std::uint64_t peak_bytes = 0;       // of the resident memory, in the process' whole life
};

/// Nothing if there is no such process, or no longer.
[[nodiscard]] std::optional<Usage> usage_of(pid_t pid);
[[nodiscard]] std::optional<Memory> memory_of(pid_t pid);
[[nodiscard]] Usage own_usage();

}  // namespace linnet::bench

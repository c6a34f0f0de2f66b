// What the system says about memory: how much the process has for itself, how much it could have,
// and how the C library's heap is to deal with it. Start-up, and ProcessMemory on any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/memory_budget.hpp"

namespace linnet {

/// This process, by /proc/self/statm and the C library.
class ProcessMemory final : public MemoryProbe {
 public:
  ProcessMemory();
  ProcessMemory(const ProcessMemory&) = delete;
  ProcessMemory& operator=(const ProcessMemory&) = delete;
  ~ProcessMemory();

  [[nodiscard]] std::uint64_t resident_bytes() noexcept override;
  void give_back() noexcept override;

 private:
  int fd_ = -1;
};

/// Bytes that the machine has, or that the process's control groups (version 1 or 2) allow if that
/// is less; 0 if neither is known. Files are looked for below `root`: "" on a real system.
[[nodiscard]] std::uint64_t available_memory(const std::string& root = "");

/// The budget: what is configured, or with 0 half of what is available.
[[nodiscard]] std::uint64_t memory_limit(std::uint64_t configured);

/// Before the first thread is started: a heap that gives memory back, with less waste the smaller
/// the budget is.
void tune_heap(std::uint64_t limit) noexcept;

/// Lets go of the code and constants that only starting up has needed: they count as this process's
/// memory as long as they are mapped, though they could be read again from their files at any time.
/// What is needed after all comes back by itself, from the system's cache. Bytes that were let go
/// at most. For once, at the end of start-up; other threads may run.
std::size_t forget_startup_pages() noexcept;

}  // namespace linnet

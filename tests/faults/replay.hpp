// Plays a trace back: what the disk certainly holds at a point of it, what it may hold, and the
// file that a power cut at that point could leave. Of what was not synced any part may have reached
// the disk, in any order, torn at sectors. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "faults/trace.hpp"

namespace linnet::faults {

/// An entry, and the bytes that were written.
struct TraceStep {
  TraceEntry entry;
  std::string bytes;
};
/// All of a trace. A file that ends within an entry was cut off there.
[[nodiscard]] std::vector<TraceStep> read_trace(const std::string& path);

/// How much of what was not synced has reached the disk.
enum class Survival : std::uint8_t { nothing, everything, half, few, most, beginning };
inline constexpr int kSurvivals = 6;

class Replay {
 public:
  /// Marks are passed over. All entries are taken as of one file.
  void play(const TraceStep& step);
  /// Whether everything that was written is on the disk.
  [[nodiscard]] bool all_synced() const noexcept { return pending_.empty(); }
  /// The file after a power cut now.
  [[nodiscard]] std::string image(Survival survival, std::mt19937_64& random) const;

 private:
  struct Pending {
    bool sizes = false;  // the file became `offset` long; else: `bytes` at `offset`
    std::uint64_t offset = 0;
    const std::string* bytes = nullptr;
  };

  static void put(std::string& file, std::uint64_t offset, std::string_view bytes);
  static void apply(std::string& file, const Pending& pending);
  /// The kernel gives up what it could not write; it draws what that was, for one seed the same.
  void fail_sync(std::uint64_t seed);
  void sync_part(std::uint64_t offset, std::uint64_t size);

  std::string durable_;
  std::vector<Pending> pending_;  // the bytes belong to the trace
};

}  // namespace linnet::faults

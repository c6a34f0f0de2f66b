// The record of everything that was done to the data files, in order: a sequence of entries, each
// followed by its bytes. In this machine's byte order.
#pragma once

#include <cstdint>

namespace linnet::faults {

enum class TraceKind : std::uint64_t {
  opened = 1,       // for writing; `offset` is the size that it had
  written = 2,      // `size` bytes at `offset` follow
  sized = 3,        // the file became `offset` bytes long
  synced = 4,       // all that was written before is on the disk
  sync_failed = 5,  // perhaps some of it is, and no more will be unless it is written again
  synced_part = 6,  // the range of `size` bytes at `offset` is on the disk
  mark = 7,         // the test's own: `file` and `offset` mean what it likes
  given_up = 8,     // the kernel has forgotten what was not synced
};

struct TraceEntry {
  TraceKind kind = TraceKind::mark;
  std::uint64_t file = 0;     // the inode's number
  std::uint64_t time_ns = 0;  // monotonic clock, when it was done
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
static_assert(sizeof(TraceEntry) == 40);

}  // namespace linnet::faults

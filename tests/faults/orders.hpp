// What the fault library is told, and what it tells: numbers in a shared file, so that a test can
// change them while the process under test runs. The same list stands in
// tests/process/support/faults.py, in the same order.
#pragma once

#include <atomic>
#include <cstdint>

namespace linnet::faults {

using Number = std::atomic<std::int64_t>;

struct Orders {
  // What fails. A count of -1 is for ever; `skip` go well first.
  Number write_error{0};  // errno; 0: nothing fails
  Number write_count{0};
  Number write_skip{0};
  Number sync_error{0};
  Number sync_count{0};
  Number sync_skip{0};
  Number disk_bytes{-1};  // no file can grow beyond; -1: the disk has room

  // What is slow
  Number sync_delay_us{0};
  Number hold_syncs{0};  // while not 0 no sync ends

  Number wall_offset_ms{0};  // added to the wall clock

  // What has been
  Number writes{0};
  Number syncs{0};
  Number failures{0};
  Number syncs_held{0};  // syncs that wait at this moment
};
static_assert(Number::is_always_lock_free);
static_assert(sizeof(Orders) == 14 * sizeof(std::int64_t));

}  // namespace linnet::faults

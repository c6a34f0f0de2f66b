// One shard's lane of the intake: its requests in order, those that the writer has passed over
// since their units are incomplete, and its erasures. What is under `mutex` is touched by the shard
// and the writer; a lane's mutex is locked before a lock of the unit table, and never together with
// another lane's.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include "store/store.hpp"
#include "store/unit_table.hpp"

namespace linnet::store {

/// What a lane holds, or all of them.
struct LaneUse {
  std::size_t requests = 0;
  std::size_t bytes = 0;
};

/// A request on its way. Without a body it has left.
struct Slot {
  std::unique_ptr<Request> body;
  std::uint32_t bytes = 0;
  std::uint32_t open = 0;  // outgoing messages that are not taken back
  bool contested = false;  // the writer has noted its retained messages
};

class alignas(64) Lane {
 public:
  struct Erased {
    EraseOutgoing erase;
    std::uint64_t behind = 0;  // the requests before this number must be taken first
  };

  // With `mutex` held

  /// Null if the writer has it. `passed`: the writer has come to it already.
  [[nodiscard]] Slot* find(std::uint64_t number, bool& passed) noexcept;
  void push(Slot slot);
  void push(const EraseOutgoing& erase);
  /// Moves a request out from wherever it is; it must be there.
  [[nodiscard]] Slot pull(std::uint64_t number);
  /// Forgets the requests at the front that have left.
  void drop_front() noexcept;
  void count_out(const LaneUse& out) noexcept;
  /// One that is in `slots`.
  [[nodiscard]] Slot& at(std::uint64_t number) noexcept {
    return slots[static_cast<std::size_t>(number - first)];
  }
  [[nodiscard]] std::uint64_t end() const noexcept { return first + slots.size(); }

  // Any thread
  [[nodiscard]] LaneUse use() const noexcept;

  std::mutex mutex;
  std::deque<Slot> slots;
  std::uint64_t first = 1;               // the number of the first slot
  std::map<std::uint64_t, Slot> passed;  // parts that the writer has come to, by number
  std::deque<Erased> erased;
  std::atomic<std::uint64_t> taken_back{0};

  // The shard's own
  std::uint64_t next = 1;
  Urgency turn = Urgency::none;  // what this turn has brought so far

 private:
  // Written with the mutex held
  std::atomic<std::size_t> requests_{0};
  std::atomic<std::size_t> bytes_{0};
};

/// What a record counts for besides its message.
inline constexpr std::size_t kRecordBytes = 200;
[[nodiscard]] std::size_t bytes_of(const Request& request) noexcept;

}  // namespace linnet::store

// The way from the shards to the writer: one lane for each shard, and the units that span several.
// A lane keeps its shard's requests in order until the writer takes them; until then an outgoing
// message can be taken back. Bounded: a broker asks has_room() before it accepts durable work.
//
// Any thread; the functions with a `shard` (or a request or seal of it) only on its own, take(),
// wait() and sleep() only on the writer's.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/lane.hpp"
#include "store/store.hpp"
#include "store/unit_table.hpp"

namespace linnet::store {

struct IntakeLimits {
  std::size_t requests_max = 65'536;
  std::size_t bytes_max = std::size_t{16} << 20;
};

/// What becomes true together: one request, or all parts of a unit.
struct Unit {
  boost::container::small_vector<Request, 1> parts;
  std::uint32_t shard = 0;  // who is told besides the parts; with ticket 0 nobody
  Ticket ticket = 0;
  Outcome outcome = Outcome::committed;  // `refused` if it was given up: nothing of it is written
};

/// What one transaction writes: the units in their order, then the erasures.
struct Batch {
  std::vector<Unit> units;
  std::vector<EraseOutgoing> erased;
  std::size_t bytes = 0;  // what all of it counted for in the intake's limits

  [[nodiscard]] bool empty() const noexcept { return units.empty() && erased.empty(); }
};

/// Tells everybody in the batch its unit's outcome.
void answer(AnswerSink& sink, const Batch& batch);
/// Tells everybody in the batch whose unit was not given up that it is accepted. Where it makes no
/// difference whether it can be read already, that is `committed`, and the last answer.
void answer_accepted(AnswerSink& sink, Batch& batch);

class Intake {
 public:
  /// `sink` must outlive the intake.
  Intake(std::uint32_t shards, const IntakeLimits& limits, AnswerSink& sink);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // For the shards; see Store

  [[nodiscard]] std::uint64_t next_request(std::uint32_t shard) const noexcept;
  void submit(Request&& request);
  void submit(const Seal& seal);
  void erase_outgoing(std::uint32_t shard, const EraseOutgoing& erase, Place place);
  void end_turn(std::uint32_t shard) noexcept;
  [[nodiscard]] bool has_room() const noexcept;

  // For the writer

  /// Which lanes, and how much at most; a unit is taken whole, and one that is larger than
  /// `bytes_max` alone.
  struct TakeLimits {
    std::size_t bytes_max = SIZE_MAX;
    std::size_t units_max = SIZE_MAX;
    /// Only units whose first part is in this shard's lane; none: all lanes in turn.
    std::optional<std::uint32_t> shard = std::nullopt;
  };
  /// Moves out what is complete, in each lane in order. An incomplete unit is passed over; of two
  /// changes of one topic's retained message the later wins even if its unit is complete first.
  [[nodiscard]] Batch take(const TakeLimits& limits);

  enum class Woken : std::uint8_t { work, timeout, stopped };
  /// Waits until a turn has ended with something that somebody waits for, until something has been
  /// waiting for company for `lazy` or is a lot, or until `until`. `timeout` after interrupt(),
  /// too.
  [[nodiscard]] Woken wait(std::chrono::milliseconds lazy,
                           std::optional<std::chrono::steady_clock::time_point> until);
  /// Waits until `until`, interrupt() or stop(), whatever comes in meanwhile. After it, take() asks
  /// for no wait().
  [[nodiscard]] Woken sleep(std::chrono::steady_clock::time_point until);
  /// Makes wait() return `stopped` once everything has been taken; no submit() may follow.
  void stop();
  /// Makes wait() return at once: there is work of another kind. Any thread.
  void interrupt();

  /// How many outgoing messages were never written. Any thread.
  [[nodiscard]] std::uint64_t taken_back() const noexcept;

 private:
  /// A topic whose retained message is in a unit that was passed over: a change that came later may
  /// be taken earlier, and must stay.
  struct Contested {
    std::uint32_t pending = 0;
    std::uint64_t applied = 0;  // the number of the last request that was taken
  };
  using ContestedTopics = std::map<std::string, Contested, std::less<>>;
  /// One call of take().
  struct Taking;
  /// What to do without a lock once nothing is left of a request.
  struct Farewell;

  [[nodiscard]] LaneUse use() const noexcept;
  [[nodiscard]] bool is_full(const LaneUse& use) const noexcept;
  void tell_of_room();
  void signal(Urgency urgency) noexcept;
  [[nodiscard]] Woken start_work() noexcept;

  void take_units(Taking& taking);
  enum class Slice : std::uint8_t { done, more, full };
  [[nodiscard]] Slice take_slice(Taking& taking, std::uint32_t shard, std::uint64_t end);
  [[nodiscard]] bool take_front(Taking& taking, std::uint32_t shard, LaneUse& out);
  void emit(Taking& taking, std::uint32_t shard, std::uint64_t number, Slot slot);
  void emit(Taking& taking, const UnitState& state);
  [[nodiscard]] Slot pull(std::uint32_t shard, std::uint64_t number);
  void contest(std::uint32_t shard, Slot& slot);
  void settle(std::uint32_t shard, std::uint64_t number, Slot& slot, bool applies);
  void leave_if_empty(Lane& lane, std::uint64_t number, bool passed, Farewell& farewell);

  // Constant after construction
  const IntakeLimits limits_;
  AnswerSink& sink_;

  const std::vector<std::unique_ptr<Lane>> lanes_;
  UnitTable units_;
  mutable std::atomic<bool> refused_{false};  // has_room() was false since it was told otherwise

  // The writer's own
  std::vector<ContestedTopics> contested_;  // of each shard
  std::uint32_t first_lane_ = 0;            // where the next take() begins
  bool left_over_ = false;
  bool took_nothing_ = false;

  // How the writer is woken. The atomics are written under the mutex and read without it.
  std::mutex wait_mutex_;
  std::condition_variable woken_;
  std::atomic<bool> urgent_{false};
  std::atomic<bool> lazy_{false};
  std::chrono::steady_clock::time_point lazy_since_;
  bool sleeping_ = false;
  bool interrupted_ = false;
  bool stopping_ = false;
  bool stop_seen_ = false;
};

}  // namespace linnet::store

// The units that are not with the writer yet: how many of their parts have come, how many of those
// still have to be written, and where they are. Any thread; a caller may hold the lock of a lane.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "store/store.hpp"

namespace linnet::store {

/// Whether the writer must be told of something.
enum class Urgency : std::uint8_t {
  none,
  lazy,    // nobody waits for it
  urgent,  // somebody does
};

/// A part that something is left of. A part is reached once the writer has taken all that stood
/// before it in its lane.
struct PartPlace {
  std::uint32_t shard = 0;
  bool reached = false;
  std::uint64_t number = 0;  // of its request, in the shard's lane
};

struct UnitState {
  boost::container::small_vector<PartPlace, 3> parts;  // what is left of them
  std::uint32_t submitted = 0;
  std::uint32_t reached = 0;
  std::uint32_t first_shard = 0;  // of the first part
  bool sealed = false;
  bool urgent = false;
  bool ready = false;  // stands in the list of those that can be taken
  std::size_t bytes = 0;
  Seal seal;

  [[nodiscard]] bool complete() const noexcept { return sealed && submitted == seal.parts; }
  [[nodiscard]] bool all_reached() const noexcept { return reached == parts.size(); }
  [[nodiscard]] Urgency urgency() const noexcept {
    return urgent ? Urgency::urgent : Urgency::lazy;
  }
};

class UnitTable {
 public:
  /// What a step has led to. With `seal`, the unit is over and nothing of it has to be written.
  struct Step {
    Urgency urgency = Urgency::none;
    std::optional<Seal> seal;
  };
  /// `aside`: the part is reached, but the unit can't be taken yet; `no_room`: it does not fit, and
  /// nothing has changed.
  enum class Reached : std::uint8_t { taken, aside, no_room };
  using Units = std::unordered_map<UnitId, UnitState>;
  using Taken = Units::node_type;

  [[nodiscard]] Urgency add_part(const Request& request, std::uint64_t number, std::size_t bytes);
  [[nodiscard]] Step add_seal(const Seal& seal);
  /// Nothing is left of a part. Nothing if the unit is with the writer already.
  [[nodiscard]] std::optional<Step> drop_part(UnitId unit, const PartPlace& part);

  // For the writer

  /// The writer has come to a part. Taken if that makes the unit ready and it fits into
  /// `bytes_left`; with `first_shard`, if the unit is complete and its first part was that shard's.
  [[nodiscard]] Reached reach(UnitId unit, const PartPlace& part, std::size_t bytes_left,
                              std::optional<std::uint32_t> first_shard, Taken& taken);
  /// A unit of which all parts were reached before it was complete. Empty with `no_room` false:
  /// there is none.
  [[nodiscard]] Taken take_ready(std::size_t bytes_left, bool& no_room);
  /// The complete units whose first part was this shard's, as far as all parts in that shard's lane
  /// are reached. Slow.
  [[nodiscard]] std::vector<UnitId> find_complete(std::uint32_t first_shard);
  /// Empty if it is not there.
  [[nodiscard]] Taken take(UnitId unit, std::size_t bytes_left, bool& no_room);

 private:
  struct alignas(64) Stripe {
    std::mutex mutex;
    Units units;
  };
  static constexpr std::size_t kStripes = 16;

  [[nodiscard]] Stripe& stripe_of(UnitId unit) noexcept;
  void make_ready(UnitState& state, UnitId unit);

  std::array<Stripe, kStripes> stripes_;
  std::mutex ready_mutex_;  // the last to be locked
  std::deque<UnitId> ready_;
  std::atomic<std::size_t> ready_count_{0};
};

}  // namespace linnet::store

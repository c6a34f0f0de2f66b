// What the writer asks of a batch. Pure functions.
#pragma once

#include <utility>

#include "store/intake.hpp"

namespace linnet::store {

/// What a unit does to the store's size.
enum class Growth : std::uint8_t {
  shrinks,
  moves,  // it changes what is there, or adds little
  grows,
};
/// A session of `next_session` or more is new.
[[nodiscard]] Growth growth_of(const Unit& unit, SessionNumber next_session) noexcept;

[[nodiscard]] bool is_awaited(const Unit& unit) noexcept;

/// Moves the units out of `batch` that `wanted` says yes to; both keep their order.
template <class Wanted>
[[nodiscard]] Batch split_off(Batch& batch, Wanted&& wanted) {
  Batch taken;
  std::size_t kept = 0;
  for (Unit& unit : batch.units) {
    if (wanted(std::as_const(unit))) {
      taken.units.push_back(std::move(unit));
    } else {
      if (&batch.units[kept] != &unit) batch.units[kept] = std::move(unit);
      ++kept;
    }
  }
  batch.units.resize(kept);
  return taken;
}

/// Puts `more` behind `batch`.
void append(Batch& batch, Batch&& more);

/// What its units and erasures count for in the intake's limits.
[[nodiscard]] std::size_t bytes_of(const Batch& batch) noexcept;

struct BatchSummary {
  std::uint64_t outgoing = 0;      // messages for sessions
  SessionNumber last_session = 0;  // the largest number of a session that is put
};
[[nodiscard]] BatchSummary summary_of(const Batch& batch) noexcept;

}  // namespace linnet::store

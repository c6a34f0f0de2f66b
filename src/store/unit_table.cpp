#include "store/unit_table.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace linnet::store {

UnitTable::Stripe& UnitTable::stripe_of(UnitId unit) noexcept {
  constexpr std::uint64_t kSpread = 0x9E3779B97F4A7C15;  // 2^64 divided by the golden ratio
  return stripes_[static_cast<std::size_t>((unit * kSpread) >> 60)];
}

Urgency UnitTable::add_part(const Request& request, std::uint64_t number, std::size_t bytes) {
  Stripe& stripe = stripe_of(request.unit);
  const std::lock_guard lock(stripe.mutex);
  UnitState& state = stripe.units[request.unit];
  if (state.submitted++ == 0) state.first_shard = request.shard;
  LINNET_ASSERT(!state.sealed || state.submitted <= state.seal.parts);
  state.parts.push_back({request.shard, false, number});
  state.urgent = state.urgent || request.ticket != 0;
  state.bytes += bytes;
  return state.complete() ? state.urgency() : Urgency::none;
}

UnitTable::Step UnitTable::add_seal(const Seal& seal) {
  Stripe& stripe = stripe_of(seal.unit);
  const std::lock_guard lock(stripe.mutex);
  UnitState& state = stripe.units[seal.unit];
  LINNET_ASSERT(!state.sealed && state.submitted <= seal.parts);
  state.sealed = true;
  state.seal = seal;
  state.urgent = state.urgent || seal.ticket != 0;
  if (!state.complete()) return {};
  if (state.parts.empty()) {
    stripe.units.erase(seal.unit);
    return {Urgency::none, seal};
  }
  if (state.all_reached()) make_ready(state, seal.unit);
  return {state.urgency(), {}};
}

std::optional<UnitTable::Step> UnitTable::drop_part(UnitId unit, const PartPlace& part) {
  Stripe& stripe = stripe_of(unit);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.units.find(unit);
  if (found == stripe.units.end()) return std::nullopt;
  UnitState& state = found->second;
  const auto place = std::find_if(state.parts.begin(), state.parts.end(), [&](const auto& other) {
    return other.shard == part.shard && other.number == part.number;
  });
  LINNET_ASSERT(place != state.parts.end());
  if (place->reached) --state.reached;
  state.parts.erase(place);
  if (!state.complete()) return Step{};
  if (state.parts.empty()) {
    const Seal seal = state.seal;
    stripe.units.erase(found);
    return Step{Urgency::none, seal};
  }
  if (!state.all_reached()) return Step{};
  make_ready(state, unit);
  return Step{state.urgency(), {}};
}

void UnitTable::make_ready(UnitState& state, UnitId unit) {
  if (state.ready) return;
  state.ready = true;
  const std::lock_guard lock(ready_mutex_);
  ready_.push_back(unit);
  ready_count_.store(ready_.size(), std::memory_order_relaxed);
}

UnitTable::Reached UnitTable::reach(UnitId unit, const PartPlace& part, std::size_t bytes_left,
                                    std::optional<std::uint32_t> first_shard, Taken& taken) {
  Stripe& stripe = stripe_of(unit);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.units.find(unit);
  LINNET_ASSERT(found != stripe.units.end());
  UnitState& state = found->second;
  const auto place = std::find_if(state.parts.begin(), state.parts.end(), [&](const auto& other) {
    return other.shard == part.shard && other.number == part.number;
  });
  LINNET_ASSERT(place != state.parts.end() && !place->reached);
  const bool takes = state.complete() && (first_shard ? state.first_shard == *first_shard
                                                      : state.reached + 1 == state.parts.size());
  if (takes && state.bytes > bytes_left) return Reached::no_room;
  place->reached = true;
  ++state.reached;
  if (takes) {
    taken = stripe.units.extract(found);
    return Reached::taken;
  }
  if (state.complete() && state.all_reached()) make_ready(state, unit);
  return Reached::aside;
}

UnitTable::Taken UnitTable::take_ready(std::size_t bytes_left, bool& no_room) {
  no_room = false;
  if (ready_count_.load(std::memory_order_relaxed) == 0) return {};
  for (;;) {
    UnitId unit = 0;
    {
      const std::lock_guard lock(ready_mutex_);
      if (ready_.empty()) return {};
      unit = ready_.front();
    }
    Taken taken = take(unit, bytes_left, no_room);
    if (no_room) return {};
    {
      // Only the writer takes from the front.
      const std::lock_guard lock(ready_mutex_);
      ready_.pop_front();
      ready_count_.store(ready_.size(), std::memory_order_relaxed);
    }
    if (taken) return taken;
  }
}

std::vector<UnitId> UnitTable::find_complete(std::uint32_t first_shard) {
  std::vector<UnitId> found;
  for (Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    for (const auto& [unit, state] : stripe.units) {
      const bool reached = std::all_of(
          state.parts.begin(), state.parts.end(),
          [&](const PartPlace& part) { return part.reached || part.shard != first_shard; });
      if (reached && state.complete() && state.first_shard == first_shard) found.push_back(unit);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

UnitTable::Taken UnitTable::take(UnitId unit, std::size_t bytes_left, bool& no_room) {
  Stripe& stripe = stripe_of(unit);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.units.find(unit);
  no_room = found != stripe.units.end() && found->second.bytes > bytes_left;
  if (found == stripe.units.end() || no_room) return {};
  return stripe.units.extract(found);
}

}  // namespace linnet::store

#include "shard/operations.hpp"

#include <utility>

#include "base/assert.hpp"

namespace linnet::shard {

namespace {

constexpr unsigned kIndexBits = 32;

std::uint32_t index_of(OperationId id) noexcept {
  return static_cast<std::uint32_t>(id);
}
std::uint32_t generation_of(OperationId id) noexcept {
  return static_cast<std::uint32_t>(id >> kIndexBits);
}

}  // namespace

OperationId Operations::open(Operation::Kind kind) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Operation& slot = slots_[index];
  const std::uint32_t generation = slot.generation + 1;  // never 0, so that no name is 0
  slot = Operation{};
  slot.kind = kind;
  slot.generation = generation;
  ++open_;
  return (OperationId{generation} << kIndexBits) | index;
}

Operation* Operations::find(OperationId id) noexcept {
  const std::uint32_t index = index_of(id);
  if (id == 0 || index >= slots_.size()) return nullptr;
  Operation& slot = slots_[index];
  const bool same = slot.kind != Operation::Kind::free && slot.generation == generation_of(id);
  return same ? &slot : nullptr;
}

Operation Operations::close(OperationId id) {
  Operation* slot = find(id);
  LINNET_ASSERT(slot != nullptr);
  Operation taken = std::move(*slot);
  const std::uint32_t generation = taken.generation;
  *slot = Operation{};
  slot->generation = generation == 0xFFFFFFFF ? 0 : generation;
  free_.push_back(index_of(id));
  --open_;
  return taken;
}

}  // namespace linnet::shard

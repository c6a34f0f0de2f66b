#include "net/block_pool.hpp"

#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "base/assert.hpp"

namespace linnet::net {

namespace {

char* memory_of(Block* block) noexcept {
  return reinterpret_cast<char*>(block + 1);
}

void destroy(Block* block) noexcept {
  std::destroy_at(block);
  ::operator delete(block);
}

}  // namespace

BlockPool::~BlockPool() {
  LINNET_ASSERT(used_bytes_ == 0);
  for (Block* block : free_) {
    while (block != nullptr)
      destroy(std::exchange(block, block->next));
  }
}

Block* BlockPool::take(std::size_t size, bool many) {
  if (size <= kSmall && (!many || is_short())) return take_exactly(kSmall);
  return take_exactly(is_short() ? size : std::max(size, kLarge));
}

std::size_t BlockPool::keep_max() const noexcept {
  if (memory_ == nullptr) return kKeepBytes;
  const auto part = static_cast<std::size_t>(memory_->limit() / 64);
  return is_short() ? part / 16 : std::min(part, kKeepBytes);
}

void BlockPool::shrink() noexcept {
  const std::size_t most = keep_max();
  for (std::size_t kind = kSizes.size(); kind-- > 0;) {
    while (free_[kind] != nullptr && kept_bytes_ > most) {
      kept_bytes_ -= sizeof(Block) + kSizes[kind];
      destroy(std::exchange(free_[kind], free_[kind]->next));
    }
  }
}

Block* BlockPool::refer(MessagePtr owner, std::string_view bytes) {
  Block* block = take_exactly(0);
  // Never written to: a block with an owner has no room.
  block->begin = const_cast<char*>(bytes.data());
  block->end = block->limit = block->begin + bytes.size();
  block->owner = std::move(owner);
  return block;
}

Block* BlockPool::take_exactly(std::size_t capacity) {
  const std::size_t size = sizeof(Block) + capacity;
  Block* block = nullptr;
  const auto kind = std::find(kSizes.begin(), kSizes.end(), capacity);
  Block** kept =
      kind == kSizes.end() ? nullptr : &free_[static_cast<std::size_t>(kind - kSizes.begin())];
  if (kept != nullptr && *kept != nullptr) {
    block = std::exchange(*kept, (*kept)->next);
    kept_bytes_ -= size;
  } else {
    block = ::new (::operator new(size)) Block;
    block->limit = memory_of(block) + capacity;
  }
  block->next = nullptr;
  block->begin = block->end = memory_of(block);
  used_bytes_ += size;
  return block;
}

void BlockPool::give(Block* block) noexcept {
  if (block->owner) {
    block->owner.reset();
    block->limit = memory_of(block);
  }
  const auto capacity = static_cast<std::size_t>(block->limit - memory_of(block));
  const std::size_t size = sizeof(Block) + capacity;
  used_bytes_ -= size;
  const auto kind = std::find(kSizes.begin(), kSizes.end(), capacity);
  if (kind == kSizes.end() || kept_bytes_ + size > keep_max()) return destroy(block);
  Block*& kept = free_[static_cast<std::size_t>(kind - kSizes.begin())];
  block->next = std::exchange(kept, block);
  kept_bytes_ += size;
}

}  // namespace linnet::net

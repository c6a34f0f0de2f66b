// The memory of outboxes: blocks of two sizes, kept for the next outbox that needs one. One per
// shard, its thread only.
#pragma once

#include <array>
#include <cstddef>

#include "base/memory_budget.hpp"
#include "base/message.hpp"

namespace linnet::net {

/// A piece of an outbox: its bytes stand behind it, or in a message that it keeps alive.
struct Block {
  Block* next = nullptr;
  char* begin = nullptr;  // the first byte that is not sent yet
  char* end = nullptr;    // behind the last byte
  char* limit = nullptr;  // behind the memory that may be filled
  MessagePtr owner;       // of the bytes; null if they stand in the block

  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end - begin); }
  [[nodiscard]] std::size_t room() const noexcept { return static_cast<std::size_t>(limit - end); }
};

class BlockPool {
 public:
  /// What fits into a small and into a large block, in bytes.
  static constexpr std::size_t kSmall = 1024 - sizeof(Block);
  static constexpr std::size_t kLarge = 16'384 - sizeof(Block);
  /// What the pool keeps at most while nobody uses it, in bytes; the rest goes back to the heap.
  static constexpr std::size_t kKeepBytes = std::size_t{4} << 20;

  BlockPool() noexcept = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  /// All blocks must have been given back.
  ~BlockPool();

  /// From now on it keeps less, and gives smaller blocks, while this budget's memory is short.
  void follow(const MemoryBudget& memory) noexcept { memory_ = &memory; }
  /// Gives back to the heap what it keeps beyond what it may now.
  void shrink() noexcept;

  /// An empty block with room for at least `size` bytes: a small one, a large one, or one of just
  /// that size. With `many` one that is large, unless memory is short.
  [[nodiscard]] Block* take(std::size_t size, bool many = false);
  /// A block without memory of its own, for bytes that stand inside `owner`.
  [[nodiscard]] Block* refer(MessagePtr owner, std::string_view bytes);
  void give(Block* block) noexcept;

  /// Bytes in blocks that are in use, and that wait for use.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_; }
  [[nodiscard]] std::size_t kept_bytes() const noexcept { return kept_bytes_; }

 private:
  static constexpr std::array<std::size_t, 3> kSizes = {0, kSmall, kLarge};

  [[nodiscard]] Block* take_exactly(std::size_t capacity);
  [[nodiscard]] std::size_t keep_max() const noexcept;
  [[nodiscard]] bool is_short() const noexcept { return memory_ != nullptr && memory_->any(); }

  std::array<Block*, kSizes.size()> free_{};
  std::size_t used_bytes_ = 0;
  std::size_t kept_bytes_ = 0;
  const MemoryBudget* memory_ = nullptr;
};

}  // namespace linnet::net

// A queue in a ring that grows: the in-flight window, a backlog's head, parked work. One pointer,
// and no memory at all before its first element. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

#include "base/assert.hpp"

namespace linnet {

/// T may be move-only; its moves must not throw. At most 2^31 elements.
template <class T>
class Ring {
 public:
  Ring() noexcept = default;
  Ring(Ring&& other) noexcept { swap(other); }
  Ring& operator=(Ring&& other) noexcept {
    if (this != &other) {
      Ring taken(std::move(other));
      swap(taken);
    }
    return *this;
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { clear(); }

  [[nodiscard]] std::size_t size() const noexcept { return block_ ? block_->size : 0; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return block_ ? block_->capacity : 0; }

  /// Index 0 is the front. No check: these are for inner loops.
  [[nodiscard]] T& operator[](std::size_t index) noexcept { return *slot(index); }
  [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return *slot(index); }
  [[nodiscard]] T& front() noexcept { return *slot(0); }
  [[nodiscard]] const T& front() const noexcept { return *slot(0); }
  [[nodiscard]] T& back() noexcept { return *slot(block_->size - 1); }
  [[nodiscard]] const T& back() const noexcept { return *slot(block_->size - 1); }

  T& push_back(const T& value) { return push_back(T(value)); }
  T& push_back(T&& value) {
    if (block_ == nullptr || block_->size == block_->capacity) {
      move_to(block_ == nullptr ? kFirstCapacity : block_->capacity * 2);
    }
    T* made = std::construct_at(slot(block_->size), std::move(value));
    ++block_->size;
    return *made;
  }
  void pop_front() noexcept {
    LINNET_ASSERT(!empty());
    std::destroy_at(slot(0));
    block_->head = (block_->head + 1) & (block_->capacity - 1);
    --block_->size;
    give_back();
  }
  void pop_back() noexcept {
    LINNET_ASSERT(!empty());
    std::destroy_at(slot(block_->size - 1));
    --block_->size;
    give_back();
  }
  /// Moves those before it or those behind it, whichever are fewer: for rare use.
  void erase_at(std::size_t index) noexcept {
    LINNET_ASSERT(index < size());
    if (index < size() / 2) {
      for (std::size_t at = index; at > 0; --at)
        (*this)[at] = std::move((*this)[at - 1]);
      return pop_front();
    }
    for (std::size_t at = index; at + 1 < size(); ++at)
      (*this)[at] = std::move((*this)[at + 1]);
    pop_back();
  }
  /// Destroys the elements and gives all memory back.
  void clear() noexcept { release(std::exchange(block_, nullptr)); }
  /// Gives back what the present elements do not need.
  void shrink() {
    if (empty()) return clear();
    std::uint32_t wanted = kFirstCapacity;
    while (wanted < block_->size)
      wanted *= 2;
    if (wanted < block_->capacity) move_to(wanted);
  }
  void swap(Ring& other) noexcept { std::swap(block_, other.block_); }

 private:
  /// Stands in front of the elements.
  struct Block {
    std::uint32_t head;
    std::uint32_t size;
    std::uint32_t capacity;  // a power of two
    std::uint32_t unused;
  };
  static_assert(alignof(T) <= alignof(std::max_align_t) && sizeof(Block) % alignof(T) == 0);

  static constexpr std::uint32_t kFirstCapacity = 4;
  /// What an empty ring may keep.
  static constexpr std::uint32_t kKeepCapacity = 16;

  [[nodiscard]] static T* slot_of(Block* block, std::size_t index) noexcept {
    return reinterpret_cast<T*>(block + 1) + ((block->head + index) & (block->capacity - 1));
  }
  [[nodiscard]] T* slot(std::size_t index) const noexcept { return slot_of(block_, index); }
  [[nodiscard]] static std::size_t bytes_of(std::uint32_t capacity) noexcept {
    return sizeof(Block) + capacity * sizeof(T);
  }

  void give_back() noexcept {
    if (block_->size == 0 && block_->capacity > kKeepCapacity) clear();
  }
  void move_to(std::uint32_t capacity) {
    const auto size = static_cast<std::uint32_t>(this->size());
    LINNET_ASSERT(capacity <= std::uint32_t{1} << 31 && capacity >= size);
    auto* const target = ::new (::operator new(bytes_of(capacity))) Block{0, size, capacity, 0};
    for (std::uint32_t at = 0; at < size; ++at)
      std::construct_at(slot_of(target, at), std::move(*slot(at)));
    release(std::exchange(block_, target));
  }
  static void release(Block* block) noexcept {
    if (block == nullptr) return;
    for (std::uint32_t at = 0; at < block->size; ++at)
      std::destroy_at(slot_of(block, at));
    ::operator delete(block);
  }

  Block* block_ = nullptr;
};

}  // namespace linnet

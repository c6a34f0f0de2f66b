// A queue in a ring that grows: the in-flight window, a backlog's head, parked work. 24 bytes, and
// no memory at all before its first element. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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
  ~Ring() { release(); }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

  /// Index 0 is the front. No check: these are for inner loops.
  [[nodiscard]] T& operator[](std::size_t index) noexcept { return *slot(index); }
  [[nodiscard]] const T& operator[](std::size_t index) const noexcept { return *slot(index); }
  [[nodiscard]] T& front() noexcept { return *slot(0); }
  [[nodiscard]] const T& front() const noexcept { return *slot(0); }
  [[nodiscard]] T& back() noexcept { return *slot(size_ - 1); }
  [[nodiscard]] const T& back() const noexcept { return *slot(size_ - 1); }

  T& push_back(T value) {
    if (size_ == capacity_) move_to(capacity_ == 0 ? kFirstCapacity : capacity_ * 2);
    T* made = std::construct_at(slot(size_), std::move(value));
    ++size_;
    return *made;
  }
  void pop_front() noexcept {
    LINNET_ASSERT(size_ > 0);
    std::destroy_at(slot(0));
    head_ = (head_ + 1) & (capacity_ - 1);
    --size_;
    give_back();
  }
  void pop_back() noexcept {
    LINNET_ASSERT(size_ > 0);
    std::destroy_at(slot(size_ - 1));
    --size_;
    give_back();
  }
  /// Moves those before it or those behind it, whichever are fewer: for rare use.
  void erase_at(std::size_t index) noexcept {
    LINNET_ASSERT(index < size_);
    if (index < size_ / 2) {
      for (std::size_t at = index; at > 0; --at)
        (*this)[at] = std::move((*this)[at - 1]);
      return pop_front();
    }
    for (std::size_t at = index; at + 1 < size_; ++at)
      (*this)[at] = std::move((*this)[at + 1]);
    pop_back();
  }
  /// Destroys the elements and gives all memory back.
  void clear() noexcept {
    release();
    data_ = nullptr;
    head_ = size_ = capacity_ = 0;
  }
  /// Gives back what the present elements do not need.
  void shrink() {
    if (size_ == 0) return clear();
    std::uint32_t wanted = kFirstCapacity;
    while (wanted < size_)
      wanted *= 2;
    if (wanted < capacity_) move_to(wanted);
  }
  void swap(Ring& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  static constexpr std::uint32_t kFirstCapacity = 4;
  /// What an empty ring may keep.
  static constexpr std::uint32_t kKeepCapacity = 16;

  [[nodiscard]] T* slot(std::size_t index) const noexcept {
    return data_ + ((head_ + index) & (capacity_ - 1));
  }
  void give_back() noexcept {
    if (size_ == 0 && capacity_ > kKeepCapacity) clear();
  }
  void move_to(std::uint32_t capacity) {
    LINNET_ASSERT(capacity <= std::uint32_t{1} << 31 && capacity >= size_);
    T* target = std::allocator<T>().allocate(capacity);
    for (std::uint32_t at = 0; at < size_; ++at) {
      std::construct_at(target + at, std::move(*slot(at)));
    }
    const std::uint32_t size = size_;
    release();
    data_ = target;
    head_ = 0;
    size_ = size;
    capacity_ = capacity;
  }
  void release() noexcept {
    for (std::uint32_t at = 0; at < size_; ++at)
      std::destroy_at(slot(at));
    if (data_ != nullptr) std::allocator<T>().deallocate(data_, capacity_);
  }

  T* data_ = nullptr;
  std::uint32_t head_ = 0;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;  // 0 or a power of two
};

}  // namespace linnet

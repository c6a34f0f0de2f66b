// Text that does not change and is held by many: a client identifier. One pointer, and one piece of
// the heap with the length and the characters; none at all for an empty text. A std::string would
// take 32 bytes more for whatever has over 15 characters, as most identifiers have. Any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "base/assert.hpp"

namespace linnet {

class FixedText {
 public:
  FixedText() noexcept = default;
  /// At most 2^32 - 1 bytes. Throws std::bad_alloc.
  explicit FixedText(std::string_view text) : head_(text.empty() ? nullptr : make(text)) {}

  [[nodiscard]] std::string_view view() const noexcept {
    if (!head_) return {};
    return {reinterpret_cast<const char*>(head_.get() + 1), head_->size};
  }

 private:
  struct Head {
    std::uint32_t size;
  };
  struct Free {
    void operator()(Head* head) const noexcept { ::operator delete(head); }
  };

  [[nodiscard]] static Head* make(std::string_view text) {
    LINNET_ASSERT(text.size() <= UINT32_MAX);
    auto* head = ::new (::operator new(sizeof(Head) + text.size()))
        Head{static_cast<std::uint32_t>(text.size())};
    std::memcpy(head + 1, text.data(), text.size());
    return head;
  }

  std::unique_ptr<Head, Free> head_;
};

}  // namespace linnet

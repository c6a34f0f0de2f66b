// The messages that a session is owed beyond its in-flight window, in order, bounded in number and
// bytes. In memory; the durable store keeps the bodies of kept sessions' backlogs later.
#pragma once

#include "base/ring.hpp"
#include "session/owed.hpp"

namespace linnet::session {

struct BacklogLimits {
  std::uint64_t messages_max = 0;
  std::uint64_t bytes_max = 0;
};

class Backlog {
 public:
  [[nodiscard]] bool empty() const noexcept { return owed_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return owed_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool fits(std::size_t bytes, const BacklogLimits& limits) const noexcept {
    return owed_.size() < limits.messages_max && bytes_ + bytes <= limits.bytes_max;
  }

  void push(OwedMessage message) {
    bytes_ += message.bytes();
    owed_.push_back(std::move(message));
  }
  [[nodiscard]] OwedMessage& front() noexcept { return owed_.front(); }
  [[nodiscard]] OwedMessage pop() {
    OwedMessage message = std::move(owed_.front());
    owed_.pop_front();
    bytes_ -= message.bytes();
    return message;
  }
  /// Null if it is not here. Sequences rise from front to back.
  [[nodiscard]] OwedMessage* find_sequence(std::uint64_t sequence) noexcept {
    const std::size_t at = place_of(sequence);
    return at < owed_.size() && owed_[at].sequence == sequence ? &owed_[at] : nullptr;
  }
  /// Takes one out of the middle; it is here.
  void erase_sequence(std::uint64_t sequence) {
    const std::size_t at = place_of(sequence);
    bytes_ -= owed_[at].bytes();
    owed_.erase_at(at);
  }
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t at = 0; at < owed_.size(); ++at)
      visit(owed_[at]);
  }
  void clear() noexcept {
    owed_.clear();
    bytes_ = 0;
  }

 private:
  [[nodiscard]] std::size_t place_of(std::uint64_t sequence) const noexcept {
    std::size_t first = 0;
    for (std::size_t end = owed_.size(); first < end;) {
      const std::size_t middle = first + (end - first) / 2;
      if (owed_[middle].sequence < sequence) {
        first = middle + 1;
      } else {
        end = middle;
      }
    }
    return first;
  }

  Ring<OwedMessage> owed_;
  std::size_t bytes_ = 0;
};

}  // namespace linnet::session

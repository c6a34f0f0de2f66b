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
  /// Takes one out of the middle; for rare use. False if it is not here.
  bool erase_sequence(std::uint64_t sequence) {
    for (std::size_t at = owed_.size(); at-- > 0;) {
      if (owed_[at].sequence != sequence) continue;
      bytes_ -= owed_[at].bytes();
      owed_.erase_at(at);
      return true;
    }
    return false;
  }
  /// Takes out all for which `take` returns true, after it has moved from them what it wants.
  template <class Take>
  void extract(Take&& take) {
    Ring<OwedMessage> kept;
    std::size_t bytes = 0;
    while (!owed_.empty()) {
      OwedMessage message = std::move(owed_.front());
      owed_.pop_front();
      if (take(message)) continue;
      bytes += message.bytes();
      kept.push_back(std::move(message));
    }
    owed_.swap(kept);
    bytes_ = bytes;
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
  Ring<OwedMessage> owed_;
  std::size_t bytes_ = 0;
};

}  // namespace linnet::session

// Which of the numbered messages have come, how often, and in which order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "numbered_message.hpp"

namespace linnet::bench {

class Tally {
 public:
  /// One count for each publisher: how many messages it sent.
  explicit Tally(const std::vector<std::uint64_t>& sent) {
    for (const auto messages : sent) {
      publishers_.push_back({.seen = std::vector<bool>(messages), .next = 0});
      missing_ += messages;
    }
  }

  void count(MessageNumber number) {
    if (number.publisher >= publishers_.size()) fail("a message came that nobody sent");
    auto& from = publishers_[number.publisher];
    if (number.sequence >= from.seen.size()) fail("a message came that was not sent yet");
    if (from.seen[number.sequence]) {
      ++duplicated_;
      return;
    }
    from.seen[number.sequence] = true;
    --missing_;
    if (number.sequence < from.next) ++disordered_;
    from.next = std::max(from.next, number.sequence + 1);
  }

  [[nodiscard]] std::uint64_t missing() const { return missing_; }
  [[nodiscard]] std::uint64_t duplicated() const { return duplicated_; }
  /// Came behind one that the same publisher had sent later.
  [[nodiscard]] std::uint64_t disordered() const { return disordered_; }

 private:
  struct Publisher {
    std::vector<bool> seen;
    std::uint64_t next = 0;
  };

  std::vector<Publisher> publishers_;
  std::uint64_t missing_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t disordered_ = 0;
};

}  // namespace linnet::bench

// Answers of yes that are remembered, each for its time: bounded by number and by size, and what
// was used least lately goes first. Keys are digests, so that no password is kept. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <list>
#include <unordered_map>

#include "auth/identity.hpp"

namespace linnet::auth {

/// HMAC-SHA-256 of a question.
using QuestionKey = std::array<unsigned char, 32>;

struct QuestionKeyHash {
  [[nodiscard]] std::size_t operator()(const QuestionKey& key) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, key.data(), sizeof hash);
    return hash;
  }
};

class HttpCache {
 public:
  /// `weight_max` bounds the sum of what put() is given.
  HttpCache(std::size_t count_max, std::size_t weight_max) noexcept
      : count_max_(count_max), weight_max_(weight_max) {}

  /// Null if there is none, or its time is over. Times are of the monotonic clock, but for the
  /// identity's own end, which `now_s` of the wall clock decides.
  [[nodiscard]] const Identity* find(const QuestionKey& key, std::uint64_t now_ms,
                                     std::uint64_t now_s);
  struct Entry {
    QuestionKey key;
    Identity identity;
    std::uint64_t ends_ms = 0;
    std::size_t weight = 0;  // bytes, more or less
  };
  void put(Entry entry);
  /// While memory is short: a small part of what may be kept otherwise.
  void squeeze(bool is_short) noexcept;
  void clear() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }

 private:
  using List = std::list<Entry>;
  void drop(List::iterator entry) noexcept;
  void shrink() noexcept;

  std::size_t count_max_;
  std::size_t weight_max_;
  std::size_t weight_ = 0;
  std::size_t part_ = 1;  // of both, that may be kept now
  List entries_;          // the one that was used last comes first
  std::unordered_map<QuestionKey, List::iterator, QuestionKeyHash> places_;
};

}  // namespace linnet::auth

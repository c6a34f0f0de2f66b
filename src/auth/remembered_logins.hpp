// Logins that were verified, so that a client that comes back costs no second hash of milliseconds.
// What is kept is a keyed hash with a random key of this process; of no use to anybody who does not
// have its memory. Only passwords: tokens are verified each time. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_set>

#include "auth/login.hpp"

namespace linnet::auth {

class RememberedLogins {
 public:
  /// The oldest beyond `size_max` are forgotten. Throws std::runtime_error if the system has no
  /// randomness (start-up).
  explicit RememberedLogins(std::size_t size_max);

  [[nodiscard]] bool holds(const LoginJob& job);
  void add(const LoginJob& job);
  void resize(std::size_t size_max);
  /// While memory is short: a small part of it.
  void squeeze(bool is_short);

 private:
  using Mark = std::array<unsigned char, 32>;
  struct MarkHash {
    std::size_t operator()(const Mark& mark) const noexcept;
  };

  [[nodiscard]] Mark mark_of(const LoginJob& job) const;
  void shrink();

  const Secret key_;
  std::mutex mutex_;
  std::size_t size_max_;
  std::size_t part_ = 1;  // of it, that may be kept now
  std::unordered_set<Mark, MarkHash> marks_;
  std::deque<Mark> order_;
};

}  // namespace linnet::auth

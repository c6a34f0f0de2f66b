// Where the letters of other threads arrive: many writers, one reader, one wake-up per batch.
//
// Each writer's letters are drained in the order in which it posted them. A mailbox never loses a
// letter: post() takes it even if there is no room, so whoever posts a letter that needs room asks
// first. A writer that was refused is remembered; the reader tells it after a drain.
//
//   writer:  if (!box.reserve_or_wait(my_index, size)) return park(message);
//            box.post(std::move(letter), size);
//   reader:  box.drain([](Letter&& letter) { ... });
//            for each bit of box.take_waiters(): tell that writer that there is room again
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace linnet {

/// Makes the reader of a mailbox look into it. Called from the writers' threads.
class Waker {
 public:
  virtual void wake() noexcept = 0;

 protected:
  ~Waker() = default;
};

struct MailboxLimits {
  std::size_t letters_max = 65'536;
  std::size_t bytes_max = std::size_t{16} << 20;
};

template <class Letter>
class Mailbox {
 public:
  /// `waker` must outlive the mailbox.
  explicit Mailbox(Waker& waker, MailboxLimits limits = {}) noexcept
      : waker_(&waker), limits_(limits) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Whether a letter of `bytes` is within the limits; an empty mailbox has room for any letter.
  /// Any thread; the answer may be old by the time it is used, so the limits can be passed by about
  /// one letter per writer.
  [[nodiscard]] bool has_room(std::size_t bytes) const noexcept {
    const std::size_t letters = letters_.load(std::memory_order_relaxed);
    if (letters == 0) return true;
    const std::size_t held = bytes_.load(std::memory_order_relaxed);
    return letters < limits_.letters_max && held <= limits_.bytes_max &&
           bytes <= limits_.bytes_max - held;
  }

  /// has_room(), and if not, remembers `writer` (0 to 63) for take_waiters(). No refusal is missed:
  /// a drain after it always finds the writer. Any thread.
  [[nodiscard]] bool reserve_or_wait(unsigned writer, std::size_t bytes) {
    LINNET_ASSERT(writer < 64);
    if (has_room(bytes)) return true;
    const std::lock_guard lock(mutex_);
    if (has_room(bytes)) return true;
    waiters_ |= std::uint64_t{1} << writer;
    return false;
  }

  /// Takes the letter, in any case; `bytes` is what it counts for. Any thread.
  void post(Letter letter, std::size_t bytes = 0) {
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      first = incoming_.empty();
      incoming_.push_back(std::move(letter));
      letters_.store(incoming_.size(), std::memory_order_relaxed);
      bytes_.store(bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
    }
    if (first) waker_->wake();
  }

  /// post() for many: one lock and at most one wake. `letters` is empty afterwards.
  void post_all(std::vector<Letter>& letters, std::size_t bytes) {
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      first = incoming_.empty();
      for (Letter& letter : letters)
        incoming_.push_back(std::move(letter));
      letters_.store(incoming_.size(), std::memory_order_relaxed);
      bytes_.store(bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
    }
    letters.clear();
    if (first) waker_->wake();
  }

  /// Calls `take(Letter&&)` for each letter that is here now; those that come meanwhile wait for
  /// the next drain. Returns how many there were. The reader only, and not from within `take`.
  template <class Take>
  std::size_t drain(Take&& take) {
    LINNET_ASSERT(draining_.empty());
    if (letters_.load(std::memory_order_relaxed) == 0) return 0;
    {
      const std::lock_guard lock(mutex_);
      draining_.swap(incoming_);
      letters_.store(0, std::memory_order_relaxed);
      bytes_.store(0, std::memory_order_relaxed);
    }
    for (Letter& letter : draining_)
      take(std::move(letter));
    const std::size_t count = draining_.size();
    draining_.clear();
    if (draining_.capacity() > kKeepLetters) std::vector<Letter>().swap(draining_);
    return count;
  }

  /// The writers that were refused since the last call, as bits. The reader only, after a drain.
  [[nodiscard]] std::uint64_t take_waiters() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiters_, 0);
  }

  /// Letters not drained yet; any thread.
  [[nodiscard]] std::size_t size() const noexcept {
    return letters_.load(std::memory_order_relaxed);
  }

 private:
  /// A burst beyond this many letters gives its memory back.
  static constexpr std::size_t kKeepLetters = 1024;

  Waker* waker_;
  MailboxLimits limits_;

  std::mutex mutex_;
  std::vector<Letter> incoming_;
  std::uint64_t waiters_ = 0;
  // Written under the mutex, read without it.
  std::atomic<std::size_t> letters_{0};
  std::atomic<std::size_t> bytes_{0};

  std::vector<Letter> draining_;  // the reader's
};

}  // namespace linnet

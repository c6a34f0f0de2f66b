#include "base/mailbox.hpp"

#include <array>
#include <condition_variable>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace linnet {
namespace {

struct CountingWaker final : Waker {
  void wake() noexcept override { ++wakes; }
  int wakes = 0;
};

TEST(Mailbox, drains_in_order_and_wakes_once_per_batch) {
  CountingWaker waker;
  Mailbox<std::unique_ptr<int>> box(waker);
  EXPECT_EQ(box.drain([](auto&&) { FAIL(); }), 0U);
  for (int batch = 1; batch <= 3; ++batch) {
    for (int value = 0; value < 5; ++value)
      box.post(std::make_unique<int>(value));
    EXPECT_EQ(waker.wakes, batch);
    EXPECT_EQ(box.size(), 5U);
    int expected = 0;
    EXPECT_EQ(box.drain([&](auto&& letter) { EXPECT_EQ(*letter, expected++); }), 5U);
  }
}

TEST(Mailbox, letters_posted_while_draining_wait_and_wake) {
  CountingWaker waker;
  Mailbox<int> box(waker);
  box.post(1);
  EXPECT_EQ(box.drain([&](int&&) { box.post(2); }), 1U);
  EXPECT_EQ(waker.wakes, 2);
  EXPECT_EQ(box.size(), 1U);
}

TEST(Mailbox, has_room_up_to_its_limits) {
  CountingWaker waker;
  Mailbox<int> box(waker, {.letters_max = 3, .bytes_max = 100});
  EXPECT_TRUE(box.has_room(1000)) << "an empty mailbox takes any letter";
  box.post(1, 60);
  EXPECT_TRUE(box.has_room(40));
  EXPECT_FALSE(box.has_room(41));
  box.post(2);
  box.post(3);
  EXPECT_FALSE(box.has_room(0)) << "three letters are here";
  box.post(4, 1000);
  EXPECT_EQ(box.drain([](int&&) {}), 4U) << "post() takes a letter in any case";
  EXPECT_TRUE(box.has_room(100));
}

TEST(Mailbox, remembers_who_waits_for_room) {
  CountingWaker waker;
  Mailbox<int> box(waker, {.letters_max = 1, .bytes_max = 100});
  EXPECT_TRUE(box.reserve_or_wait(0, 10));
  box.post(1);
  EXPECT_FALSE(box.reserve_or_wait(3, 10));
  EXPECT_FALSE(box.reserve_or_wait(63, 10));
  box.drain([](int&&) {});
  EXPECT_EQ(box.take_waiters(), (std::uint64_t{1} << 63) | (1U << 3));
  EXPECT_EQ(box.take_waiters(), 0U);
}

/// A waker that a thread can wait on.
class Bell final : public Waker {
 public:
  void wake() noexcept override {
    const std::lock_guard lock(mutex_);
    rung_ = true;
    condition_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    condition_.wait(lock, [this] { return rung_; });
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  bool rung_ = false;
};

struct Note {
  unsigned writer;
  unsigned number;
};

TEST(Mailbox, loses_nothing_between_threads) {
  constexpr unsigned kWriters = 3;
  constexpr unsigned kNotes = 5000;
  Bell bell;
  std::array<Bell, kWriters> writer_bells;
  Mailbox<Note> box(bell, {.letters_max = 16, .bytes_max = 1000});
  std::vector<std::thread> writers;
  for (unsigned writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (unsigned number = 0; number < kNotes; ++number) {
        while (!box.reserve_or_wait(writer, 1))
          writer_bells[writer].wait();
        box.post({writer, number}, 1);
      }
    });
  }
  std::array<unsigned, kWriters> next{};
  unsigned total = 0;
  bool in_order = true;
  while (total < kWriters * kNotes) {
    bell.wait();
    total += static_cast<unsigned>(
        box.drain([&](Note&& note) { in_order = in_order && next[note.writer]++ == note.number; }));
    const auto waiters = box.take_waiters();
    for (unsigned writer = 0; writer < kWriters; ++writer) {
      if ((waiters >> writer) & 1) writer_bells[writer].wake();
    }
  }
  for (auto& writer : writers)
    writer.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(next, (std::array{kNotes, kNotes, kNotes}));
}

}  // namespace
}  // namespace linnet

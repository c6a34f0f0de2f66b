#include <csignal>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "database_fixture.hpp"

namespace linnet::store {
namespace {

using SpaceTest = DatabaseTest;

TEST_F(SpaceTest, a_full_store_takes_nothing_until_something_was_erased) {
  options.environment.map_bytes = 2 << 20;
  open();
  make_sessions(1);
  const std::string payload(10'000, 'x');
  std::uint64_t sequence = 1;
  while (sequence < 1'000 &&
         write({unit({request(message("a", payload), {owed(1, sequence)})})}) == Status::ok) {
    ++sequence;
  }
  ASSERT_GT(sequence, 50U);
  ASSERT_LT(sequence, 1'000U);
  EXPECT_EQ(outcomes.front(), Outcome::committed) << "the outcome is the status' matter";
  EXPECT_EQ(totals(1).messages, sequence - 1);
  for (std::uint64_t i = 1; i < sequence; ++i)
    ASSERT_EQ(erase(1, i), Status::ok);
  EXPECT_EQ(totals(1).messages, 0U);
  for (std::uint64_t i = 0; i < 50; ++i) {
    ASSERT_EQ(write({unit({request(message("a", payload), {owed(1, sequence + i)})})}), Status::ok);
  }
  EXPECT_EQ(totals(1).messages, 50U);
}

TEST_F(SpaceTest, a_batch_that_does_not_fit_changes_nothing_in_memory_either) {
  options.environment.map_bytes = 2 << 20;
  open();
  make_sessions(1);
  ASSERT_EQ(write(PutRetained{message("r", "1", clock.now + 1'000)}), Status::ok);
  Batch batch;
  batch.units.push_back(unit({request(PutRetained{message("s", "2")})}));
  batch.units.push_back(unit({request(PutRetained{message("r", "")})}));
  batch.units.push_back(unit({request(EraseSession{1})}));
  batch.units.push_back(unit({request(PutRetained{message("t", std::string(5 << 20, 'x'))})}));
  EXPECT_EQ(db->write(batch), Status::no_space);
  EXPECT_EQ(db->retained_messages(), 1U);
  ASSERT_EQ(write({unit({request(message("a", "b"), {owed(1, 1)})})}), Status::ok);
  EXPECT_EQ(totals(1).messages, 1U);
  EXPECT_EQ(meta().retained_messages, 1U);
}

/// A disk that has no room beyond the file's present size.
class FullDisk {
 public:
  explicit FullDisk(const std::string& file) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit full = before_;
    full.rlim_cur = std::filesystem::file_size(file);
    action_ = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &full);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, action_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
  void (*action_)(int) = nullptr;
};

TEST_F(SpaceTest, on_a_full_disk_the_reserve_is_for_erasing) {
  options.environment.ahead_bytes = 1 << 20;
  open();
  make_sessions(1);
  const std::string payload(100'000, 'x');
  std::uint64_t sequence = 1;
  for (; sequence <= 20; ++sequence) {
    ASSERT_EQ(write({unit({request(message("a", payload), {owed(1, sequence)})})}), Status::ok);
  }
  {
    const FullDisk full(directory.file());
    Status status = Status::ok;
    for (; status == Status::ok && sequence < 100; ++sequence) {
      status = write({unit({request(message("a", payload), {owed(1, sequence)})})});
    }
    EXPECT_EQ(status, Status::no_space);
    EXPECT_FALSE(db->environment().last_error().empty());
    for (std::uint64_t i = 1; i <= 20; ++i)
      ASSERT_EQ(erase(1, i), Status::ok);
    EXPECT_EQ(write({unit({request(message("a", payload), {owed(1, 200)})})}), Status::ok)
        << "free pages need no room on the disk";
  }
  EXPECT_EQ(write({unit({request(message("a", payload), {owed(1, 201)})})}), Status::ok);
}

TEST_F(SpaceTest, pages_are_used_again) {
  make_sessions(1);
  std::uint64_t sequence = 1;
  std::uint64_t size = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 10; ++i) {
      Batch batch;
      for (int j = 0; j < 200; ++j) {
        batch.units.push_back(
            unit({request(message("a", std::string(300, 'x')), {owed(1, sequence++)})}));
      }
      ASSERT_EQ(db->write(batch), Status::ok);
    }
    Batch erasures;
    for (std::uint64_t i = sequence - 2'000; i < sequence; ++i)
      erasures.erased.push_back({1, i, 0});
    ASSERT_EQ(db->write(erasures), Status::ok);
    if (round == 4) size = std::filesystem::file_size(directory.file());
  }
  EXPECT_LE(std::filesystem::file_size(directory.file()), size + size / 4);
}

}  // namespace
}  // namespace linnet::store

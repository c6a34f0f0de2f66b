#include "store/environment.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <thread>

#include "database_fixture.hpp"

namespace linnet::store {
namespace {

class EnvironmentTest : public testing::Test {
 protected:
  EnvironmentTest() {
    options.directory = directory.path();
    options.map_bytes = 64 << 20;
    options.sync = false;
  }
  void open() {
    environment.reset();
    environment = Environment::open(options, status, error);
    ASSERT_TRUE(environment) << error;
    ASSERT_EQ(status, Status::ok);
  }
  Status put(const std::string& key, const std::string& value) {
    Transaction transaction;
    if (const Status begun = environment->begin_write(transaction); begun != Status::ok) {
      return begun;
    }
    const Status put = transaction.put(Table::sessions, key, value);
    return put == Status::ok ? transaction.commit() : put;
  }
  std::string get(const std::string& key) {
    Transaction transaction;
    std::string_view value;
    if (environment->begin_read(transaction) != Status::ok) return "(no transaction)";
    const Status found = transaction.get(Table::sessions, key, value);
    return found == Status::ok ? std::string(value) : "(none)";
  }

  TemporaryDirectory directory;
  EnvironmentOptions options;
  std::unique_ptr<Environment> environment;
  Status status = Status::failed;
  std::string error;
};

TEST_F(EnvironmentTest, keeps_what_was_committed) {
  options.sync = true;
  open();
  EXPECT_EQ(put("key", "value"), Status::ok);
  EXPECT_EQ(get("key"), "value");
  open();
  EXPECT_EQ(get("key"), "value");
  EXPECT_EQ(get("other"), "(none)");
}

TEST_F(EnvironmentTest, forgets_what_was_not_committed) {
  open();
  {
    Transaction transaction;
    ASSERT_EQ(environment->begin_write(transaction), Status::ok);
    ASSERT_EQ(transaction.put(Table::sessions, "key", "value"), Status::ok);
  }
  EXPECT_EQ(get("key"), "(none)");
}

TEST_F(EnvironmentTest, put_new_shows_what_is_there) {
  open();
  Transaction transaction;
  ASSERT_EQ(environment->begin_write(transaction), Status::ok);
  std::string_view existing;
  EXPECT_EQ(transaction.put_new(Table::bodies, "a", "first", existing), Status::ok);
  EXPECT_EQ(transaction.put_new(Table::bodies, "a", "second", existing), Status::exists);
  EXPECT_EQ(existing, "first");
  EXPECT_EQ(transaction.erase(Table::bodies, "a"), Status::ok);
  EXPECT_EQ(transaction.erase(Table::bodies, "a"), Status::not_found);
  EXPECT_EQ(transaction.entries(Table::bodies), 0U);
}

TEST_F(EnvironmentTest, cursors_walk_in_the_order_of_bytes) {
  open();
  Transaction transaction;
  ASSERT_EQ(environment->begin_write(transaction), Status::ok);
  for (const std::string_view key : {"b", "d", "a", "c"}) {
    ASSERT_EQ(transaction.put(Table::retained, key, key), Status::ok);
  }
  Cursor at(transaction, Table::retained);
  ASSERT_EQ(at.seek("bb"), Status::ok);
  EXPECT_EQ(at.key(), "c");
  EXPECT_EQ(at.value(), "c");
  ASSERT_EQ(at.erase(), Status::ok);
  ASSERT_EQ(at.next(), Status::ok);
  EXPECT_EQ(at.key(), "d");
  ASSERT_EQ(at.previous(), Status::ok);
  EXPECT_EQ(at.key(), "b");
  ASSERT_EQ(at.last(), Status::ok);
  EXPECT_EQ(at.key(), "d");
  EXPECT_EQ(at.next(), Status::not_found);
  EXPECT_EQ(at.seek("e"), Status::not_found);
  EXPECT_EQ(at.put_new("d", "x"), Status::exists);
  EXPECT_EQ(at.put("d", "x"), Status::ok);
}

TEST_F(EnvironmentTest, a_reader_sees_the_store_as_it_was_when_it_began) {
  open();
  ASSERT_EQ(put("key", "old"), Status::ok);
  Transaction reader;
  ASSERT_EQ(environment->begin_read(reader), Status::ok);
  ASSERT_EQ(put("key", "new"), Status::ok);
  std::string_view value;
  ASSERT_EQ(reader.get(Table::sessions, "key", value), Status::ok);
  EXPECT_EQ(value, "old");
  EXPECT_EQ(get("key"), "new");
}

TEST_F(EnvironmentTest, read_transactions_are_used_again_by_any_thread) {
  open();
  ASSERT_EQ(put("key", "value"), Status::ok);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 500; ++j)
        wrong += get("key") == "value" ? 0 : 1;
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(EnvironmentTest, garbage_is_damaged_and_the_error_names_the_file) {
  std::ofstream(directory.file()) << std::string(100'000, 'x');
  EXPECT_FALSE(Environment::open(options, status, error));
  EXPECT_EQ(status, Status::damaged);
  EXPECT_NE(error.find(directory.file()), std::string::npos) << error;
}

TEST_F(EnvironmentTest, a_file_that_is_cut_within_its_first_page_is_damaged) {
  std::ofstream(directory.file()) << "short";
  EXPECT_FALSE(Environment::open(options, status, error));
  EXPECT_EQ(status, Status::damaged);
}

TEST_F(EnvironmentTest, a_directory_that_is_not_there_is_an_error_in_words) {
  options.directory += "/missing";
  EXPECT_FALSE(Environment::open(options, status, error));
  EXPECT_EQ(status, Status::failed);
  EXPECT_NE(error.find("missing/data.mdb"), std::string::npos) << error;
}

TEST_F(EnvironmentTest, a_full_map_says_so_and_the_next_transaction_works) {
  options.map_bytes = 1 << 20;
  options.ahead_bytes = 0;
  open();
  const std::string value(10'000, 'v');
  Status last = Status::ok;
  int count = 0;
  while (last == Status::ok && count < 1'000)
    last = put("key" + std::to_string(count++), value);
  EXPECT_EQ(last, Status::no_space);
  EXPECT_FALSE(environment->last_error().empty());
  EXPECT_EQ(get("key0"), value);
}

TEST_F(EnvironmentTest, space_is_taken_ahead_and_counted) {
  options.ahead_bytes = 1 << 20;
  open();
  ASSERT_EQ(environment->prepare_space(100'000), Status::ok);
  EXPECT_GE(environment->space().file_bytes, (1U << 20) + 100'000U);
  EXPECT_EQ(environment->space().map_bytes, 64U << 20);
  const std::uint64_t used = environment->space().used_bytes;
  ASSERT_EQ(put("key", std::string(100'000, 'v')), Status::ok);
  EXPECT_GE(environment->space().used_bytes, used + 100'000);
  open();  // a file that is longer than its pages
  EXPECT_EQ(get("key").size(), 100'000U);
}

TEST_F(EnvironmentTest, there_is_no_space_beyond_the_map_unless_pages_are_free) {
  options.map_bytes = 8 << 20;
  options.ahead_bytes = 0;
  open();
  EXPECT_EQ(environment->prepare_space(8 << 20), Status::no_space);
  ASSERT_EQ(put("key", std::string(6 << 20, 'v')), Status::ok);
  EXPECT_EQ(environment->prepare_space(3 << 20), Status::no_space);
  ASSERT_EQ(put("key", "small"), Status::ok);
  EXPECT_GT(environment->space().free_bytes, 5U << 20);
  EXPECT_EQ(environment->prepare_space(3 << 20), Status::ok);
}

TEST_F(EnvironmentTest, a_copy_is_a_store_of_its_own) {
  open();
  ASSERT_EQ(put("key", "value"), Status::ok);
  const TemporaryDirectory other;
  ASSERT_EQ(environment->copy_to(other.file(), error), Status::ok) << error;
  EXPECT_NE(environment->copy_to(other.file(), error), Status::ok);
  options.directory = other.path();
  open();
  EXPECT_EQ(get("key"), "value");
}

TEST_F(EnvironmentTest, a_map_with_a_hole_is_found_and_does_not_end_the_process) {
  options.ahead_bytes = 0;
  open();
  const std::string value(3'000, 'v');
  for (int i = 0; i < 100; ++i)
    ASSERT_EQ(put("key" + std::to_string(i), value), Status::ok);
  std::filesystem::resize_file(directory.file(), 2 * 4'096);
  {
    const MapGuard guard;
    EXPECT_FALSE(guard.hit());
    EXPECT_NE(get("key50"), value);
    EXPECT_TRUE(guard.hit());
    Transaction transaction;
    if (environment->begin_read(transaction) == Status::ok) {
      Cursor at(transaction, Table::sessions);
      for (Status next = at.seek("a"); next == Status::ok;)
        next = at.next();
    }
  }
  environment.reset();
  EXPECT_FALSE(MapGuard().hit()) << "the hole went with the map";
}

TEST_F(EnvironmentTest, a_walk_over_a_hole_ends) {
  options.ahead_bytes = 0;
  open();
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_EQ(put("key" + std::to_string(i), std::string(200, 'v')), Status::ok);
  }
  const auto size = std::filesystem::file_size(directory.file());
  for (std::uintmax_t pages = size / 4'096 - 1; pages >= 2; pages -= pages > 20 ? 7 : 1) {
    open();
    const TemporaryDirectory copy;
    std::filesystem::copy_file(directory.file(), copy.file());
    EnvironmentOptions other = options;
    other.directory = copy.path();
    const auto cut = Environment::open(other, status, error);
    ASSERT_TRUE(cut) << error;
    std::filesystem::resize_file(copy.file(), pages * 4'096);
    const MapGuard guard;
    Transaction transaction;
    ASSERT_EQ(cut->begin_read(transaction), Status::ok);
    Cursor at(transaction, Table::sessions);
    int looks = 0;
    for (Status next = at.seek("a"); next == Status::ok && looks < 10'000; ++looks) {
      next = at.next();
    }
    EXPECT_LT(looks, 10'000);
  }
}

using MapGuardDeathTest = EnvironmentTest;

TEST_F(MapGuardDeathTest, without_a_guard_the_process_ends_as_ever) {
  options.ahead_bytes = 0;
  open();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(put("key" + std::to_string(i), std::string(3'000, 'v')), Status::ok);
  }
  std::filesystem::resize_file(directory.file(), 2 * 4'096);
  EXPECT_DEATH((void)get("key50"), "");
}

}  // namespace
}  // namespace linnet::store

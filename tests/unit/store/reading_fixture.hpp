// A store's tables in a temporary directory, filled record by record, and read as a database does.
#pragma once

#include <atomic>
#include <filesystem>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string>

#include "store/environment.hpp"
#include "store/reading.hpp"
#include "store/record.hpp"
#include "unit/store/manual_clock.hpp"

namespace linnet::store {

class ReadingTest : public testing::Test {
 protected:
  ReadingTest() {
    std::string path = (std::filesystem::temp_directory_path() / "linnet-XXXXXX").string();
    directory_ = ::mkdtemp(path.data());
    EnvironmentOptions options;
    options.directory = directory_;
    options.map_bytes = std::uint64_t{256} << 20;
    options.sync = false;
    options.ahead_bytes = 0;
    Status status = Status::ok;
    std::string error;
    environment_ = Environment::open(options, status, error);
    EXPECT_TRUE(environment_) << error;
  }
  ~ReadingTest() override {
    environment_.reset();
    std::filesystem::remove_all(directory_);
  }

  /// Calls `write` with a function that puts a record under a key, and commits.
  template <class Write>
  void write(Write write) {
    Transaction transaction;
    ASSERT_EQ(environment_->begin_write(transaction), Status::ok);
    write(transaction);
    ASSERT_EQ(transaction.commit(), Status::ok);
  }
  static void put(Transaction& transaction, Table table, const Key& key,
                  const std::string& record) {
    ASSERT_EQ(transaction.put(table, key.bytes(), record), Status::ok);
  }
  /// Turns one bit of a record.
  void damage(Table table, const Key& key) {
    write([&](Transaction& transaction) {
      std::string_view value;
      ASSERT_EQ(transaction.get(table, key.bytes(), value), Status::ok);
      std::string changed(value);
      changed.back() = static_cast<char>(changed.back() ^ 1);
      put(transaction, table, key, changed);
    });
  }

  void put_retained(Transaction& transaction, std::string_view topic, std::string_view payload) {
    const Key key = retained_key(topic, seeds_);
    write_retained_record(record_, key.bytes(), {topic, payload, {}, {}, kNever, Qos{}, true},
                          clock_);
    put(transaction, Table::retained, key, record_);
  }
  void erase_retained(Transaction& transaction, std::string_view topic) {
    ASSERT_EQ(transaction.erase(Table::retained, retained_key(topic, seeds_).bytes()), Status::ok);
  }

  /// Calls `read` with a Reading, and returns what it returns.
  template <class Read>
  auto read(Read read) {
    const MapGuard guard;
    Transaction transaction;
    EXPECT_EQ(environment_->begin_read(transaction), Status::ok);
    return read(Reading{transaction, guard, seeds_, clock_, damaged_});
  }

  const HashSeeds seeds_{3, 4};
  const ManualClock system_clock_{1'000, 1'767'225'600'000};
  const StoreClock clock_{system_clock_, {}};
  std::filesystem::path directory_;
  std::unique_ptr<Environment> environment_;
  std::atomic<std::uint64_t> damaged_{0};
  std::string record_;
};

}  // namespace linnet::store

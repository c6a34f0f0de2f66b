// A database in a directory of its own, and words for what is done to it and found in it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "store/database.hpp"

namespace linnet::store {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "linnet-store-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file() const { return path_ + "/data.mdb"; }

 private:
  std::string path_;
};

struct TestClock final : Clock {
  [[nodiscard]] std::uint64_t now_ms() const noexcept override { return now; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return wall; }
  std::uint64_t now = 1'000'000;
  std::int64_t wall = 1'800'000'000'000;
};

inline MessagePtr message(std::string_view topic, std::string_view payload,
                          std::uint64_t expires_at_ms = kNever) {
  MessageView view;
  view.topic = topic;
  view.payload = payload;
  view.publisher = "publisher";
  view.qos = Qos::at_least_once;
  view.expires_at_ms = expires_at_ms;
  return Message::make(view);
}

inline Request request(Change change) {
  Request request;
  request.changes.push_back(std::move(change));
  return request;
}

inline PutOutgoing owed(SessionNumber session, std::uint64_t sequence, std::uint64_t number = 0) {
  PutOutgoing put;
  put.session = session;
  put.sequence = sequence;
  put.number = number;
  put.qos = Qos::at_least_once;
  return put;
}

inline Request request(MessagePtr message, std::initializer_list<PutOutgoing> outgoing) {
  Request request;
  request.message = std::move(message);
  request.outgoing.assign(outgoing.begin(), outgoing.end());
  return request;
}

inline PutSubscription subscription(SessionNumber session, std::string filter) {
  PutSubscription put;
  put.session = session;
  put.filter = std::move(filter);
  put.options = 1;
  return put;
}

/// As long as a name can be on the wire.
inline std::string long_name(char last) {
  return std::string(65'534, 'n') + last;
}

inline Unit unit(std::initializer_list<Request> parts) {
  Unit unit;
  unit.parts.assign(parts.begin(), parts.end());
  return unit;
}

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() {
    options.environment.directory = directory.path();
    options.environment.map_bytes = 256 << 20;
    options.environment.sync = false;
    options.environment.ahead_bytes = 0;
    options.retained_messages_max = 1'000'000;
    options.retained_bytes_max = 1 << 30;
    open();
  }

  void open() {
    db.reset();
    Status status = Status::ok;
    std::string error;
    db = Database::open(options, clock, status, error);
    ASSERT_TRUE(db) << error;
    ASSERT_EQ(status, Status::ok);
  }

  Status write(std::initializer_list<Unit> units,
               std::initializer_list<EraseOutgoing> erased = {}) {
    Batch batch;
    batch.units.assign(units.begin(), units.end());
    batch.erased.assign(erased.begin(), erased.end());
    const Status status = db->write(batch);
    outcomes.clear();
    for (const Unit& one : batch.units)
      outcomes.push_back(one.outcome);
    return status;
  }
  Status write(Change change) { return write({unit({request(std::move(change))})}); }
  Status erase(SessionNumber session, std::uint64_t sequence, std::uint64_t number = 0) {
    return write({}, {{session, sequence, number}});
  }
  void make_sessions(SessionNumber count) {
    for (SessionNumber session = 1; session <= count; ++session) {
      PutSession put;
      put.session = session;
      put.client_id = "client" + std::to_string(session);
      ASSERT_EQ(write(put), Status::ok);
    }
  }
  void sweep_all() {
    for (bool more = true; more;)
      ASSERT_EQ(db->sweep(more), Status::ok);
  }

  std::uint64_t entries(Table table) {
    Transaction transaction;
    EXPECT_EQ(db->environment().begin_read(transaction), Status::ok);
    return transaction.entries(table);
  }
  /// The record under the key; empty if there is none.
  std::string record(Table table, const Key& key) {
    Transaction transaction;
    EXPECT_EQ(db->environment().begin_read(transaction), Status::ok);
    std::string_view found;
    return transaction.get(table, key.bytes(), found) == Status::ok ? std::string(found) : "";
  }
  Meta meta() {
    Meta meta;
    EXPECT_TRUE(read_record(kMetaKey, record(Table::main, Key().raw(kMetaKey)), meta));
    return meta;
  }
  /// How many records of this kind the session has.
  std::size_t count(SessionNumber session, Kind kind) {
    Transaction transaction;
    EXPECT_EQ(db->environment().begin_read(transaction), Status::ok);
    Cursor at(transaction, Table::sessions);
    std::size_t count = 0;
    SessionKey key;
    for (Status status = at.seek(session_key(session, kind).bytes()); status == Status::ok;
         status = at.next(), ++count) {
      EXPECT_TRUE(parse_session_key(at.key(), key));
      if (key.session != session || key.kind != kind) break;
    }
    return count;
  }
  OwedTotals totals(SessionNumber session) {
    const Key key = session_key(session, Kind::owed);
    const std::string found = record(Table::sessions, key);
    OwedTotals owed;
    EXPECT_TRUE(found.empty() || read_record(key.bytes(), found, owed));
    return owed;
  }
  bool has_outgoing(SessionNumber session, std::uint64_t sequence) {
    return !record(Table::sessions, outgoing_key(session, sequence)).empty();
  }

  TemporaryDirectory directory;
  TestClock clock;
  DatabaseOptions options;
  std::unique_ptr<Database> db;
  std::vector<Outcome> outcomes;  // of the last write()
};

}  // namespace linnet::store

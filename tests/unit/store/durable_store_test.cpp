#include "store/durable_store.hpp"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <vector>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "unit/store/database_fixture.hpp"

namespace linnet::store {
namespace {

using List = std::vector<std::string>;

class Sink final : public AnswerSink {
 public:
  void answer(std::uint32_t, std::span<const Answer> answers) override {
    const std::lock_guard lock(mutex_);
    for (const Answer& one : answers) {
      constexpr const char* kOutcomes[] = {"committed", "full", "refused", "accepted"};
      said_.push_back(cat(one.ticket, " ", kOutcomes[static_cast<int>(one.outcome)]));
    }
    changed_.notify_all();
  }
  void has_room_again() override {
    const std::lock_guard lock(mutex_);
    room_again_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] bool hears(const std::string& text) {
    return wait([&] { return std::count(said_.begin(), said_.end(), text) > 0; });
  }
  /// What becomes of a ticket.
  [[nodiscard]] std::string outcome_of(Ticket ticket) {
    std::string outcome;
    EXPECT_TRUE(wait([&] {
      if (said_.empty() || !said_.back().starts_with(cat(ticket, " "))) return false;
      outcome = said_.back().substr(said_.back().find(' ') + 1);
      return true;
    }));
    return outcome;
  }
  [[nodiscard]] bool hears_of_room() {
    return wait([&] { return room_again_; });
  }

 private:
  template <class Done>
  bool wait(Done&& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), done);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  List said_;
  bool room_again_ = false;
};

class DurableStoreTest : public testing::Test {
 protected:
  DurableStoreTest() {
    options.database.environment.directory = directory.path();
    options.database.environment.map_bytes = 64 << 20;
    options.database.retained_messages_max = 1'000;
    options.database.retained_bytes_max = 1 << 20;
  }

  void open() {
    Status status = Status::ok;
    std::string error;
    store.reset();
    store = DurableStore::open(options, clock, sink, status, error);
    ASSERT_NE(store, nullptr) << error;
    store->start();
  }
  void submits(Request asked, Ticket ticket) {
    asked.ticket = ticket;
    store->submit(std::move(asked));
    store->end_turn(0);
  }
  void makes_session(SessionNumber session, Ticket ticket) {
    submits(request(PutSession{session, cat("client ", session)}), ticket);
    ASSERT_TRUE(sink.hears(cat(ticket, " committed")));
  }
  List outgoing(SessionNumber session) {
    List list;
    store->read_outgoing(session, 0, UINT64_MAX, [&](const StoredOutgoing& found) {
      list.push_back(cat(found.sequence, "=", found.message.payload));
      return true;
    });
    return list;
  }

  TemporaryDirectory directory;
  TestClock clock;
  Sink sink;
  DurableStoreOptions options;
  std::unique_ptr<DurableStore> store;
};

TEST_F(DurableStoreTest, what_is_committed_can_be_read_also_after_a_restart) {
  open();
  const SessionNumber session = store->new_session();
  makes_session(session, 1);
  submits(request(message("a", "x"), {owed(session, 1)}), 2);
  submits(request(PutRetained{message("a", "y")}), 3);
  EXPECT_TRUE(sink.hears("2 committed"));
  EXPECT_TRUE(sink.hears("3 committed"));
  EXPECT_EQ(outgoing(session), (List{"1=x"}));
  EXPECT_EQ(store->figures().retained_messages, 1U);
  store->stop();
  open();
  EXPECT_EQ(outgoing(session), (List{"1=x"}));
  EXPECT_GT(store->new_session(), session);
  std::size_t sessions = 0;
  store->load_sessions([&](const StoredSession& found) {
    ++sessions;
    EXPECT_EQ(found.number, session);
  });
  EXPECT_EQ(sessions, 1U);
}

TEST_F(DurableStoreTest, what_was_acknowledged_is_gone_after_the_stop) {
  open();
  makes_session(1, 1);
  submits(request(message("a", "x"), {owed(1, 1)}), 2);
  EXPECT_TRUE(sink.hears("2 committed"));
  store->erase_outgoing(0, {1, 1, 0}, {});
  store->stop();
  open();
  EXPECT_EQ(outgoing(1), List{});
}

TEST_F(DurableStoreTest, says_what_it_has_done) {
  open();
  makes_session(1, 1);
  submits(request(message("a", "x"), {owed(1, 1)}), 2);
  EXPECT_TRUE(sink.hears("2 committed"));
  const StoreFigures figures = store->figures();
  EXPECT_EQ(figures.outgoing_saved, 1U);
  EXPECT_GE(figures.commits, 2U);
  EXPECT_GT(figures.bytes_written, 0U);
  EXPECT_GT(figures.file_bytes, 0U);
  EXPECT_EQ(figures.alarm, "");
}

TEST_F(DurableStoreTest, lets_others_work_with_the_database) {
  open();
  makes_session(1, 1);
  const std::string copy = directory.path() + "/copy.mdb";
  Status status = Status::failed;
  EXPECT_TRUE(store->run([&](Database& database) {
    std::string error;
    status = database.environment().copy_to(copy, error);
  }));
  EXPECT_EQ(status, Status::ok);
  EXPECT_TRUE(std::filesystem::exists(copy));
  store->stop();
  EXPECT_FALSE(store->run([](Database&) {}));
}

TEST_F(DurableStoreTest, a_full_store_refuses_and_recovers) {
  log::set_level(log::Level::off);
  options.database.environment.map_bytes = 4 << 20;
  open();
  makes_session(1, 1);
  const std::string payload(100'000, 'x');
  std::string outcome = "committed";
  for (Ticket ticket = 2; ticket < 100 && outcome == "committed"; ++ticket) {
    submits(request(message("a", payload), {owed(1, ticket)}), ticket);
    outcome = sink.outcome_of(ticket);
  }
  EXPECT_EQ(outcome, "full");
  EXPECT_FALSE(store->accepts());
  EXPECT_NE(store->figures().alarm.find("has no room"), std::string::npos);
  const std::size_t kept = outgoing(1).size();
  EXPECT_GT(kept, 10U);
  for (Ticket sequence = 2; sequence < 20; ++sequence)
    store->erase_outgoing(0, {1, sequence, 0}, {});
  store->end_turn(0);
  EXPECT_TRUE(sink.hears_of_room());
  EXPECT_TRUE(store->accepts());
  makes_session(2, 200);
  log::set_level(log::Level::info);
}

}  // namespace
}  // namespace linnet::store

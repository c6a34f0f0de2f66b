#include <gtest/gtest.h>

#include "database_fixture.hpp"

namespace linnet::store {
namespace {

class SweepTest : public DatabaseTest {
 protected:
  /// How many calls it took until nothing was left to do.
  int sweeps() {
    int calls = 0;
    for (bool more = true; more && calls < 1'000; ++calls) {
      EXPECT_EQ(db->sweep(more), Status::ok);
    }
    return calls;
  }
};

TEST_F(SweepTest, an_ended_sessions_messages_go_step_by_step) {
  make_sessions(2);
  std::uint64_t sequence = 1;
  for (int i = 0; i < 200; ++i) {
    Batch batch;
    for (int j = 0; j < 1'000; ++j) {
      batch.units.push_back(unit({request(message("a", "b"), {owed(1, sequence++)})}));
    }
    ASSERT_EQ(db->write(batch), Status::ok);
  }
  ASSERT_EQ(write({unit({request(message("a", "b"), {owed(1, sequence), owed(2, 1)})})}),
            Status::ok);
  ASSERT_EQ(write(EraseSession{1}), Status::ok);
  EXPECT_EQ(count(1, Kind::session), 0U);
  EXPECT_EQ(count(1, Kind::owed), 0U);
  EXPECT_EQ(entries(Table::doomed), 1U);
  EXPECT_GT(entries(Table::sessions), 200'000U);

  bool more = false;
  ASSERT_EQ(db->sweep(more), Status::ok);
  EXPECT_TRUE(more);
  EXPECT_GT(entries(Table::sessions), 198'000U) << "a bounded piece at a time";
  open();
  EXPECT_GE(sweeps(), 199);
  EXPECT_EQ(entries(Table::doomed), 0U);
  EXPECT_EQ(entries(Table::sessions), 3U) << "the other session, its total and its message";
  EXPECT_EQ(entries(Table::bodies), 2U) << "which the other session is owed";
  ASSERT_EQ(erase(2, 1), Status::ok);
  EXPECT_EQ(entries(Table::bodies), 0U);
}

TEST_F(SweepTest, several_sessions_go_in_one_call) {
  make_sessions(3);
  ASSERT_EQ(write({unit({request(message("a", "b"), {owed(1, 1), owed(2, 1), owed(3, 1)})})}),
            Status::ok);
  for (SessionNumber session = 1; session <= 3; ++session) {
    ASSERT_EQ(write(EraseSession{session}), Status::ok);
  }
  EXPECT_EQ(sweeps(), 1);
  for (const Table table : {Table::sessions, Table::bodies, Table::doomed}) {
    EXPECT_EQ(entries(table), 0U);
  }
}

TEST_F(SweepTest, nothing_to_do_is_not_a_transaction) {
  make_sessions(1);
  const std::uint64_t before = meta().clock.time_ms;
  clock.now += 1'000;
  EXPECT_EQ(sweeps(), 1);
  EXPECT_EQ(meta().clock.time_ms, before);
}

TEST_F(SweepTest, retained_messages_expire_when_they_should) {
  ASSERT_EQ(write(PutRetained{message("a", "1", clock.now + 5'000)}), Status::ok);
  ASSERT_EQ(write(PutRetained{message("b", "22", clock.now + 9'000)}), Status::ok);
  ASSERT_EQ(write(PutRetained{message("c", "forever")}), Status::ok);
  clock.now += 4'999;
  sweeps();
  EXPECT_EQ(db->retained_messages(), 3U);
  clock.now += 1;
  sweeps();
  EXPECT_EQ(db->retained_messages(), 2U);
  EXPECT_EQ(db->next_expiry_ms(), clock.now + 4'000);
  clock.now += 100'000;
  sweeps();
  EXPECT_EQ(db->retained_messages(), 1U);
  EXPECT_EQ(db->retained_bytes(), owed_bytes(message("c", "forever")->view()));
  EXPECT_EQ(entries(Table::retained), 1U);
  EXPECT_EQ(entries(Table::expiries), 0U);
  EXPECT_EQ(db->next_expiry_ms(), kNever);
}

TEST_F(SweepTest, many_expired_messages_take_several_calls) {
  Batch batch;
  for (int i = 0; i < 2'500; ++i) {
    batch.units.push_back(
        unit({request(PutRetained{message("t/" + std::to_string(i), "x", clock.now + 10)})}));
  }
  ASSERT_EQ(db->write(batch), Status::ok);
  clock.now += 10;
  EXPECT_EQ(sweeps(), 3);
  EXPECT_EQ(entries(Table::retained), 0U);
  EXPECT_EQ(db->retained_bytes(), 0U);
}

TEST_F(SweepTest, a_message_replaced_long_after_its_time_is_not_taken_for_the_old_one) {
  ASSERT_EQ(write(PutRetained{message("a", "old", clock.now + 5'000)}), Status::ok);
  // Down for so long that the old one's time is before this boot's beginning.
  clock.wall += 1'000'000'000;
  clock.now = 100;
  open();
  EXPECT_LE(db->next_expiry_ms(), clock.now);
  ASSERT_EQ(write(PutRetained{message("a", "new")}), Status::ok);
  sweeps();
  EXPECT_EQ(db->retained_messages(), 1U);
  EXPECT_EQ(entries(Table::retained), 1U);
  EXPECT_EQ(entries(Table::expiries), 0U);
}

TEST_F(SweepTest, a_message_that_expired_while_the_broker_was_down_goes) {
  ASSERT_EQ(write(PutRetained{message("a", "old", clock.now + 5'000)}), Status::ok);
  clock.wall += 1'000'000'000;
  clock.now = 100;
  open();
  sweeps();
  EXPECT_EQ(db->retained_messages(), 0U);
  EXPECT_EQ(db->retained_bytes(), 0U);
}

}  // namespace
}  // namespace linnet::store

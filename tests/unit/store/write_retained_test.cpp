#include <gtest/gtest.h>

#include "database_fixture.hpp"

namespace linnet::store {
namespace {

using RetainedTest = DatabaseTest;

TEST_F(RetainedTest, the_last_of_several_retained_messages_is_written) {
  ASSERT_EQ(write({unit({request(PutRetained{message("a", "1")})}),
                   unit({request(PutRetained{message("b", "2")})}),
                   unit({request(PutRetained{message("a", "")})}),
                   unit({request(PutRetained{message("a", "333")})})}),
            Status::ok);
  EXPECT_EQ(db->retained_messages(), 2U);
  EXPECT_EQ(entries(Table::retained), 2U);
  ASSERT_EQ(write({unit({request(PutRetained{message("a", "1")})}),
                   unit({request(PutRetained{message("a", "")})}),
                   unit({request(PutRetained{message("never", "there")})}),
                   unit({request(PutRetained{message("never", "")})})}),
            Status::ok);
  EXPECT_EQ(db->retained_messages(), 1U);
  EXPECT_EQ(db->retained_bytes(), owed_bytes(message("b", "2")->view()));
  EXPECT_EQ(entries(Table::retained), 1U);
}

TEST_F(RetainedTest, a_limit_refuses_whole_units_and_never_clearing) {
  options.retained_messages_max = 2;
  open();
  make_sessions(1);
  const auto put = [](const char* topic, const char* payload) {
    return unit({request(PutRetained{message(topic, payload)})});
  };
  Unit too_much = put("c", "3");
  too_much.parts.push_back(request(PutRetained{message("a", "changed")}));
  too_much.parts.push_back(request(message("x", "y"), {owed(1, 1)}));
  ASSERT_EQ(write({put("a", "1"), put("b", "2"), too_much, put("b", "22"), put("a", ""),
                   put("d", "4"), put("e", "5")}),
            Status::ok);
  EXPECT_EQ(outcomes,
            (std::vector{Outcome::committed, Outcome::committed, Outcome::full, Outcome::committed,
                         Outcome::committed, Outcome::committed, Outcome::full}));
  EXPECT_FALSE(has_outgoing(1, 1));
  EXPECT_EQ(db->retained_messages(), 2U);
  EXPECT_EQ(entries(Table::retained), 2U);
  EXPECT_EQ(db->retained_bytes(),
            owed_bytes(message("b", "22")->view()) + owed_bytes(message("d", "4")->view()));
}

TEST_F(RetainedTest, the_limit_of_bytes_counts_the_difference) {
  options.retained_bytes_max = 2'000;
  open();
  const auto put = [this](const std::string& topic, std::size_t bytes) {
    EXPECT_EQ(write(PutRetained{message(topic, std::string(bytes, 'x'))}), Status::ok);
    return outcomes.front();
  };
  EXPECT_EQ(put("a", 1'500), Outcome::committed);
  EXPECT_EQ(put("b", 1'000), Outcome::full);
  EXPECT_EQ(put("a", 1'600), Outcome::committed);
  EXPECT_EQ(put("a", 3'000), Outcome::full);
  EXPECT_EQ(put("a", 500), Outcome::committed);
  EXPECT_EQ(put("b", 1'000), Outcome::committed);
}

TEST_F(RetainedTest, long_topics_are_told_apart_and_replaced) {
  ASSERT_EQ(write(PutRetained{message(long_name('1'), "1")}), Status::ok);
  ASSERT_EQ(write(PutRetained{message(long_name('2'), "2")}), Status::ok);
  EXPECT_EQ(db->retained_messages(), 2U);
  open();
  ASSERT_EQ(write(PutRetained{message(long_name('1'), "one")}), Status::ok);
  EXPECT_EQ(db->retained_messages(), 2U);
  ASSERT_EQ(write(PutRetained{message(long_name('1'), "")}), Status::ok);
  ASSERT_EQ(write(PutRetained{message(long_name('2'), "")}), Status::ok);
  EXPECT_EQ(db->retained_bytes(), 0U);
  EXPECT_EQ(entries(Table::retained), 0U);
}

TEST_F(RetainedTest, names_with_the_same_hash_refuse_the_second_unit_whole) {
  make_sessions(1);
  const HashSeeds seeds = meta().seeds;
  const StoreClock store_clock(clock, {});
  // What the other name would have written under this name's key
  const Key topic = retained_key(long_name('1'), seeds);
  const Key filter = subscription_key(1, long_name('1'), seeds);
  std::string topics_record;
  std::string filters_record;
  write_retained_record(topics_record, topic.bytes(), message(long_name('2'), "2")->view(),
                        store_clock);
  write_record(filters_record, filter.bytes(), subscription(1, long_name('2')));
  Transaction transaction;
  ASSERT_EQ(db->environment().begin_write(transaction), Status::ok);
  ASSERT_EQ(transaction.put(Table::retained, topic.bytes(), topics_record), Status::ok);
  ASSERT_EQ(transaction.put(Table::sessions, filter.bytes(), filters_record), Status::ok);
  ASSERT_EQ(transaction.commit(), Status::ok);

  ASSERT_EQ(write({unit({request(message("x", "y"), {owed(1, 1)}),
                         request(PutRetained{message(long_name('1'), "1")})}),
                   unit({request(message("x", "y"), {owed(1, 2)}),
                         request(subscription(1, long_name('1')))}),
                   unit({request(EraseSubscription{1, long_name('1')})})}),
            Status::ok);
  EXPECT_EQ(outcomes, (std::vector{Outcome::full, Outcome::full, Outcome::committed}));
  EXPECT_EQ(record(Table::retained, topic), topics_record);
  EXPECT_EQ(record(Table::sessions, filter), filters_record);
  EXPECT_EQ(count(1, Kind::outgoing), 0U);
}

TEST_F(RetainedTest, the_index_of_expiries_follows_the_last_value) {
  ASSERT_EQ(write(PutRetained{message("a", "1", clock.now + 5'000)}), Status::ok);
  ASSERT_EQ(write(PutRetained{message("b", "1", clock.now + 9'000)}), Status::ok);
  EXPECT_EQ(db->next_expiry_ms(), clock.now + 5'000);
  ASSERT_EQ(write(PutRetained{message("a", "1", clock.now + 7'000)}), Status::ok);
  EXPECT_EQ(db->next_expiry_ms(), clock.now + 7'000);
  ASSERT_EQ(write(PutRetained{message("a", "1", clock.now + 7'000)}), Status::ok);
  EXPECT_EQ(entries(Table::expiries), 2U);
  ASSERT_EQ(write(PutRetained{message("a", "forever")}), Status::ok);
  EXPECT_EQ(db->next_expiry_ms(), clock.now + 9'000);
  ASSERT_EQ(write(PutRetained{message("b", "")}), Status::ok);
  EXPECT_EQ(db->next_expiry_ms(), kNever);
  EXPECT_EQ(entries(Table::expiries), 0U);
}

}  // namespace
}  // namespace linnet::store

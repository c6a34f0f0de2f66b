#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>

#include "database_fixture.hpp"

namespace linnet::store {
namespace {

using WriteTest = DatabaseTest;

// What a session has

TEST_F(WriteTest, everything_of_a_session_comes_and_goes) {
  make_sessions(2);
  const SessionNumber session = 1;
  ASSERT_EQ(write(PutWill{session, message("will", "gone"), 5, {}}), Status::ok);
  ASSERT_EQ(write(subscription(session, "a/#")), Status::ok);
  ASSERT_EQ(write(subscription(session, long_name('1'))), Status::ok);
  ASSERT_EQ(write(PutReceived{session, 17}), Status::ok);
  ASSERT_EQ(write({unit({request(message("a", "b"), {owed(session, 1, 1)})})}), Status::ok);
  for (const Kind kind :
       {Kind::session, Kind::will, Kind::received, Kind::inflight, Kind::owed, Kind::outgoing}) {
    EXPECT_EQ(count(session, kind), 1U) << static_cast<int>(kind);
  }
  EXPECT_EQ(count(session, Kind::subscription), 2U);
  ASSERT_EQ(write(EraseWill{session}), Status::ok);
  ASSERT_EQ(write(EraseSubscription{session, "a/#"}), Status::ok);
  ASSERT_EQ(write(EraseSubscription{session, long_name('1')}), Status::ok);
  ASSERT_EQ(write(EraseReceived{session, 17}), Status::ok);
  ASSERT_EQ(erase(session, 1, 1), Status::ok);
  for (const Kind kind : {Kind::will, Kind::subscription, Kind::received, Kind::inflight,
                          Kind::owed, Kind::outgoing}) {
    EXPECT_EQ(count(session, kind), 0U) << static_cast<int>(kind);
  }
  ASSERT_EQ(write(EraseSession{session}), Status::ok);
  EXPECT_EQ(entries(Table::sessions), 1U) << "the other session's";
  EXPECT_EQ(entries(Table::doomed), 0U);
}

TEST_F(WriteTest, what_concerns_no_session_is_passed_over) {
  make_sessions(1);
  ASSERT_EQ(write(EraseSession{1}), Status::ok);
  const std::uint64_t before = meta().clock.time_ms;
  clock.now += 1'000;
  ASSERT_EQ(write(PutWill{1, message("will", "gone"), 5, {}}), Status::ok);
  ASSERT_EQ(write(subscription(1, "a/#")), Status::ok);
  ASSERT_EQ(write(PutReceived{1, 17}), Status::ok);
  ASSERT_EQ(write(PutInflight{1, 1, 1, OutgoingState::sent}), Status::ok);
  ASSERT_EQ(write({unit({request(message("a", "b"), {owed(1, 1, 1)})})}), Status::ok);
  ASSERT_EQ(write({unit({request(message("a", "b"), {owed(1, 2), owed(9, 2)})})}), Status::ok);
  ASSERT_EQ(erase(1, 1, 1), Status::ok);
  EXPECT_EQ(entries(Table::sessions), 0U);
  EXPECT_EQ(entries(Table::bodies), 0U);
  EXPECT_EQ(meta().clock.time_ms, before) << "there was nothing to commit";
}

TEST_F(WriteTest, a_session_is_made_before_what_it_is_owed_in_the_same_request) {
  PutSession put;
  put.session = 41;
  put.client_id = long_name('c');
  Request all = request(message("a", "b"), {owed(41, 1)});
  all.changes.emplace_back(put);
  ASSERT_EQ(write({unit({all})}), Status::ok);
  EXPECT_EQ(totals(41).messages, 1U);
  EXPECT_EQ(meta().next_session, 42U);
}

// Outgoing messages and their bodies

TEST_F(WriteTest, a_single_receivers_message_is_inline) {
  make_sessions(1);
  const MessagePtr sent = message("topic", "payload");
  ASSERT_EQ(write({unit({request(sent, {owed(1, 5)})})}), Status::ok);
  EXPECT_EQ(entries(Table::bodies), 0U);
  const Key key = outgoing_key(1, 5);
  const std::string found = record(Table::sessions, key);
  const StoreClock store_clock(clock, {});
  OutgoingRecord outgoing;
  ASSERT_TRUE(read_record(key.bytes(), found, store_clock, outgoing));
  EXPECT_EQ(outgoing.reference.body, 0U);
  EXPECT_EQ(outgoing.message.topic, "topic");
  EXPECT_EQ(outgoing.message.payload, "payload");
  EXPECT_EQ(totals(1).messages, 1U);
  EXPECT_EQ(totals(1).bytes, owed_bytes(sent->view()));
}

TEST_F(WriteTest, a_body_that_three_sessions_share_goes_with_the_last_of_them) {
  make_sessions(3);
  std::vector<SessionNumber> order = {1, 2, 3};
  do {
    const Unit both = unit({request(message("a", "shared"), {owed(1, 1), owed(2, 1)}),
                            request(message("a", "shared"), {owed(3, 1)})});
    ASSERT_EQ(write({both}), Status::ok);
    ASSERT_EQ(entries(Table::bodies), 2U) << "the body and its count";
    ASSERT_EQ(erase(order[0], 1), Status::ok);
    ASSERT_EQ(erase(order[1], 1), Status::ok);
    ASSERT_EQ(erase(order[1], 1), Status::ok) << "twice is once";
    ASSERT_EQ(entries(Table::bodies), 2U);
    EXPECT_EQ(totals(order[2]).messages, 1U);
    EXPECT_EQ(totals(order[2]).bytes, owed_bytes(message("a", "shared")->view()));
    ASSERT_EQ(erase(order[2], 1), Status::ok);
    ASSERT_EQ(entries(Table::bodies), 0U);
    ASSERT_EQ(entries(Table::sessions), 3U);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(WriteTest, all_receivers_may_be_done_within_one_batch) {
  make_sessions(3);
  ASSERT_EQ(write({unit({request(message("a", "b"), {owed(1, 1, 1), owed(2, 1, 1), owed(3, 1)})})},
                  {{3, 1, 0}, {1, 1, 1}, {2, 1, 1}}),
            Status::ok);
  EXPECT_EQ(entries(Table::bodies), 0U);
  EXPECT_EQ(entries(Table::sessions), 3U);
}

TEST_F(WriteTest, what_was_taken_back_is_not_written) {
  make_sessions(3);
  Request part = request(message("a", "b"), {owed(1, 1), owed(2, 1), owed(3, 1)});
  part.outgoing[0].taken_back = true;
  part.outgoing[1].taken_back = true;
  ASSERT_EQ(write({unit({part})}), Status::ok);
  EXPECT_FALSE(has_outgoing(1, 1));
  EXPECT_TRUE(has_outgoing(3, 1));
  EXPECT_EQ(entries(Table::bodies), 0U) << "a single one is left, which is inline";
  part.outgoing[2] = owed(3, 2);
  part.outgoing[2].taken_back = true;
  const std::uint64_t before = meta().clock.time_ms;
  clock.now += 1'000;
  ASSERT_EQ(write({unit({part})}), Status::ok);
  EXPECT_EQ(meta().clock.time_ms, before) << "there was nothing to commit";
}

TEST_F(WriteTest, what_was_given_up_is_not_written) {
  make_sessions(1);
  Unit refused =
      unit({request(message("a", "b"), {owed(1, 1)}), request(PutRetained{message("a", "b")})});
  refused.outcome = Outcome::refused;
  ASSERT_EQ(write({refused, unit({request(message("a", "b"), {owed(1, 2)})})}), Status::ok);
  EXPECT_EQ(outcomes, (std::vector{Outcome::refused, Outcome::committed}));
  EXPECT_FALSE(has_outgoing(1, 1));
  EXPECT_TRUE(has_outgoing(1, 2));
  EXPECT_EQ(db->retained_messages(), 0U);
}

TEST_F(WriteTest, the_inflight_window_moves_on) {
  make_sessions(2);
  ASSERT_EQ(write({unit({request(message("a", "b"), {owed(1, 1), owed(2, 1)})})}), Status::ok);
  EXPECT_EQ(count(1, Kind::inflight), 0U);
  ASSERT_EQ(write(PutInflight{1, 9, 1, OutgoingState::sent}), Status::ok);
  EXPECT_EQ(count(1, Kind::inflight), 1U);
  EXPECT_TRUE(has_outgoing(1, 1));
  ASSERT_EQ(write(PutInflight{1, 9, 1, OutgoingState::released}), Status::ok);
  EXPECT_FALSE(has_outgoing(1, 1));
  EXPECT_EQ(totals(1).messages, 0U);
  const Key key = inflight_key(1, 9);
  InflightRecord inflight;
  ASSERT_TRUE(read_record(key.bytes(), record(Table::sessions, key), inflight));
  EXPECT_EQ(inflight.state, OutgoingState::released);
  EXPECT_EQ(inflight.sequence, 1U);
  ASSERT_EQ(write(PutInflight{1, 9, 1, OutgoingState::released}), Status::ok);
  EXPECT_EQ(count(1, Kind::inflight), 1U);
  ASSERT_EQ(erase(2, 1), Status::ok);
  EXPECT_EQ(entries(Table::bodies), 0U);
  ASSERT_EQ(erase(1, 1, 9), Status::ok);
  EXPECT_EQ(count(1, Kind::inflight), 0U);
}

TEST_F(WriteTest, a_message_that_is_gone_does_not_come_into_the_window) {
  make_sessions(1);
  ASSERT_EQ(write(PutInflight{1, 9, 1, OutgoingState::sent}), Status::ok);
  ASSERT_EQ(write(PutInflight{1, 9, 1, OutgoingState::released}), Status::ok);
  EXPECT_EQ(count(1, Kind::inflight), 0U);
}

// A second time, after a failure whose commit had taken effect

TEST_F(WriteTest, writing_a_batch_again_changes_nothing) {
  make_sessions(4);
  Batch batch;
  batch.units.push_back(unit({request(message("a", "alone"), {owed(1, 1, 1)})}));
  batch.units.push_back(unit({request(message("a", "all"), {owed(1, 2, 2), owed(2, 2)}),
                              request(message("a", "all"), {owed(3, 2)})}));
  batch.units.push_back(unit({request(PutRetained{message("r", "1", clock.now + 1'000)})}));
  batch.units.push_back(unit({request(PutRetained{message("r", "22", clock.now + 2'000)})}));
  batch.units.push_back(unit({request(PutInflight{1, 2, 2, OutgoingState::released})}));
  batch.units.push_back(unit({request(EraseSession{4})}));
  batch.erased = {{3, 2, 0}};
  Batch again = batch;
  ASSERT_EQ(db->write(batch), Status::ok);
  const auto check = [this] {
    EXPECT_EQ(totals(1).messages, 1U);
    EXPECT_EQ(totals(2).messages, 1U);
    EXPECT_EQ(totals(3).messages, 0U);
    EXPECT_EQ(count(1, Kind::inflight), 2U);
    EXPECT_EQ(db->retained_messages(), 1U);
    EXPECT_EQ(db->retained_bytes(), owed_bytes(message("r", "22")->view()));
    EXPECT_EQ(entries(Table::expiries), 1U);
  };
  check();
  std::string error;
  ASSERT_EQ(db->reopen(error), Status::ok) << error;
  ASSERT_EQ(db->write(again), Status::ok);
  check();
  ASSERT_EQ(write({}, {{1, 1, 1}, {1, 2, 2}, {2, 2, 0}}), Status::ok);
  EXPECT_EQ(entries(Table::bodies), 0U) << "no body is left behind";
  EXPECT_EQ(entries(Table::sessions), 3U);
}

TEST_F(WriteTest, the_totals_are_those_of_what_is_there_after_anything) {
  constexpr SessionNumber kSessions = 5;
  make_sessions(kSessions);
  std::mt19937 random(7);
  std::vector<std::uint64_t> next(kSessions + 1, 1);
  for (int round = 0; round < 300; ++round) {
    Batch batch;
    for (std::size_t i = 0; i < 1 + random() % 8; ++i) {
      Request part = request(message("t", std::string(random() % 300, 'p')), {});
      for (SessionNumber session = 1; session <= kSessions; ++session) {
        if (random() % 2 == 0) continue;
        const std::uint64_t sequence = next[session]++;
        part.outgoing.push_back(owed(session, sequence, random() % 2 == 0 ? sequence : 0));
      }
      batch.units.push_back(unit({part}));
    }
    for (std::size_t i = 0; i < random() % 24; ++i) {
      const SessionNumber session = 1 + random() % kSessions;
      const std::uint64_t sequence = 1 + random() % next[session];
      batch.erased.push_back({session, sequence, sequence});
    }
    Batch again = batch;
    ASSERT_EQ(db->write(batch), Status::ok);
    if (round % 10 != 0) continue;
    ASSERT_EQ(db->write(again), Status::ok);
  }
  const StoreClock store_clock(clock, {});
  for (SessionNumber session = 1; session <= kSessions; ++session) {
    OwedTotals sum;
    for (std::uint64_t sequence = 1; sequence < next[session]; ++sequence) {
      const Key key = outgoing_key(session, sequence);
      const std::string found = record(Table::sessions, key);
      if (found.empty()) continue;
      OutgoingRecord outgoing;
      ASSERT_TRUE(read_record(key.bytes(), found, store_clock, outgoing));
      ++sum.messages;
      sum.bytes +=
          outgoing.reference.body == 0 ? owed_bytes(outgoing.message) : outgoing.reference.bytes;
    }
    EXPECT_EQ(totals(session).messages, sum.messages);
    EXPECT_EQ(totals(session).bytes, sum.bytes);
    ASSERT_EQ(write(EraseSession{session}), Status::ok);
  }
  sweep_all();
  EXPECT_EQ(entries(Table::sessions), 0U);
  EXPECT_EQ(entries(Table::bodies), 0U);
}

}  // namespace
}  // namespace linnet::store

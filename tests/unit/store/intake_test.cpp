#include "store/intake.hpp"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "base/cat.hpp"

namespace linnet::store {
namespace {

using namespace std::chrono_literals;

MessagePtr message(std::string_view topic, std::string_view payload) {
  MessageView view;
  view.topic = topic;
  view.payload = payload;
  return Message::make(view);
}

PutOutgoing owed(SessionNumber session, std::uint64_t sequence, std::uint64_t number = 0) {
  PutOutgoing put;
  put.session = session;
  put.sequence = sequence;
  put.number = number;
  put.qos = Qos::at_least_once;
  return put;
}

/// What a test says of a request: its tickets are the names of the tests' requests, too.
struct Asked {
  std::uint32_t shard = 0;
  Ticket ticket = 0;
  UnitId unit = 0;
};

Request outgoing(const Asked& asked, std::uint64_t sequence, std::size_t sessions = 1) {
  Request request;
  request.shard = asked.shard;
  request.ticket = asked.ticket;
  request.unit = asked.unit;
  request.message = message("t", "payload");
  for (SessionNumber session = 1; session <= sessions; ++session)
    request.outgoing.push_back(owed(session, sequence));
  return request;
}

Request retained(const Asked& asked, std::string_view topic, std::string_view payload) {
  Request request;
  request.shard = asked.shard;
  request.ticket = asked.ticket;
  request.unit = asked.unit;
  request.changes.emplace_back(PutRetained{message(topic, payload)});
  return request;
}

Seal seal(UnitId unit, std::uint32_t parts, Ticket ticket, bool give_up = false) {
  Seal seal;
  seal.ticket = ticket;
  seal.unit = unit;
  seal.parts = parts;
  seal.give_up = give_up;
  return seal;
}

class Sink final : public AnswerSink {
 public:
  void answer(std::uint32_t shard, std::span<const Answer> answers) override {
    for (const Answer& one : answers) {
      constexpr const char* kOutcomes[] = {"committed", "full", "refused", "accepted"};
      said.push_back(cat(shard, ":", one.ticket, " ", kOutcomes[static_cast<int>(one.outcome)]));
    }
  }
  void has_room_again() override { ++room_again; }

  std::vector<std::string> said;
  int room_again = 0;
};

using List = std::vector<std::string>;

/// A batch in words: its units as their parts' tickets and what they set, then the erasures.
List words(const Batch& batch) {
  List list;
  for (const Unit& unit : batch.units) {
    std::string text = unit.outcome == Outcome::refused ? "refused" : "";
    for (const Request& part : unit.parts) {
      text += cat(text.empty() ? "" : " ", part.shard, ":", part.ticket);
      for (const Change& change : part.changes) {
        const auto& put = std::get<PutRetained>(change);
        text += cat("(", put.message->topic(), "=", put.message->payload(), ")");
      }
      for (const PutOutgoing& put : part.outgoing) {
        if (put.taken_back) text += cat("-", put.session);
      }
    }
    list.push_back(std::move(text));
  }
  for (const EraseOutgoing& erase : batch.erased)
    list.push_back(cat("erase ", erase.session, "/", erase.sequence));
  return list;
}

class IntakeTest : public testing::Test {
 protected:
  /// Submits, and returns the request's number.
  std::uint64_t submit(Request request) {
    const std::uint64_t number = intake.next_request(request.shard);
    intake.submit(std::move(request));
    return number;
  }
  List take(const Intake::TakeLimits& limits = {}) {
    const Batch batch = intake.take(limits);
    answer(sink, batch);
    return words(batch);
  }
  void acknowledged(std::uint32_t shard, SessionNumber session, std::uint64_t sequence,
                    std::uint64_t request) {
    intake.erase_outgoing(shard, {session, sequence, 0},
                          {request, static_cast<std::uint32_t>(session - 1)});
  }
  bool is_idle() {
    return intake.wait(1h, std::chrono::steady_clock::now()) == Intake::Woken::timeout;
  }

  Sink sink;
  Intake intake{3, {.requests_max = 1000, .bytes_max = 1 << 20}, sink};
};

TEST_F(IntakeTest, takes_each_lane_in_order_and_answers_by_shard) {
  EXPECT_EQ(submit(outgoing({0, 1}, 1)), 1U);
  EXPECT_EQ(submit(outgoing({0, 2}, 2)), 2U);
  EXPECT_EQ(submit(outgoing({1, 3}, 1)), 1U);
  EXPECT_EQ(submit(outgoing({0, 0}, 3)), 3U);
  EXPECT_EQ(take(), (List{"0:1", "0:2", "0:0", "1:3"}));
  EXPECT_EQ(sink.said, (List{"0:1 committed", "0:2 committed", "1:3 committed"}));
  EXPECT_EQ(take(), List{});
}

TEST_F(IntakeTest, takes_a_unit_once_all_of_it_is_there) {
  submit(outgoing({0, 1, 7}, 1));
  submit(outgoing({0, 2}, 2));
  EXPECT_EQ(take(), (List{"0:2"}));
  intake.submit(seal(7, 2, 9));
  EXPECT_EQ(take(), List{});
  submit(outgoing({1, 3, 7}, 1));
  EXPECT_EQ(take(), (List{"0:1 1:3"}));
  EXPECT_EQ(sink.said, (List{"0:2 committed", "0:1 committed", "0:9 committed", "1:3 committed"}));
}

TEST_F(IntakeTest, takes_a_unit_whose_seal_comes_first_in_between_or_last) {
  intake.submit(seal(1, 2, 0));
  submit(outgoing({0, 11, 1}, 1));
  submit(outgoing({1, 12, 1}, 1));
  submit(outgoing({0, 21, 2}, 1));
  intake.submit(seal(2, 2, 0));
  submit(outgoing({1, 22, 2}, 1));
  submit(outgoing({0, 31, 3}, 1));
  submit(outgoing({1, 32, 3}, 1));
  intake.submit(seal(3, 2, 0));
  EXPECT_EQ(take(), (List{"0:11 1:12", "0:21 1:22", "0:31 1:32"}));
  submit(outgoing({0, 41, 4}, 1));
  submit(outgoing({2, 42, 4}, 1));
  EXPECT_EQ(take(), List{});
  intake.submit(seal(4, 2, 0));  // after the writer has come to all parts
  EXPECT_EQ(take(), (List{"0:41 2:42"}));
  EXPECT_EQ(take(), List{});
}

TEST_F(IntakeTest, a_unit_stands_behind_what_came_before_any_of_its_parts) {
  submit(outgoing({0, 1, 7}, 1));
  submit(outgoing({1, 2}, 1));
  submit(outgoing({1, 3, 7}, 2));
  intake.submit(seal(7, 2, 0));
  submit(outgoing({0, 4}, 2));
  const List taken = take();
  EXPECT_EQ(taken, (List{"0:4", "1:2", "0:1 1:3"}));
}

TEST_F(IntakeTest, a_unit_that_is_given_up_is_refused) {
  submit(outgoing({0, 1, 7}, 1));
  intake.submit(seal(7, 2, 9, true));
  EXPECT_EQ(take(), List{});
  submit(outgoing({1, 2, 7}, 1));
  EXPECT_EQ(take(), (List{"refused 0:1 1:2"}));
  EXPECT_EQ(sink.said, (List{"0:1 refused", "0:9 refused", "1:2 refused"}));
  intake.submit(seal(8, 0, 10, true));
  intake.submit(seal(9, 0, 11));
  EXPECT_EQ((List{sink.said.end() - 2, sink.said.end()}), (List{"0:10 refused", "0:11 committed"}));
  EXPECT_EQ(take(), List{});
}

TEST_F(IntakeTest, takes_no_more_than_it_may_and_a_large_unit_alone) {
  for (Ticket ticket = 1; ticket <= 5; ++ticket)
    submit(outgoing({0, ticket}, ticket));
  const std::size_t one = bytes_of(outgoing({0, 1}, 1));
  EXPECT_EQ(take({.bytes_max = 2 * one}), (List{"0:1", "0:2"}));
  EXPECT_EQ(intake.wait(1h, {}), Intake::Woken::work) << "something is left";
  EXPECT_EQ(take({.bytes_max = 1}), (List{"0:3"}));
  EXPECT_EQ(take({.units_max = 1}), (List{"0:4"}));
  submit(outgoing({1, 6, 7}, 6));
  intake.submit(seal(7, 1, 0));
  EXPECT_EQ(take({.bytes_max = one + 1}), (List{"0:5"}));
  EXPECT_EQ(take({.bytes_max = one + 1}), (List{"1:6"}));
}

TEST_F(IntakeTest, takes_all_lanes_in_turn_if_there_is_much) {
  for (Ticket ticket = 1; ticket <= 300; ++ticket) {
    submit(outgoing({0, ticket}, ticket));
    submit(outgoing({1, ticket}, ticket));
  }
  const Batch batch = intake.take({.units_max = 512});
  ASSERT_EQ(batch.units.size(), 512U);
  EXPECT_EQ(batch.units[255].parts[0].shard, 0U);
  EXPECT_EQ(batch.units[256].parts[0].shard, 1U);
  EXPECT_EQ(intake.take({}).units.size(), 88U);
}

TEST_F(IntakeTest, takes_the_units_of_one_shard) {
  submit(outgoing({0, 1}, 1));
  submit(outgoing({1, 2}, 1));
  submit(outgoing({1, 3, 7}, 2));  // the unit begins here
  submit(outgoing({0, 4, 7}, 2));
  submit(outgoing({0, 5, 8}, 3));  // and this one in the other lane
  submit(outgoing({1, 6, 8}, 3));
  intake.submit(seal(7, 2, 0));
  intake.submit(seal(8, 2, 0));
  EXPECT_EQ(take({.shard = 2}), List{});
  EXPECT_EQ(take({.shard = 1}), (List{"1:2", "1:3 0:4"}));
  EXPECT_EQ(take({.shard = 0}), (List{"0:1", "0:5 1:6"}));
  EXPECT_EQ(take(), List{});
}

TEST_F(IntakeTest, what_was_taken_back_is_never_written) {
  const auto number = submit(outgoing({0, 1}, 5));
  submit(outgoing({0, 2}, 6));
  acknowledged(0, 1, 5, number);
  EXPECT_EQ(sink.said, (List{"0:1 committed"})) << "at once";
  EXPECT_EQ(intake.taken_back(), 1U);
  EXPECT_EQ(take(), (List{"0:2"}));
  EXPECT_EQ(take(), List{});
}

TEST_F(IntakeTest, what_is_left_of_a_request_is_written) {
  const auto first = submit(outgoing({0, 1}, 5, 3));
  acknowledged(0, 2, 5, first);
  Request both = outgoing({0, 2}, 6);
  both.changes.emplace_back(PutRetained{message("t", "v")});
  const auto second = submit(std::move(both));
  acknowledged(0, 1, 6, second);
  EXPECT_EQ(sink.said, List{});
  EXPECT_EQ(take(), (List{"0:1-2", "0:2(t=v)-1"}));
}

TEST_F(IntakeTest, what_the_writer_has_is_erased) {
  const auto number = submit(outgoing({0, 1}, 5));
  EXPECT_EQ(take(), (List{"0:1"}));
  acknowledged(0, 1, 5, number);
  intake.erase_outgoing(0, {3, 9, 0}, {});
  EXPECT_EQ(intake.taken_back(), 0U);
  EXPECT_EQ(take(), (List{"erase 1/5", "erase 3/9"}));
}

TEST_F(IntakeTest, an_erasure_stays_behind_what_came_before_it) {
  submit(outgoing({0, 1}, 5));
  submit(outgoing({0, 2}, 6));
  intake.erase_outgoing(0, {3, 9, 0}, {});
  submit(outgoing({0, 3}, 7));
  EXPECT_EQ(take({.units_max = 1}), (List{"0:1"}));
  EXPECT_EQ(take({.units_max = 1}), (List{"0:2", "erase 3/9"}));
}

TEST_F(IntakeTest, a_place_in_the_window_that_came_later_is_erased) {
  const auto first = submit(outgoing({0, 1}, 5));
  Request moved;
  moved.changes.emplace_back(PutInflight{1, 8, 5, OutgoingState::sent});
  intake.submit(std::move(moved));
  intake.erase_outgoing(0, {1, 5, 8}, {first, 0});
  Request at_once;
  at_once.message = message("t", "payload");
  at_once.outgoing.push_back(owed(1, 6, 9));
  const auto second = submit(std::move(at_once));
  intake.erase_outgoing(0, {1, 6, 9}, {second, 0});
  const Batch batch = intake.take({});
  ASSERT_EQ(batch.units.size(), 1U);
  ASSERT_EQ(batch.erased.size(), 1U);
  EXPECT_EQ(batch.erased[0].number, 8U);
  EXPECT_EQ(intake.taken_back(), 2U);
}

TEST_F(IntakeTest, a_unit_of_which_nothing_is_left_is_answered_at_once) {
  const auto first = submit(outgoing({0, 1, 7}, 5));
  const auto second = submit(outgoing({1, 2, 7}, 5));
  acknowledged(0, 1, 5, first);
  EXPECT_EQ(sink.said, (List{"0:1 committed"}));
  intake.submit(seal(7, 2, 9));
  EXPECT_EQ(sink.said.size(), 1U);
  acknowledged(1, 1, 5, second);
  EXPECT_EQ(sink.said, (List{"0:1 committed", "1:2 committed", "0:9 committed"}));
  EXPECT_EQ(take(), List{});
}

TEST_F(IntakeTest, a_unit_can_be_empty_before_its_seal) {
  const auto first = submit(outgoing({0, 0, 7}, 5));
  acknowledged(0, 1, 5, first);
  EXPECT_EQ(take(), List{});
  intake.submit(seal(7, 1, 9));
  EXPECT_EQ(sink.said, (List{"0:9 committed"}));
}

TEST_F(IntakeTest, a_part_that_was_passed_over_can_be_taken_back) {
  const auto first = submit(outgoing({0, 1, 7}, 5));
  const auto second = submit(outgoing({1, 2, 7}, 5));
  EXPECT_EQ(take(), List{});
  acknowledged(0, 1, 5, first);
  intake.submit(seal(7, 2, 9));
  EXPECT_EQ(take(), (List{"1:2"}));
  EXPECT_EQ(sink.said, (List{"0:1 committed", "0:9 committed", "1:2 committed"}));
  acknowledged(1, 1, 5, second);
  EXPECT_EQ(take(), (List{"erase 1/5"}));
}

TEST_F(IntakeTest, taking_back_the_part_that_held_a_unit_up_makes_it_ready) {
  submit(outgoing({0, 1, 7}, 5));
  EXPECT_EQ(take(), List{});
  const auto second = submit(outgoing({1, 2, 7}, 5));
  intake.submit(seal(7, 2, 9));
  acknowledged(1, 1, 5, second);
  intake.end_turn(0);
  EXPECT_FALSE(is_idle());
  EXPECT_EQ(take(), (List{"0:1"}));
}

TEST_F(IntakeTest, the_later_retained_message_wins_over_a_unit_that_was_passed_over) {
  submit(retained({0, 1, 7}, "a", "old"));
  submit(retained({0, 2}, "a", "new"));
  submit(retained({0, 3}, "b", "x"));
  submit(retained({1, 4}, "a", "of another shard"));
  EXPECT_EQ(take(), (List{"0:2(a=new)", "0:3(b=x)", "1:4(a=of another shard)"}));
  intake.submit(seal(7, 1, 0));
  EXPECT_EQ(take(), (List{"0:1"})) << "outdated";
  submit(retained({0, 5}, "a", "newer"));
  EXPECT_EQ(take(), (List{"0:5(a=newer)"}));
}

TEST_F(IntakeTest, a_unit_that_was_passed_over_may_still_be_the_latest) {
  submit(retained({0, 1, 7}, "a", "first"));
  submit(retained({0, 2, 8}, "a", "second"));
  submit(retained({0, 3, 9}, "a", "given up"));
  EXPECT_EQ(take(), List{});
  intake.submit(seal(9, 1, 0, true));
  EXPECT_EQ(take(), (List{"refused 0:3(a=given up)"}));
  intake.submit(seal(8, 1, 0));
  intake.submit(seal(7, 1, 0));
  EXPECT_EQ(take(), (List{"0:2(a=second)", "0:1"}));
}

TEST_F(IntakeTest, the_later_retained_message_wins_if_one_shard_is_taken) {
  submit(outgoing({1, 1, 7}, 1));
  submit(retained({0, 2}, "a", "old"));
  submit(retained({0, 3, 7}, "a", "new"));
  intake.submit(seal(7, 2, 0));
  EXPECT_EQ(take({.shard = 1}), (List{"1:1 0:3(a=new)"}));
  EXPECT_EQ(take({.shard = 0}), (List{"0:2"}));
}

TEST_F(IntakeTest, the_writer_is_woken_by_the_end_of_a_turn) {
  EXPECT_TRUE(is_idle());
  intake.end_turn(0);
  EXPECT_TRUE(is_idle()) << "nothing was submitted";
  submit(outgoing({0, 1}, 1));
  EXPECT_TRUE(is_idle());
  intake.end_turn(0);
  EXPECT_EQ(intake.wait(1h, {}), Intake::Woken::work);
  EXPECT_EQ(take(), (List{"0:1"}));
  EXPECT_TRUE(is_idle());
}

TEST_F(IntakeTest, an_incomplete_unit_wakes_nobody) {
  submit(outgoing({0, 1, 7}, 1));
  intake.end_turn(0);
  EXPECT_TRUE(is_idle());
  intake.submit(seal(7, 1, 0));
  intake.end_turn(0);
  EXPECT_FALSE(is_idle());
}

TEST_F(IntakeTest, what_nobody_waits_for_waits_for_company) {
  intake.erase_outgoing(0, {1, 1, 0}, {});
  intake.end_turn(0);
  EXPECT_TRUE(is_idle());
  EXPECT_EQ(intake.wait(1ms, {}), Intake::Woken::work);
  EXPECT_EQ(take(), (List{"erase 1/1"}));
  for (int i = 0; i < 251; ++i)
    intake.erase_outgoing(0, {1, 2, 0}, {});
  intake.end_turn(0);
  EXPECT_FALSE(is_idle()) << "a lot of it does not";
}

TEST_F(IntakeTest, an_interrupt_and_a_stop_end_the_waiting) {
  intake.interrupt();
  EXPECT_EQ(intake.wait(1h, {}), Intake::Woken::timeout);
  EXPECT_TRUE(is_idle());
  submit(outgoing({0, 1}, 1));
  intake.stop();
  EXPECT_EQ(intake.wait(1h, {}), Intake::Woken::work);
  EXPECT_EQ(take(), (List{"0:1"}));
  EXPECT_EQ(intake.wait(1h, {}), Intake::Woken::work);
  EXPECT_EQ(take(), List{});
  EXPECT_EQ(intake.wait(1h, {}), Intake::Woken::stopped);
  EXPECT_EQ(intake.sleep(std::chrono::steady_clock::now() + 1h), Intake::Woken::stopped);
}

TEST_F(IntakeTest, says_once_that_there_is_room_again) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(intake.has_room());
    submit(outgoing({static_cast<std::uint32_t>(i % 3), 0}, 1));
  }
  EXPECT_FALSE(intake.has_room());
  EXPECT_FALSE(intake.has_room());
  take({.units_max = 400});
  EXPECT_TRUE(intake.has_room());
  EXPECT_EQ(sink.room_again, 0) << "not before half of it is free";
  take({.units_max = 100});
  EXPECT_EQ(sink.room_again, 1);
  take();
  EXPECT_EQ(sink.room_again, 1);
}

TEST_F(IntakeTest, room_is_counted_in_bytes_and_made_by_taking_back_too) {
  Request large = outgoing({0, 0}, 1);
  large.message = message("t", std::string(2 << 20, 'x'));
  const auto number = submit(std::move(large));
  EXPECT_FALSE(intake.has_room());
  acknowledged(0, 1, 1, number);
  EXPECT_EQ(sink.room_again, 1);
  EXPECT_TRUE(intake.has_room());
}

}  // namespace
}  // namespace linnet::store

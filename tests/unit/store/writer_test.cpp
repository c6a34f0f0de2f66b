#include "store/writer.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "store/batch.hpp"

namespace linnet::store {
namespace {

using namespace std::chrono_literals;
using List = std::vector<std::string>;

/// What several threads watch, and a test waits for.
class Watched {
 public:
  template <class Change>
  void change(Change&& change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }
  template <class Done>
  [[nodiscard]] bool wait(Done&& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, done);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

class Sink final : public AnswerSink {
 public:
  void answer(std::uint32_t, std::span<const Answer> answers) override {
    watched.change([&] {
      for (const Answer& one : answers) {
        constexpr const char* kOutcomes[] = {"committed", "full", "refused", "accepted"};
        said.push_back(cat(one.ticket, " ", kOutcomes[static_cast<int>(one.outcome)]));
      }
      accepted_then = accepts && accepts();
    });
  }
  void has_room_again() override {
    watched.change([&] { ++room_again; });
  }
  /// True once this has been said.
  [[nodiscard]] bool hears(std::string text) {
    return watched.wait([&] { return std::count(said.begin(), said.end(), text) > 0; });
  }
  [[nodiscard]] bool hears_of_room() {
    return watched.wait([&] { return room_again > 0; });
  }

  Watched watched;
  List said;
  int room_again = 0;
  std::function<bool()> accepts;  // asked at each answer
  bool accepted_then = false;
};

/// A database that does what a test tells it to.
class FakeTarget final : public WriterTarget {
 public:
  Status write(Batch& batch) override {
    std::string text;
    Growth growth = Growth::shrinks;
    for (const Unit& unit : batch.units) {
      text += cat(text.empty() ? "" : " ", unit.parts.empty() ? 0 : unit.parts[0].ticket);
      growth = std::max(growth, growth_of(unit, 100));
    }
    for (const EraseOutgoing& erase : batch.erased)
      text += cat(text.empty() ? "" : " ", "-", erase.sequence);
    Status status = Status::ok;
    watched.change([&] { ++entered; });
    EXPECT_TRUE(watched.wait([&] {
      if (closed) return false;
      if (!statuses.empty()) {
        status = statuses.front();
        if (statuses.size() > 1 || status == Status::ok) statuses.pop_front();
      }
      if (growth >= too_much) status = Status::no_space;
      return true;
    }));
    if (status == Status::ok) watched.change([&] { written.push_back(text); });
    return status;
  }
  Status sweep(bool& more) override {
    watched.change([&] {
      ++sweeps;
      more = to_sweep > 0;
      to_sweep -= more ? 1 : 0;
    });
    return Status::ok;
  }
  std::uint64_t next_expiry_ms() override { return kNever; }
  Status reopen(std::string& error) override {
    error = "reopened";
    watched.change([&] { ++reopened; });
    return Status::ok;
  }
  Status look_for_room() override {
    Status status = Status::ok;
    watched.change([&] { status = has_room ? Status::ok : Status::no_space; });
    return status;
  }
  std::string describe(Status) override { return "it is broken"; }
  SpaceFigures space() override { return {100, 50, 40, 10}; }

  void fails_with(std::deque<Status> next) {
    watched.change([&] { statuses = std::move(next); });
  }
  void refuses(Growth growth) {
    watched.change([&] {
      too_much = growth;
      has_room = growth > Growth::grows;
    });
  }

  Watched watched;
  bool closed = false;          // write() waits
  std::deque<Status> statuses;  // of the next writes; the last one stays, unless it is ok
  Growth too_much = kNothing;   // write() has no space for a batch with it
  static constexpr auto kNothing = static_cast<Growth>(3);
  bool has_room = true;
  int entered = 0;
  int reopened = 0;
  int sweeps = 0;
  int to_sweep = 0;
  List written;
};

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    log::set_level(log::Level::off);
    options.lazy = 1ms;
    options.retry_first = 1ms;
    options.retry_max = 4ms;
    options.refuse_after = 1h;
    options.look_again = 1ms;
    options.next_session = 100;
  }
  ~WriterTest() override { log::set_level(log::Level::info); }

  void start() {
    writer = std::make_unique<Writer>(options, clock, intake, target, sink);
    writer->start();
  }
  void submits(Request request) {
    intake.submit(std::move(request));
    intake.end_turn(0);
  }
  void owes(Ticket ticket) {
    Request request;
    request.ticket = ticket;
    MessageView view;
    view.topic = "t";
    request.message = Message::make(view);
    request.outgoing.emplace_back().sequence = ticket;
    submits(std::move(request));
  }
  void changes(Ticket ticket, Change change) {
    Request request;
    request.ticket = ticket;
    request.changes.push_back(std::move(change));
    submits(std::move(request));
  }
  void erases(std::uint64_t sequence) {
    intake.erase_outgoing(0, {1, sequence, 0}, {});
    intake.end_turn(0);
  }
  List written() {
    List list;
    target.watched.change([&] { list = target.written; });
    return list;
  }
  /// True once all of it has been written, in whatever batches.
  bool writes(const std::string& text) {
    return target.watched.wait([&] {
      std::string all;
      for (const std::string& batch : target.written)
        all += cat(all.empty() ? "" : " ", batch);
      return all == text;
    });
  }

  WriterOptions options;
  SystemClock clock;
  Sink sink;
  FakeTarget target;
  Intake intake{1, {}, sink};
  std::unique_ptr<Writer> writer;
};

TEST_F(WriterTest, what_comes_during_a_commit_goes_together_into_the_next) {
  target.closed = true;
  start();
  owes(1);
  ASSERT_TRUE(target.watched.wait([&] { return target.entered == 1; }));
  owes(2);
  erases(9);
  owes(3);
  target.watched.change([&] { target.closed = false; });
  EXPECT_TRUE(sink.hears("3 committed"));
  EXPECT_EQ(written(), (List{"1", "2 3 -9"}));
  EXPECT_EQ(sink.said, (List{"1 committed", "2 committed", "3 committed"}));
}

TEST_F(WriterTest, nothing_is_answered_before_its_commit) {
  target.closed = true;
  start();
  owes(1);
  ASSERT_TRUE(target.watched.wait([&] { return target.entered == 1; }));
  sink.watched.change([&] { EXPECT_EQ(sink.said, List{}); });
  target.watched.change([&] { target.closed = false; });
  EXPECT_TRUE(sink.hears("1 committed"));
}

TEST_F(WriterTest, what_nobody_waits_for_is_written_too) {
  start();
  erases(5);
  EXPECT_TRUE(writes("-5"));
}

TEST_F(WriterTest, a_unit_that_was_given_up_is_not_written) {
  start();
  Seal seal;
  seal.unit = 7;
  seal.parts = 1;
  seal.ticket = 2;
  seal.give_up = true;
  Request part;
  part.unit = 7;
  part.ticket = 1;
  intake.submit(seal);
  submits(std::move(part));
  EXPECT_TRUE(sink.hears("2 refused"));
  EXPECT_EQ(written(), List{});
}

TEST_F(WriterTest, a_stop_writes_what_is_left) {
  owes(1);
  erases(5);
  start();
  owes(2);
  erases(6);
  writer->stop();
  writer->stop();
  EXPECT_EQ(sink.said, (List{"1 committed", "2 committed"}));
  StoreFigures figures;
  writer->report(figures);
  EXPECT_EQ(figures.outgoing_saved, 2U);
  EXPECT_EQ(figures.commits, written().size());
  EXPECT_EQ(figures.file_bytes, 50U);
  EXPECT_EQ(figures.used_bytes, 30U);
  EXPECT_EQ(figures.alarm, "");
}

TEST_F(WriterTest, without_room_only_what_adds_is_refused) {
  target.refuses(Growth::grows);
  start();
  target.watched.change([&] { target.closed = true; });
  changes(9, EraseWill{});
  ASSERT_TRUE(target.watched.wait([&] { return target.entered == 1; }));
  owes(1);
  changes(2, EraseSession{3});
  changes(3, PutSession{100, "new"});
  changes(4, PutSession{99, "known"});
  changes(5, PutSubscription{99, "f"});
  erases(7);
  EXPECT_TRUE(writer->accepts());
  target.watched.change([&] { target.closed = false; });
  EXPECT_TRUE(sink.hears("4 committed"));
  EXPECT_EQ(written(), (List{"9", "2 4 -7"}));
  EXPECT_EQ(sink.said,
            (List{"9 committed", "1 full", "3 full", "5 full", "2 committed", "4 committed"}));
  EXPECT_FALSE(writer->accepts());
  StoreFigures figures;
  writer->report(figures);
  EXPECT_EQ(figures.alarm, "it is broken");
}

TEST_F(WriterTest, while_there_is_no_room_nothing_that_adds_is_tried) {
  target.refuses(Growth::grows);
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 full"));
  owes(2);
  EXPECT_TRUE(sink.hears("2 full"));
  EXPECT_EQ(target.entered, 1);
}

TEST_F(WriterTest, service_comes_back_once_there_is_room) {
  target.refuses(Growth::grows);
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 full"));
  target.refuses(FakeTarget::kNothing);
  EXPECT_TRUE(sink.hears_of_room());
  EXPECT_TRUE(writer->accepts());
  owes(2);
  EXPECT_TRUE(sink.hears("2 committed"));
  StoreFigures figures;
  writer->report(figures);
  EXPECT_EQ(figures.alarm, "");
}

TEST_F(WriterTest, what_changes_little_is_refused_if_it_does_not_fit_either) {
  target.refuses(Growth::moves);
  start();
  changes(1, PutSession{99, "known"});
  EXPECT_TRUE(sink.hears("1 full"));
  changes(2, EraseSession{99});
  EXPECT_TRUE(sink.hears("2 committed"));
}

TEST_F(WriterTest, an_erasure_that_finds_no_room_is_kept) {
  target.refuses(Growth::shrinks);
  start();
  changes(1, EraseSession{99});
  erases(5);
  ASSERT_TRUE(target.watched.wait([&] { return target.entered > 6; })) << "it tries again";
  target.refuses(Growth::grows);
  EXPECT_TRUE(sink.hears("1 committed"));
  EXPECT_TRUE(writes("1 -5"));
}

TEST_F(WriterTest, after_an_error_the_same_is_written_again) {
  target.fails_with({Status::failed, Status::failed, Status::ok});
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 committed"));
  EXPECT_TRUE(sink.hears_of_room());
  EXPECT_EQ(written(), (List{"1"}));
  EXPECT_EQ(target.reopened, 2);
  EXPECT_TRUE(writer->accepts());
  owes(2);
  EXPECT_TRUE(sink.hears("2 committed"));
}

TEST_F(WriterTest, who_is_answered_after_an_error_may_come_with_more_at_once) {
  target.fails_with({Status::failed, Status::ok});
  sink.accepts = [this] { return writer->accepts(); };
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 committed"));
  EXPECT_TRUE(sink.accepted_then);
}

TEST_F(WriterTest, nobody_waits_for_a_failing_disk_for_ever) {
  options.refuse_after = 1ms;
  target.fails_with({Status::failed});
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 full"));
  EXPECT_FALSE(writer->accepts());
  erases(5);
  owes(2);
  EXPECT_TRUE(sink.hears("2 full"));
  EXPECT_FALSE(writer->run([] {}));
  target.fails_with({Status::ok});
  // First for those who read, then for those who write.
  while (!writer->accepts())
    ASSERT_TRUE(sink.hears_of_room());
  owes(3);
  EXPECT_TRUE(sink.hears("3 committed"));
  EXPECT_EQ(written(), (List{"-5", "3"}));
}

TEST_F(WriterTest, a_disk_may_be_full_after_it_has_failed) {
  target.fails_with({Status::failed, Status::no_space, Status::ok});
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 full"));
  // First for those who read, then for those who write.
  while (!writer->accepts())
    ASSERT_TRUE(sink.hears_of_room());
  owes(2);
  EXPECT_TRUE(sink.hears("2 committed"));
}

TEST_F(WriterTest, a_disk_that_fails_at_the_end_is_told_of) {
  target.fails_with({Status::failed});
  start();
  owes(1);
  ASSERT_TRUE(target.watched.wait([&] { return target.reopened > 0; }));
  owes(2);
  writer->stop();
  EXPECT_EQ(sink.said, (List{"1 full", "2 full"}));
}

TEST_F(WriterTest, a_damaged_store_refuses_everything) {
  target.fails_with({Status::damaged});
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 full"));
  EXPECT_FALSE(writer->accepts());
  changes(2, EraseSession{1});
  EXPECT_TRUE(sink.hears("2 full"));
  EXPECT_EQ(target.entered, 1);
  EXPECT_EQ(target.reopened, 0);
  EXPECT_FALSE(writer->run([] {}));
  writer->stop();
}

TEST_F(WriterTest, in_intervals_the_answer_comes_before_the_commit) {
  options.durability = Durability::interval;
  options.interval = 1h;
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 accepted"));
  owes(2);
  EXPECT_TRUE(sink.hears("2 accepted"));
  EXPECT_EQ(written(), List{});
  writer->stop();
  EXPECT_EQ(written(), (List{"1 2"}));
  EXPECT_EQ(sink.said, (List{"1 accepted", "2 accepted", "1 committed", "2 committed"}));
}

TEST_F(WriterTest, an_interval_ends_by_itself_or_when_much_is_waiting) {
  options.durability = Durability::interval;
  options.interval = 1ms;
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 committed"));
  writer->stop();
}

TEST_F(WriterTest, much_ends_an_interval) {
  options.durability = Durability::interval;
  options.interval = 1h;
  options.commit_bytes_max = 1'000;
  start();
  for (Ticket ticket = 1; ticket <= 6; ++ticket)
    owes(ticket);
  EXPECT_TRUE(sink.hears("4 committed"));
}

TEST_F(WriterTest, what_was_accepted_can_still_be_refused) {
  options.durability = Durability::interval;
  options.interval = 1ms;
  target.refuses(Growth::grows);
  start();
  owes(1);
  EXPECT_TRUE(sink.hears("1 full"));
  EXPECT_EQ(sink.said, (List{"1 accepted", "1 full"}));
  owes(2);
  EXPECT_TRUE(sink.hears("2 full"));
  EXPECT_EQ(sink.said.size(), 3U) << "not accepted any more";
}

TEST_F(WriterTest, sweeps_until_nothing_is_left) {
  target.to_sweep = 3;
  start();
  EXPECT_TRUE(target.watched.wait([&] { return target.sweeps == 4; }));
}

TEST_F(WriterTest, runs_a_job_between_transactions) {
  EXPECT_EQ(writer, nullptr);
  start();
  std::thread::id where;
  EXPECT_TRUE(writer->run([&] { where = std::this_thread::get_id(); }));
  EXPECT_NE(where, std::this_thread::get_id());
  EXPECT_NE(where, std::thread::id());
  writer->stop();
  EXPECT_FALSE(writer->run([] {}));
}

}  // namespace
}  // namespace linnet::store

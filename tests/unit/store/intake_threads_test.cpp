// The intake with real threads; for the thread sanitizer, too.

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "store/intake.hpp"

namespace linnet::store {
namespace {

Request outgoing(std::uint32_t shard, std::uint64_t sequence, UnitId unit) {
  Request request;
  request.shard = shard;
  request.ticket = sequence;
  request.unit = unit;
  MessageView view;
  view.topic = "t";
  request.message = Message::make(view);
  PutOutgoing& put = request.outgoing.emplace_back();
  put.session = 1;
  put.sequence = sequence;
  return request;
}

/// Shards that submit and acknowledge some of it. They either share units, or stop when there is no
/// room until they are told that there is.
class Crowd final : public AnswerSink {
 public:
  static constexpr std::uint32_t kShards = 3;
  static constexpr std::uint64_t kRequests = 6'000;

  explicit Crowd(bool shares_units) : shares_units_(shares_units) {}

  void answer(std::uint32_t, std::span<const Answer> answers) override {
    answered += answers.size();
  }
  void has_room_again() override {
    ++room_again;
    room_again.notify_all();
  }
  void run() {
    std::thread writer([this] { write(); });
    std::vector<std::thread> shards;
    for (std::uint32_t shard = 0; shard < kShards; ++shard)
      shards.emplace_back([this, shard] { work(shard); });
    for (std::thread& shard : shards)
      shard.join();
    intake.stop();
    writer.join();
  }

  Intake intake{kShards, {.requests_max = 64, .bytes_max = 1 << 20}, *this};
  std::atomic<std::uint64_t> answered{0};
  std::atomic<unsigned> room_again{0};
  std::uint64_t written = 0;
  std::uint64_t erased = 0;

 private:
  void work(std::uint32_t shard) {
    for (std::uint64_t at = 1; at <= kRequests; ++at) {
      const UnitId unit = shares_units_ && at % 3 == 0 ? at : 0;
      const std::uint64_t number = intake.next_request(shard);
      intake.submit(outgoing(shard, at, unit));
      if (unit != 0 && shard == 0) intake.submit(Seal{0, at, unit, kShards});
      if (at % 2 == 0) intake.erase_outgoing(shard, {1, at, 0}, {number, 0});
      if (at % 4 == 0) end_turn(shard);
    }
    end_turn(shard);
  }
  void end_turn(std::uint32_t shard) {
    intake.end_turn(shard);
    for (;;) {
      const unsigned seen = room_again;
      if (shares_units_ || intake.has_room()) return;
      room_again.wait(seen);
    }
  }
  void write() {
    for (;;) {
      const auto woken = intake.wait(std::chrono::hours(1), {});
      if (woken == Intake::Woken::stopped) return;
      const Batch batch = intake.take({.bytes_max = 8'000});
      for (const Unit& unit : batch.units) {
        for (const Request& part : unit.parts)
          written += part.outgoing[0].taken_back ? 0U : 1U;
      }
      erased += batch.erased.size();
      store::answer(*this, batch);
    }
  }

  const bool shares_units_;
};

TEST(IntakeThreadsTest, every_part_of_every_unit_is_answered) {
  Crowd crowd(true);
  crowd.run();
  constexpr std::uint64_t kAll = Crowd::kShards * Crowd::kRequests;
  EXPECT_EQ(crowd.answered, kAll + Crowd::kRequests / 3);
  EXPECT_EQ(crowd.written + crowd.intake.taken_back(), kAll);
  EXPECT_EQ(crowd.erased + crowd.intake.taken_back(), kAll / 2);
}

TEST(IntakeThreadsTest, nobody_waits_for_room_for_ever) {
  Crowd crowd(false);
  crowd.run();
  constexpr std::uint64_t kAll = Crowd::kShards * Crowd::kRequests;
  EXPECT_EQ(crowd.answered, kAll);
  EXPECT_GT(crowd.room_again, 0U);
  EXPECT_EQ(crowd.written + crowd.intake.taken_back(), kAll);
}

}  // namespace
}  // namespace linnet::store

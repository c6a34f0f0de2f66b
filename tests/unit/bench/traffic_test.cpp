#include "bench/traffic.hpp"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace linnet::bench {
namespace {

/// The books of a run with these counts, 10 deliveries under way at most.
class Books {
 public:
  Books(const char* scenario, std::uint32_t publishers, std::uint32_t subscribers,
        std::uint32_t payload = 16) {
    Options options;
    options.scenario = scenario;
    options.publishers = publishers;
    options.subscribers = subscribers;
    options.topics = publishers;
    options.payload = payload;
    options.outstanding = 10;
    std::string error;
    settings_ = *resolve(options, error);
    traffic_ = std::make_unique<Traffic>(settings_, make_plan(settings_, "run"));
  }
  Traffic* operator->() { return traffic_.get(); }

  void take(std::uint32_t receiver, Stamp stamp, std::uint64_t now = 0) {
    std::string payload(settings_.payload, 'x');
    write_stamp(payload.data(), stamp, payload.size());
    traffic_->take(traffic_->receiver(receiver), receiver, payload, now);
  }
  std::vector<std::uint32_t> touched() {
    std::vector<std::uint32_t> publishers;
    traffic_->for_each_touched([&](std::uint32_t number) { publishers.push_back(number); });
    return publishers;
  }

 private:
  Settings settings_;
  std::unique_ptr<Traffic> traffic_;
};

TEST(Traffic, ALoopIsClosed) {
  Books books("p2p", 1, 1);
  for (std::uint32_t number = 0; number < 10; ++number) {
    ASSERT_TRUE(books->has_room(0, 0));
    EXPECT_EQ(books->book(0, 0), number);
  }
  EXPECT_FALSE(books->has_room(0, 0));
  EXPECT_EQ(books->missing(), 10U);
  EXPECT_EQ(books.touched(), (std::vector<std::uint32_t>{0}));
  EXPECT_TRUE(books.touched().empty());
  books.take(0, {0, 0, 0});
  EXPECT_EQ(books.touched(), (std::vector<std::uint32_t>{0}));
  EXPECT_TRUE(books->has_room(0, 0));
  EXPECT_EQ(books->delivered(), 1U);
  EXPECT_EQ(books->missing(), 9U);
  EXPECT_FALSE(books->is_worth_while(0));  // a tenth is free
  books.take(0, {0, 1, 0});
  EXPECT_TRUE(books->is_worth_while(0));
}

TEST(Traffic, LostOnesMakeRoomWhenALaterOneComes) {
  Books books("p2p", 1, 1);
  for (int message = 0; message < 10; ++message)
    (void)books->book(0, 0);
  books.take(0, {0, 9, 0});
  EXPECT_EQ(books->delivered(), 1U);
  EXPECT_EQ(books->missing(), 9U);
  EXPECT_TRUE(books->is_worth_while(0));
  EXPECT_TRUE(books->has_room(0, 0));
}

TEST(Traffic, FanOutIsMoreThanTheLimit) {
  Books books("fanout", 1, 20);
  ASSERT_TRUE(books->has_room(0, 0));  // else nothing would ever go
  (void)books->book(0, 0);
  EXPECT_FALSE(books->has_room(0, 0));
  for (std::uint32_t receiver = 0; receiver < 20; ++receiver)
    books.take(receiver, {0, 0, 0});
  EXPECT_TRUE(books->has_room(0, 0));
  EXPECT_EQ(books->missing(), 0U);
}

TEST(Traffic, WriteOff) {
  Books books("p2p", 1, 1);
  for (int message = 0; message < 10; ++message)
    (void)books->book(0, 0);
  books->write_off();
  EXPECT_TRUE(books->has_room(0, 0));
  EXPECT_EQ(books->awaited(), 0U);
  EXPECT_EQ(books->missing(), 10U);
  books.take(0, {0, 0, 0});  // after all
  EXPECT_EQ(books->missing(), 9U);
  EXPECT_EQ(books->delivered(), 1U);
}

TEST(Traffic, RefusedOnesAreNotMissing) {
  Books books("fanout", 1, 3);
  (void)books->book(0, 0);
  books->refuse(0, 0, ReasonCode::quota_exceeded);
  EXPECT_EQ(books->missing(), 0U);
  EXPECT_EQ(books->refused(), 1U);
  EXPECT_EQ(books->refusal(), ReasonCode::quota_exceeded);
  EXPECT_TRUE(books->has_room(0, 0));
}

TEST(Traffic, Latencies) {
  Books books("p2p", 1, 1);
  for (int message = 0; message < 3; ++message)
    (void)books->book(0, 0);
  books.take(0, {0, 0, 100}, 150);
  EXPECT_EQ(books->latency.count(), 0U);
  books->measuring = true;
  books.take(0, {0, 1, 100}, 150);
  EXPECT_EQ(books->latency.max(), 50U);
  books.take(0, {0, 2, 1'000}, 150);  // from the future: somebody else's number
  EXPECT_EQ(books->latency.max(), 50U);
}

TEST(Traffic, SmallPayloadsAreCounted) {
  Books books("p2p", 2, 2, 4);
  for (int message = 0; message < 4; ++message)
    (void)books->book(static_cast<std::uint32_t>(message) % 2,
                      static_cast<std::uint32_t>(message) % 2);
  for (int message = 0; message < 4; ++message)
    books.take(0, {});
  EXPECT_EQ(books->delivered(), 4U);
  EXPECT_EQ(books->missing(), 0U);
}

TEST(Traffic, OtherSizesAreAlien) {
  Books books("p2p", 1, 1);
  (void)books->book(0, 0);
  const Tally::Receiver receiver = books->receiver(0);
  books->take(receiver, 0, "short", 0);
  books->take(receiver, 0, std::string(17, 'x'), 0);
  EXPECT_EQ(books->anomalies().alien, 2U);
  EXPECT_EQ(books->delivered(), 0U);
}

}  // namespace
}  // namespace linnet::bench

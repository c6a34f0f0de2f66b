#include "bench/tally.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

#include "base/random.hpp"

namespace linnet::bench {
namespace {

using Numbers = std::vector<std::uint32_t>;

/// Three streams, of which 100 messages each were sent, and one receiver of the first and the last.
class TallyTest : public testing::Test {
 protected:
  TallyTest() : tally_(sent_) {
    const Numbers streams{0, 2};
    receiver_ = tally_.add(streams);
  }

  Counted take(std::uint32_t stream, std::uint32_t number) {
    return tally_.count(receiver_, stream, number);
  }

  std::vector<std::uint32_t> sent_{100, 100, 100};
  Tally tally_;
  Tally::Receiver receiver_;
};

void expect(const Counted& counted, bool fresh, std::uint32_t settled) {
  EXPECT_EQ(counted.fresh, fresh);
  EXPECT_EQ(counted.settled, settled);
}

TEST_F(TallyTest, InOrder) {
  for (std::uint32_t number = 0; number < 100; ++number) {
    expect(take(0, number), true, 1);
    expect(take(2, number), true, 1);
  }
  EXPECT_EQ(tally_.anomalies().duplicated, 0U);
  EXPECT_EQ(tally_.anomalies().disordered, 0U);
  EXPECT_EQ(tally_.anomalies().alien, 0U);
  EXPECT_TRUE(tally_.anomalies().exact);
}

TEST_F(TallyTest, LostOnesAreSettledByTheNextThatComes) {
  expect(take(0, 0), true, 1);
  expect(take(0, 5), true, 5);
  expect(take(0, 6), true, 1);
  EXPECT_EQ(tally_.anomalies().disordered, 0U);
}

TEST_F(TallyTest, LateOnes) {
  expect(take(0, 3), true, 4);
  expect(take(0, 1), true, 0);
  expect(take(0, 1), false, 0);
  EXPECT_EQ(tally_.anomalies().disordered, 1U);
  EXPECT_EQ(tally_.anomalies().duplicated, 1U);
}

TEST_F(TallyTest, Duplicates) {
  expect(take(0, 0), true, 1);
  expect(take(0, 0), false, 0);
  expect(take(2, 0), true, 1);
  EXPECT_EQ(tally_.anomalies().duplicated, 1U);
}

TEST_F(TallyTest, Aliens) {
  expect(take(1, 0), false, 0);            // not this receiver's
  expect(take(3, 0), false, 0);            // no such stream
  expect(take(0xFFFF'FFFF, 0), false, 0);  // far off
  expect(take(0, 100), false, 0);          // not sent yet
  EXPECT_EQ(tally_.anomalies().alien, 4U);
  expect(take(0, 0), true, 1);
}

TEST_F(TallyTest, ReceiversAreCountedForThemselves) {
  const Tally::Receiver other = tally_.add(Numbers{0, 1, 2});
  expect(take(0, 0), true, 1);
  expect(tally_.count(other, 0, 0), true, 1);
  expect(tally_.count(other, 1, 0), true, 1);
  EXPECT_EQ(tally_.anomalies().duplicated, 0U);
}

TEST(Tally, ReceiverOfNothing) {
  const std::vector<std::uint32_t> sent{1};
  Tally tally(sent);
  const Tally::Receiver receiver = tally.add({});
  EXPECT_FALSE(tally.count(receiver, 0, 0).fresh);
  EXPECT_EQ(tally.anomalies().alien, 1U);
}

TEST(Tally, AnyOrderComesToTheSameSum) {
  const std::vector<std::uint32_t> sent{5'000};
  Tally tally(sent);
  const Tally::Receiver receiver = tally.add(Numbers{0});
  Random random(11);
  std::vector<std::uint32_t> numbers(5'000);
  std::iota(numbers.begin(), numbers.end(), 0U);
  std::uint64_t fresh = 0;
  std::uint64_t settled = 0;
  for (std::size_t left = numbers.size(); left > 0; --left) {
    std::swap(numbers[random.below(left)], numbers[left - 1]);
    const bool lost = left % 100 == 0;
    if (lost) continue;
    for (int time = 0; time < (left % 50 == 1 ? 2 : 1); ++time) {
      const Counted counted = tally.count(receiver, 0, numbers[left - 1]);
      fresh += counted.fresh ? 1U : 0U;
      settled += counted.settled;
    }
  }
  EXPECT_EQ(fresh, 4'950U);
  EXPECT_LE(settled, 5'000U);
  EXPECT_EQ(tally.anomalies().duplicated, 100U);
}

// SharedTally -------------------------------------------------------------------------------------

TEST(SharedTally, MembersShareInAnyOrder) {
  const std::vector<std::uint32_t> sent{1'000, 1'000};
  SharedTally tally(sent, 500, 3);
  for (std::uint32_t stream = 0; stream < 2; ++stream) {
    for (std::uint32_t base = 0; base < 1'000; base += 200) {
      // What one member has comes at once, and then what the next one has.
      for (std::uint32_t member = 0; member < 3; ++member) {
        for (std::uint32_t number = base; number < base + 200; ++number) {
          if (number % 3 == member) expect(tally.count(member, stream, number), true, 1);
        }
      }
    }
  }
  EXPECT_EQ(tally.anomalies().duplicated, 0U);
  EXPECT_EQ(tally.anomalies().disordered, 0U);
}

TEST(SharedTally, TheSameMessageForTwoMembers) {
  const std::vector<std::uint32_t> sent{300};
  SharedTally tally(sent, 100, 2);
  for (std::uint32_t number = 0; number < 300; ++number)
    expect(tally.count(0, 0, number), true, 1);
  expect(tally.count(1, 0, 299), false, 0);
  expect(tally.count(1, 0, 0), false, 0);
  EXPECT_EQ(tally.anomalies().duplicated, 2U);
}

TEST(SharedTally, OutOfOrderWithinAMember) {
  const std::vector<std::uint32_t> sent{10};
  SharedTally tally(sent, 10, 2);
  expect(tally.count(0, 0, 5), true, 1);
  expect(tally.count(1, 0, 4), true, 1);
  EXPECT_EQ(tally.anomalies().disordered, 0U);
  expect(tally.count(0, 0, 3), true, 1);
  EXPECT_EQ(tally.anomalies().disordered, 1U);
}

TEST(SharedTally, WhatIsLostDoesNotHoldUpTheRest) {
  const std::vector<std::uint32_t> sent{100'000};
  SharedTally tally(sent, 100, 1);
  for (std::uint32_t number = 1; number < 100'000; ++number)
    expect(tally.count(0, 0, number), true, 1);
  expect(tally.count(0, 0, 0), true, 1);  // late after all
  expect(tally.count(0, 0, 0), false, 0);
  EXPECT_EQ(tally.anomalies().disordered, 1U);
  EXPECT_EQ(tally.anomalies().duplicated, 1U);
}

TEST(SharedTally, Aliens) {
  const std::vector<std::uint32_t> sent{10};
  SharedTally tally(sent, 10, 1);
  expect(tally.count(0, 1, 0), false, 0);
  expect(tally.count(0, 0, 10), false, 0);
  EXPECT_EQ(tally.anomalies().alien, 2U);
}

}  // namespace
}  // namespace linnet::bench

// Rates with bursts, against a model in floating-point numbers.
#include "base/token_bucket.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <thread>
#include <vector>

#include "base/random.hpp"

namespace linnet {
namespace {

constexpr std::uint64_t kTiB = std::uint64_t{1} << 40;
constexpr double kLongest_ms = 1e11;
constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

/// What the header says, word by word; it remembers tokens and not times.
class Model {
 public:
  double spend(const BucketTerms& terms, double amount, double now_ms) {
    const double rate_ms = static_cast<double>(terms.rate) / 1000;
    const double most = rate_ms * static_cast<double>(terms.burst_ms);
    tokens_ = started_ ? std::min(most, tokens_ + (now_ms - last_ms_) * rate_ms) : most;
    started_ = true;
    last_ms_ = now_ms;
    tokens_ -= amount;
    return tokens_ >= 0 ? 0 : -tokens_ / rate_ms;
  }

 private:
  bool started_ = false;
  double tokens_ = 0;
  double last_ms_ = 0;
};

/// What rounding may cost: a millisecond each way, and a billionth of all that was waited for.
double tolerance(double wait_ms) {
  return 1.001 + wait_ms * 1e-9;
}

TEST(TokenBucket, without_a_rate_there_is_no_limit) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.spend({}, 256 * kMiB, 1), 0U);
  EXPECT_EQ(bucket.ask({}, 256 * kMiB, 1), 0U);
  EXPECT_EQ(bucket.spend({1, 1'000}, 1, 1), 0U) << "and nothing was taken";
}

TEST(TokenBucket, a_burst_is_free_and_then_time_is) {
  const BucketTerms terms{10, 2'000};
  TokenBucket bucket;
  for (int count = 0; count < 20; ++count)
    EXPECT_EQ(bucket.spend(terms, 1, 5), 0U) << count;
  EXPECT_EQ(bucket.ask(terms, 1, 5), 100U);
  EXPECT_EQ(bucket.ask(terms, 1, 5), 100U) << "asking takes nothing";
  EXPECT_EQ(bucket.spend(terms, 1, 5), 100U);
  EXPECT_EQ(bucket.spend(terms, 1, 5), 200U) << "debts add up";
  EXPECT_EQ(bucket.ask(terms, 0, 155), 50U);
  EXPECT_EQ(bucket.ask(terms, 0, 205), 0U);
  EXPECT_EQ(bucket.spend(terms, 20, 205 + 3'600'000), 0U) << "no more than a burst is saved up";
  EXPECT_EQ(bucket.spend(terms, 1, 205 + 3'600'000), 100U);
}

TEST(TokenBucket, what_is_larger_than_a_burst_is_a_debt) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.spend({1'000, 2'000}, 10'000, 1), 8'000U);
  EXPECT_EQ(bucket.ask({1'000, 2'000}, 0, 4'001), 4'000U);
}

TEST(TokenBucket, follows_the_model) {
  Random random(7);
  for (int round = 0; round < 2'000; ++round) {
    // Spread over all orders of magnitude.
    const BucketTerms terms{1 + (random.u64() >> (24 + random.below(40))),
                            random.below(2) == 0 ? 2'000 : random.below(3'600'001)};
    const std::uint64_t amount_max = 1 + (random.below(256 * kMiB) >> random.below(28));
    std::uint64_t now_ms = 1 + random.below(std::uint64_t{1} << 38);
    TokenBucket bucket;
    SharedBucket shared;
    Model model;
    for (int step = 0; step < 50; ++step) {
      now_ms += random.below(4) == 0 ? random.below(10'000) : random.below(3);
      const std::uint64_t amount = 1 + random.below(amount_max);
      const double expected =
          model.spend(terms, static_cast<double>(amount), static_cast<double>(now_ms));
      if (expected > kLongest_ms) break;  // a debt of years
      const std::uint64_t asked = bucket.ask(terms, amount, now_ms);
      const std::uint64_t wait_ms = bucket.spend(terms, amount, now_ms);
      ASSERT_EQ(asked, wait_ms);
      ASSERT_EQ(shared.ask(terms, amount, now_ms), wait_ms);
      ASSERT_EQ(shared.spend(terms, amount, now_ms), wait_ms);
      ASSERT_NEAR(static_cast<double>(wait_ms), expected, tolerance(expected))
          << "rate " << terms.rate << ", burst " << terms.burst_ms << ", amount " << amount
          << ", step " << step;
    }
  }
}

TEST(TokenBucket, the_rate_holds_over_a_long_time) {
  // Whoever waits as he is told gets the rate, and no more.
  for (const std::uint64_t rate : {std::uint64_t{1}, std::uint64_t{7}, std::uint64_t{1'000'003},
                                   std::uint64_t{100'000'000}, kTiB}) {
    const BucketTerms terms{rate, 2'000};
    const std::uint64_t amount = std::min<std::uint64_t>(1 + rate / 3, 256 * kMiB);
    TokenBucket bucket;
    std::uint64_t now_ms = 1;
    std::uint64_t sent = 0;
    while (now_ms < 60'000) {
      sent += amount;
      now_ms += bucket.spend(terms, amount, now_ms);
    }
    const double allowed = static_cast<double>(rate) * (static_cast<double>(now_ms) + 2'000) / 1000;
    EXPECT_LE(static_cast<double>(sent), allowed + static_cast<double>(amount)) << rate;
    EXPECT_GE(static_cast<double>(sent), allowed * 0.98) << rate;
  }
}

TEST(TokenBucket, nothing_overflows) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  TokenBucket bucket;
  std::uint64_t last = 0;
  for (int count = 0; count < 100; ++count) {
    const std::uint64_t wait_ms = bucket.spend({1, 0}, kMost, 1);
    ASSERT_GE(wait_ms, last);
    last = wait_ms;
  }
  EXPECT_GT(last, 1'000'000'000U);
  EXPECT_EQ(TokenBucket().ask({kMost, kMost}, kMost, kMost), 0U);
  EXPECT_EQ(TokenBucket().ask({kTiB, 0}, 256 * kMiB, 1), 1U);
  EXPECT_EQ(TokenBucket().ask({kMost, 0}, 1, 1), 1U);
  EXPECT_EQ(TokenBucket().ask({1, 0}, 1, kMost), 1'000U);
  SharedBucket shared;
  EXPECT_FALSE(shared.try_spend({1, 1}, kMost, 1));
}

TEST(TokenBucket, terms_may_change) {
  TokenBucket bucket;
  EXPECT_EQ(bucket.spend({10, 1'000}, 30, 1'000), 2'000U);
  EXPECT_EQ(bucket.ask({1'000, 5'000}, 0, 1'000), 2'000U) << "a debt stays as long as it was";
  EXPECT_EQ(bucket.ask({1'000, 5'000}, 500, 1'000), 2'500U) << "what is new costs the new rate";
  EXPECT_EQ(bucket.ask({}, 500, 1'000), 0U);
  EXPECT_EQ(bucket.ask({10, 5'000}, 50, 9'000), 0U) << "a larger burst can be saved up";
  EXPECT_EQ(bucket.ask({10, 100}, 50, 9'000), 4'900U) << "and a smaller one counts at once";
}

TEST(SharedBucket, who_cannot_wait_gets_all_or_nothing) {
  SharedBucket bucket;
  const BucketTerms terms{10, 200};
  EXPECT_TRUE(bucket.try_spend(terms, 1, 1'000));
  EXPECT_TRUE(bucket.try_spend(terms, 1, 1'000));
  EXPECT_FALSE(bucket.try_spend(terms, 1, 1'000));
  EXPECT_FALSE(bucket.try_spend(terms, 1, 1'099));
  EXPECT_TRUE(bucket.try_spend(terms, 1, 1'100)) << "the refused ones have cost nothing";
  EXPECT_TRUE(bucket.try_spend({}, 1'000, 1'100));
}

TEST(SharedBucket, a_whole_burst_may_be_less_than_one) {
  SharedBucket bucket;
  const BucketTerms terms{1, 100};
  EXPECT_TRUE(bucket.try_spend(terms, 1, 5'000));
  EXPECT_FALSE(bucket.try_spend(terms, 1, 5'999));
  EXPECT_TRUE(bucket.try_spend(terms, 1, 6'000));
}

TEST(SharedBucket, is_full_again_after_a_burst) {
  SharedBucket bucket;
  EXPECT_TRUE(bucket.is_full(3'600'000, 1));
  static_cast<void>(bucket.spend({10, 1'000}, 10, 5'000));
  EXPECT_FALSE(bucket.is_full(1'000, 5'000));
  EXPECT_FALSE(bucket.is_full(1'000, 5'999));
  EXPECT_TRUE(bucket.is_full(1'000, 6'000));
}

TEST(SharedBucket, no_token_is_taken_twice) {
  constexpr int kThreads = 4;
  constexpr std::uint64_t kTokens = 20'000;
  SharedBucket bucket;
  std::atomic<std::uint64_t> taken{0};
  std::vector<std::thread> threads;
  for (int id = 0; id < kThreads; ++id) {
    threads.emplace_back([&] {
      while (bucket.try_spend({kTokens, 1'000}, 1, 10'000))
        taken.fetch_add(1, std::memory_order_relaxed);
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  // One in a thousand is lost to rounding up.
  EXPECT_LE(taken.load(), kTokens);
  EXPECT_GE(taken.load(), kTokens - kTokens / 1000);
}

}  // namespace
}  // namespace linnet

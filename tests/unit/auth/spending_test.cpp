// What a connection spends of its own rates and of those that it shares.
#include "auth/spending.hpp"

#include <gtest/gtest.h>
#include <string>

namespace linnet::auth {
namespace {

using std::chrono::milliseconds;

class SpendingTest : public testing::Test {
 protected:
  SpendingTest() {
    rates.burst = milliseconds(1'000);
    rates.patience = milliseconds(5'000);
  }

  Rates rates;
  Accounts accounts;
  AccountPtr user = accounts.of_user("alice");
  AccountPtr address = accounts.of_address(*net::Endpoint::parse("192.0.2.7", 0));
  Spending spending{user, address};
  static constexpr std::uint64_t kNow = 5'000;
};

TEST_F(SpendingTest, is_needed_where_a_rate_is_set) {
  EXPECT_FALSE(Spending::is_needed(rates));
  rates.address.connections = 1;
  rates.user.connections = 1;
  EXPECT_FALSE(Spending::is_needed(rates)) << "these are the door's";
  rates.user.subscriptions = 1;
  EXPECT_TRUE(Spending::is_needed(rates));
  const auto wait = spending.spend_publish(rates, 1 << 20, kNow);
  EXPECT_EQ(wait.wait_ms, 0U);
  EXPECT_FALSE(wait.refused);
  EXPECT_EQ(wait.rate, nullptr);
}

TEST_F(SpendingTest, the_slowest_rate_decides) {
  rates.client.publishes = 1;
  rates.user.publishes = 10;
  rates.address.bytes = 100;
  EXPECT_EQ(spending.spend_publish(rates, 10, kNow).wait_ms, 0U);
  auto wait = spending.spend_publish(rates, 10, kNow);
  EXPECT_EQ(wait.wait_ms, 1'000U);
  EXPECT_STREQ(wait.rate, "rates.client.publishes");
  wait = spending.spend_publish(rates, 480, kNow);
  EXPECT_EQ(wait.wait_ms, 4'000U);
  EXPECT_STREQ(wait.rate, "rates.address.bytes");
}

TEST_F(SpendingTest, what_would_wait_too_long_is_refused_and_costs_nothing) {
  rates.client.publishes = 100;
  rates.user.bytes = 1'000;
  auto wait = spending.spend_publish(rates, 6'001, kNow);
  EXPECT_TRUE(wait.refused);
  EXPECT_EQ(wait.wait_ms, 5'001U);
  EXPECT_STREQ(wait.rate, "rates.user.bytes");
  wait = spending.spend_publish(rates, 6'000, kNow);
  EXPECT_FALSE(wait.refused) << "larger than a burst, but the bucket was still full";
  EXPECT_EQ(wait.wait_ms, 5'000U);
  EXPECT_TRUE(spending.spend_publish(rates, 1, kNow).refused);
  EXPECT_EQ(spending.spend_publish(rates, 1, kNow + 5'000).wait_ms, 1U);
}

TEST_F(SpendingTest, users_and_addresses_share) {
  rates.user.publishes = 2;
  rates.address.subscriptions = 2;
  Spending same_user(user, nullptr);
  Spending same_address(nullptr, address);
  Spending nobody(nullptr, nullptr);
  EXPECT_EQ(spending.spend_publish(rates, 1, kNow).wait_ms, 0U);
  EXPECT_EQ(same_user.spend_publish(rates, 1, kNow).wait_ms, 0U);
  EXPECT_EQ(same_user.spend_publish(rates, 1, kNow).wait_ms, 500U);
  EXPECT_EQ(spending.spend_publish(rates, 1, kNow).wait_ms, 1'000U);
  EXPECT_EQ(same_address.spend_publish(rates, 1, kNow).wait_ms, 0U);

  EXPECT_EQ(spending.spend_subscribe(rates, 2, kNow).wait_ms, 0U);
  const auto wait = same_address.spend_subscribe(rates, 1, kNow);
  EXPECT_EQ(wait.wait_ms, 500U);
  EXPECT_STREQ(wait.rate, "rates.address.subscriptions");
  EXPECT_EQ(same_user.spend_subscribe(rates, 9, kNow).wait_ms, 0U);
  EXPECT_EQ(nobody.spend_publish(rates, 1'000, kNow).wait_ms, 0U);
}

TEST_F(SpendingTest, a_subscribe_packet_counts_by_its_filters) {
  rates.client.subscriptions = 10;
  rates.user.subscriptions = 100;
  EXPECT_EQ(spending.spend_subscribe(rates, 10, kNow).wait_ms, 0U);
  EXPECT_EQ(spending.spend_subscribe(rates, 50, kNow).wait_ms, 5'000U);
  EXPECT_TRUE(spending.spend_subscribe(rates, 1, kNow).refused);
  EXPECT_EQ(spending.spend_publish(rates, 1, kNow).wait_ms, 0U) << "messages are something else";
}

TEST_F(SpendingTest, follows_new_rates) {
  rates.client.publishes = 1;
  EXPECT_EQ(spending.spend_publish(rates, 1, kNow).wait_ms, 0U);
  rates.client.publishes = 1'000;
  EXPECT_EQ(spending.spend_publish(rates, 1, kNow).wait_ms, 1U);
  rates.client.publishes = 0;
  EXPECT_EQ(spending.spend_publish(rates, 1, kNow).wait_ms, 0U);
}

}  // namespace
}  // namespace linnet::auth

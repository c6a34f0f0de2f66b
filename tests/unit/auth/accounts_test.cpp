// What user names and addresses use up together.
#include "auth/accounts.hpp"

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "auth/address_key.hpp"
#include "base/cat.hpp"
#include "base/random.hpp"

namespace linnet::auth {
namespace {

struct ManualClock final : Clock {
  [[nodiscard]] std::uint64_t now_ms() const noexcept override { return time_ms; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return 0; }
  std::uint64_t time_ms = 1'000;
};

net::Endpoint at(std::string_view address, std::uint16_t port = 0) {
  return *net::Endpoint::parse(address, port);
}

net::Endpoint unix_socket() {
  sockaddr_storage address{};
  address.ss_family = AF_UNIX;
  return net::Endpoint::from(address);
}

/// So that something is to be remembered of it.
void spend(Account& account, const ManualClock& clock) {
  static_cast<void>(account.connects.spend({1, 1'000}, 1, clock.time_ms));
}

class AccountsTest : public testing::Test {
 protected:
  ManualClock clock;
  Accounts accounts{clock};
};

TEST_F(AccountsTest, one_account_for_each_name) {
  const AccountPtr alice = accounts.of_user("alice");
  ASSERT_TRUE(alice);
  EXPECT_EQ(accounts.of_user("alice"), alice);
  EXPECT_NE(accounts.of_user("bob"), alice);
  EXPECT_NE(accounts.of_user(std::string_view("alice\0", 6)), alice);
  EXPECT_EQ(accounts.of_user(""), nullptr);
}

TEST_F(AccountsTest, addresses_count_without_port_and_ipv6_by_its_network) {
  const AccountPtr account = accounts.of_address(at("192.0.2.7", 1));
  EXPECT_EQ(accounts.of_address(at("192.0.2.7", 2)), account);
  EXPECT_EQ(accounts.of_address(at("::ffff:192.0.2.7")), account);
  EXPECT_NE(accounts.of_address(at("192.0.2.8")), account);
  const AccountPtr network = accounts.of_address(at("2001:db8:0:1::1"));
  EXPECT_EQ(accounts.of_address(at("2001:db8:0:1:ffff::2")), network);
  EXPECT_NE(accounts.of_address(at("2001:db8:0:2::1")), network);
  EXPECT_EQ(accounts.of_address(unix_socket()), nullptr);
  EXPECT_EQ(accounts.of_address({}), nullptr);
}

TEST_F(AccountsTest, a_user_is_no_address) {
  const AccountPtr address = accounts.of_address(at("65.66.67.68"));
  EXPECT_NE(accounts.of_user("ABCD"), address);
  EXPECT_EQ(accounts.size(), 1U) << "the user had no holder and nothing to remember";
}

TEST(AddressKey, is_shown_as_people_write_it) {
  EXPECT_EQ(AddressKey::of(at("192.0.2.7", 99))->text(), "192.0.2.7");
  EXPECT_EQ(AddressKey::of(at("2001:db8:0:1::77"))->text(), "2001:db8:0:1::/64");
  EXPECT_FALSE(AddressKey::of(unix_socket()));
}

TEST_F(AccountsTest, is_gone_with_its_last_holder) {
  AccountPtr first = accounts.of_user("alice");
  AccountPtr second = first;
  first->connections = 5;
  first.reset();
  EXPECT_EQ(accounts.of_user("alice")->connections, 5U);
  second.reset();
  EXPECT_EQ(accounts.size(), 0U);
  EXPECT_EQ(accounts.of_user("alice")->connections, 0U);
}

TEST_F(AccountsTest, remembers_a_rate_as_long_as_it_has_to) {
  accounts.set_burst(1'000);
  spend(*accounts.of_user("alice"), clock);
  EXPECT_EQ(accounts.size(), 1U) << "it has spent, and could come back at once";
  clock.time_ms += 999;
  EXPECT_FALSE(accounts.of_user("alice")->connects.is_full(1'000, clock.time_ms));
  clock.time_ms += 1;
  // Whoever comes next, in the same part of the table, finds it full and forgets it.
  for (int i = 0; i < 200; ++i)
    static_cast<void>(accounts.of_user(cat("user ", i)));
  EXPECT_EQ(accounts.size(), 0U);
}

TEST_F(AccountsTest, the_oldest_of_too_many_idle_ones_is_forgotten) {
  const AccountPtr held = accounts.of_user("held");
  spend(*held, clock);
  spend(*accounts.of_user("oldest"), clock);
  for (std::size_t i = 0; i < Accounts::kIdleMax; ++i)
    spend(*accounts.of_user(cat("user ", i)), clock);
  const std::size_t size = accounts.size();
  EXPECT_LE(size, Accounts::kIdleMax + 1);
  EXPECT_GE(size, Accounts::kIdleMax * 9 / 10);
  const std::string last = cat("user ", Accounts::kIdleMax - 1);
  EXPECT_FALSE(accounts.of_user(last)->connects.is_full(1'000, clock.time_ms));
  EXPECT_EQ(accounts.of_user("held"), held);
}

TEST_F(AccountsTest, long_names_of_idle_ones_are_bounded) {
  constexpr std::size_t kSize = 65'535;
  for (std::size_t i = 0; i < 2'000; ++i) {
    std::string name = cat("user ", i, ' ');
    name.resize(kSize, 'x');
    spend(*accounts.of_user(name), clock);
  }
  EXPECT_LE(accounts.size(), Accounts::kIdleBytesMax / kSize);
  EXPECT_GE(accounts.size(), Accounts::kIdleBytesMax / kSize / 2);
}

TEST_F(AccountsTest, counts_up_to_a_limit) {
  std::atomic<std::uint32_t> count{0};
  EXPECT_TRUE(take_one(count, 2));
  EXPECT_TRUE(take_one(count, 2));
  EXPECT_FALSE(take_one(count, 2));
  EXPECT_EQ(count, 2U);
  EXPECT_TRUE(take_one(count, 0)) << "0 is no limit";
  EXPECT_FALSE(take_one(count, 1)) << "a limit that was lowered";
  give_back_one(count);
  EXPECT_EQ(count, 2U);
}

TEST_F(AccountsTest, half_open_connections_give_back_what_they_took) {
  const AccountPtr address = accounts.of_address(at("192.0.2.7"));
  {
    HalfOpen first(accounts);
    HalfOpen second(accounts);
    EXPECT_TRUE(first.take_of_address(address, 1));
    EXPECT_TRUE(first.take(2));
    EXPECT_FALSE(second.take_of_address(address, 1));
    EXPECT_TRUE(second.take(2));
    HalfOpen third(accounts);
    EXPECT_FALSE(third.take(2));
    HalfOpen nobody(accounts);
    EXPECT_TRUE(nobody.take_of_address(nullptr, 1)) << "a Unix socket";
    EXPECT_EQ(address->half_open, 1U);
    EXPECT_EQ(accounts.half_open(), 2U);
  }
  EXPECT_EQ(address->half_open, 0U);
  EXPECT_EQ(accounts.half_open(), 0U);
}

TEST_F(AccountsTest, a_place_goes_back_unless_it_is_handed_on) {
  const AccountPtr user = accounts.of_user("anna");
  {
    UserPlaces first;
    UserPlaces second;
    EXPECT_TRUE(first.connection.take(user, 1));
    EXPECT_FALSE(second.connection.take(user, 1));
    EXPECT_FALSE(second.connection.hand_on());
    EXPECT_TRUE(second.session.take(user, 1));
    EXPECT_TRUE(second.session.hand_on());
    EXPECT_FALSE(second.session.hand_on());
    UserPlaces nobody;
    EXPECT_TRUE(nobody.connection.take(nullptr, 1));
    EXPECT_FALSE(nobody.connection.hand_on());
    EXPECT_EQ(user->connections, 1U);
  }
  EXPECT_EQ(user->connections, 0U);
  EXPECT_EQ(user->sessions, 1U);
}

TEST(AccountsThreads, no_more_places_than_there_are) {
  constexpr std::uint32_t kMax = 3;
  Accounts accounts;
  const AccountPtr user = accounts.of_user("anna");
  std::atomic<std::uint32_t> inside{0};
  std::atomic<std::uint32_t> excess{0};
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20'000; ++round) {
        Place place(&Account::connections);
        if (!place.take(user, kMax)) continue;
        if (++inside > kMax) ++excess;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(excess, 0U);
  EXPECT_EQ(user->connections, 0U);
}

/// For the thread sanitizer above all: accounts come and go in many threads at once.
TEST(AccountsThreads, holders_come_and_go) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 20'000;
  constexpr int kNames = 5;
  Accounts accounts;
  std::atomic<std::uint64_t> excess{0};
  std::vector<std::thread> threads;
  for (int id = 0; id < kThreads; ++id) {
    threads.emplace_back([&, id] {
      Random random(static_cast<std::uint64_t>(id));
      const SystemClock clock;
      std::vector<AccountPtr> held(3);
      for (int round = 0; round < kRounds; ++round) {
        AccountPtr& slot = held[random.below(held.size())];
        if (slot) give_back_one(slot->connections);
        slot =
            random.below(3) == 0 ? nullptr : accounts.of_user(cat("user ", random.below(kNames)));
        if (!slot) continue;
        if (!take_one(slot->connections, 0)) ++excess;
        if (slot->connections > kThreads * held.size()) ++excess;
        if (random.below(100) == 0) {
          static_cast<void>(slot->connects.spend({1, 1}, 1, clock.now_ms()));
        }
      }
      for (const AccountPtr& slot : held) {
        if (slot) give_back_one(slot->connections);
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(excess, 0U) << "a count was lost: somebody held an account that was given up";
  for (int name = 0; name < kNames; ++name)
    EXPECT_EQ(accounts.of_user(cat("user ", name))->connections, 0U);
}

}  // namespace
}  // namespace linnet::auth

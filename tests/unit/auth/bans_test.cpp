// Who is banned, how long, and when it is forgotten.
#include "auth/bans.hpp"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet::auth {
namespace {

using std::chrono::milliseconds;

net::Endpoint at(std::string_view address, std::uint16_t port = 0) {
  return *net::Endpoint::parse(address, port);
}

/// The i-th of many addresses.
net::Endpoint many(std::size_t i) {
  const char bytes[4] = {10, static_cast<char>(i >> 16), static_cast<char>(i >> 8),
                         static_cast<char>(i)};
  return net::Endpoint::from_bytes({bytes, 4}, 0);
}

class BansTest : public testing::Test {
 protected:
  BansTest() { log::set_level(log::Level::off); }
  ~BansTest() override { log::set_level(log::Level::info); }

  std::uint64_t wrong(const net::Endpoint& address) {
    return bans.on_wrong_login(address, terms, now_ms);
  }
  /// Up to a ban.
  std::uint64_t wrong_until_banned(const net::Endpoint& address) {
    for (std::uint32_t count = 1; count < terms.after; ++count)
      EXPECT_EQ(wrong(address), 0U);
    return wrong(address);
  }
  bool is_banned(const net::Endpoint& address) { return bans.is_banned(address, now_ms); }

  BanConfig terms{3, milliseconds(10'000), milliseconds(1'000), milliseconds(7'000)};
  Bans bans;
  std::uint64_t now_ms = 5'000;
  const net::Endpoint client = at("192.0.2.7");
};

TEST_F(BansTest, bans_after_so_many_wrong_logins) {
  EXPECT_EQ(wrong(client), 0U);
  EXPECT_EQ(wrong(at("192.0.2.8")), 0U);
  EXPECT_EQ(wrong(at("192.0.2.7", 77)), 0U) << "the port is of no meaning";
  EXPECT_FALSE(is_banned(client));
  EXPECT_EQ(wrong(client), 1'000U);
  EXPECT_TRUE(is_banned(client));
  EXPECT_TRUE(is_banned(at("::ffff:192.0.2.7")));
  EXPECT_FALSE(is_banned(at("192.0.2.8")));
  now_ms += 999;
  EXPECT_TRUE(is_banned(client));
  now_ms += 1;
  EXPECT_FALSE(is_banned(client));
}

TEST_F(BansTest, wrong_logins_count_within_the_window) {
  EXPECT_EQ(wrong(client), 0U);
  EXPECT_EQ(wrong(client), 0U);
  now_ms += 10'000;
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
}

TEST_F(BansTest, each_further_ban_is_twice_as_long) {
  for (const std::uint64_t expected : {1'000U, 2'000U, 4'000U, 7'000U, 7'000U}) {
    EXPECT_EQ(wrong_until_banned(client), expected);
    EXPECT_EQ(wrong(client), 0U) << "a login that was under way";
    now_ms += expected;
    EXPECT_FALSE(is_banned(client));
  }
}

TEST_F(BansTest, is_forgotten_in_the_end) {
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
  now_ms += 1'000 + 10 * 1'000 - 1;
  EXPECT_EQ(wrong_until_banned(client), 2'000U);
  now_ms += 2'000 + 10 * 2'000;
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
}

TEST_F(BansTest, a_long_window_is_remembered_too) {
  terms.window = milliseconds(3'600'000);
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
  now_ms += 3'600'000 - 1;
  EXPECT_EQ(wrong_until_banned(client), 2'000U);
  now_ms += 3'600'000;
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
}

TEST_F(BansTest, some_are_never_banned) {
  terms.after = 1;
  sockaddr_storage unix_address{};
  unix_address.ss_family = AF_UNIX;
  const net::Endpoint unix_socket = net::Endpoint::from(unix_address);
  for (const net::Endpoint& local : {at("127.0.0.1"), at("127.9.8.7"), at("::1"), unix_socket,
                                     net::Endpoint(), at("::ffff:127.0.0.1")}) {
    EXPECT_EQ(wrong(local), 0U);
    EXPECT_NE(bans.add(local, 0, now_ms), "");
    EXPECT_FALSE(is_banned(local));
    EXPECT_FALSE(bans.lift(local, now_ms));
  }
  EXPECT_NE(bans.add(at("127.0.0.2"), 0, now_ms).find("listener.deny"), std::string::npos);
  terms.after = 0;
  EXPECT_EQ(wrong(client), 0U) << "never";
}

TEST_F(BansTest, ipv6_counts_by_its_network) {
  EXPECT_EQ(wrong(at("2001:db8::1")), 0U);
  EXPECT_EQ(wrong(at("2001:db8::2:3")), 0U);
  EXPECT_EQ(wrong(at("2001:db8::ffff:1")), 1'000U);
  EXPECT_TRUE(is_banned(at("2001:db8::abcd")));
  EXPECT_FALSE(is_banned(at("2001:db8:0:1::1")));
  ASSERT_EQ(bans.list(now_ms).size(), 1U);
  EXPECT_EQ(bans.list(now_ms).front().address, "2001:db8::/64");
}

TEST_F(BansTest, by_hand_and_back) {
  EXPECT_EQ(bans.add(client, 60'000, now_ms), "");
  EXPECT_EQ(bans.add(at("2001:db8::1"), 0, now_ms), "");
  EXPECT_EQ(wrong_until_banned(at("192.0.2.9")), 1'000U);
  now_ms += 500;
  const std::vector<Ban> list = bans.list(now_ms);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].address, "192.0.2.9");
  EXPECT_EQ(list[0].left_ms, 500U);
  EXPECT_EQ(list[0].times, 1U);
  EXPECT_FALSE(list[0].by_hand);
  EXPECT_EQ(list[1].address, "192.0.2.7");
  EXPECT_EQ(list[1].left_ms, 59'500U);
  EXPECT_EQ(list[1].times, 0U);
  EXPECT_TRUE(list[1].by_hand);
  EXPECT_EQ(list[2].address, "2001:db8::/64");
  EXPECT_EQ(list[2].left_ms, 0U);
  EXPECT_EQ(wrong(client), 0U) << "it is banned already";

  EXPECT_TRUE(bans.lift(client, now_ms));
  EXPECT_FALSE(bans.lift(client, now_ms));
  EXPECT_FALSE(is_banned(client));
  EXPECT_TRUE(is_banned(at("2001:db8::1")));
  EXPECT_EQ(bans.lift_all(now_ms), 2U);
  EXPECT_FALSE(is_banned(at("2001:db8::1")));
  EXPECT_TRUE(bans.list(now_ms).empty());
}

TEST_F(BansTest, a_ban_by_hand_takes_the_place_of_another) {
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
  EXPECT_EQ(bans.add(client, 0, now_ms), "");
  now_ms += 1'000'000'000;
  EXPECT_TRUE(is_banned(client));
  EXPECT_EQ(bans.add(client, 10, now_ms), "");
  now_ms += 10;
  EXPECT_FALSE(is_banned(client));
  EXPECT_TRUE(bans.list(now_ms).empty());
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
  EXPECT_FALSE(bans.list(now_ms).front().by_hand);
}

TEST_F(BansTest, what_came_before_a_ban_by_hand_is_remembered) {
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
  EXPECT_EQ(bans.add(client, 2'000, now_ms), "");
  now_ms += 2'000;
  EXPECT_EQ(wrong_until_banned(client), 2'000U);
}

TEST_F(BansTest, a_lifted_address_begins_anew) {
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
  EXPECT_TRUE(bans.lift(client, now_ms));
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
}

TEST_F(BansTest, of_too_many_the_oldest_is_forgotten_but_not_by_hand) {
  EXPECT_EQ(bans.add(client, 0, now_ms), "");
  EXPECT_EQ(wrong(at("192.0.2.8")), 0U);
  EXPECT_EQ(wrong(at("192.0.2.9")), 0U);
  for (std::size_t i = 0; i < Bans::kAddressesMax - 3; ++i)
    EXPECT_EQ(wrong(many(i)), 0U);
  EXPECT_EQ(wrong(at("192.0.2.8")), 0U) << "heard of again";
  EXPECT_EQ(wrong(at("192.0.2.10")), 0U) << "now there are too many";
  EXPECT_EQ(wrong(at("192.0.2.8")), 1'000U) << "it was still known";
  EXPECT_EQ(wrong_until_banned(at("192.0.2.9")), 1'000U) << "it was not";
  EXPECT_TRUE(is_banned(client));
}

TEST_F(BansTest, many_guessers_end_nobodys_ban) {
  terms.window = milliseconds(3'600'000);  // longer than the ban is remembered
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
  for (std::size_t i = 0; i < 2 * Bans::kAddressesMax; ++i)
    EXPECT_EQ(wrong(many(i)), 0U);
  EXPECT_TRUE(is_banned(client));
  now_ms += 1'000;
  EXPECT_EQ(wrong_until_banned(client), 2'000U) << "nor is forgotten that there was one";
}

TEST_F(BansTest, many_bans_end_the_shortest_ones_and_leave_room_to_count) {
  terms.window = milliseconds(500);
  EXPECT_EQ(wrong_until_banned(client), 1'000U);
  now_ms += 1'000;
  EXPECT_EQ(wrong_until_banned(client), 2'000U);
  terms.after = 1;
  for (std::size_t i = 0; i < Bans::kAddressesMax + 10; ++i)
    EXPECT_EQ(wrong(many(i)), 1'000U);
  EXPECT_TRUE(is_banned(client)) << "its ban is the longest";
  EXPECT_FALSE(is_banned(many(0)));
  EXPECT_TRUE(is_banned(many(Bans::kAddressesMax + 9)));
  terms.after = 2;
  const net::Endpoint other = at("192.0.2.8");
  EXPECT_EQ(wrong(other), 0U);
  for (std::size_t i = 0; i < Bans::kGuessersMin - 1; ++i)
    EXPECT_EQ(wrong(many(Bans::kAddressesMax * 2 + i)), 0U);
  EXPECT_EQ(wrong(other), 1'000U) << "it was counted";
  EXPECT_LE(bans.list(now_ms).size(), Bans::kAddressesMax - Bans::kGuessersMin + 2);
  EXPECT_TRUE(is_banned(client));
}

TEST_F(BansTest, a_site_is_banned_for_many_of_its_networks) {
  const auto network = [](std::uint32_t i) { return at(cat("2001:db8:7:", i + 1, "::1")); };
  for (std::uint32_t i = 0; i < Bans::kSiteBans; ++i) {
    EXPECT_FALSE(is_banned(at("2001:db8:7:abcd::1")));
    EXPECT_EQ(wrong_until_banned(network(i)), 1'000U);
  }
  EXPECT_TRUE(is_banned(at("2001:db8:7:abcd::1")));
  EXPECT_FALSE(is_banned(at("2001:db8:8::1")));
  EXPECT_EQ(wrong(at("2001:db8:7:abcd::1")), 0U);
  std::size_t sites = 0;
  for (const Ban& ban : bans.list(now_ms))
    sites += ban.address == "2001:db8:7::/48" ? 1U : 0U;
  EXPECT_EQ(sites, 1U);
  EXPECT_TRUE(bans.lift(at("2001:db8:7:abcd::1"), now_ms));
  EXPECT_FALSE(is_banned(at("2001:db8:7:abcd::1")));
  EXPECT_TRUE(is_banned(network(0)));
}

TEST_F(BansTest, one_network_never_bans_its_site) {
  terms.time_max = terms.time;
  terms.window = milliseconds(3'600'000);
  for (std::uint32_t i = 0; i < 3 * Bans::kSiteBans; ++i) {
    EXPECT_EQ(wrong_until_banned(at("2001:db8:7:1::1")), 1'000U);
    EXPECT_FALSE(is_banned(at("2001:db8:7:abcd::1"))) << i;
    now_ms += 1'000;
  }
  for (std::uint32_t i = 2; i < Bans::kSiteBans; ++i)
    EXPECT_EQ(wrong_until_banned(at(cat("2001:db8:7:", i, "::1"))), 1'000U);
  EXPECT_FALSE(is_banned(at("2001:db8:7:abcd::1"))) << "it has counted once";
  EXPECT_EQ(wrong_until_banned(at("2001:db8:7:abcd::1")), 1'000U);
  EXPECT_TRUE(is_banned(at("2001:db8:7:abce::1"))) << "but it has counted";
}

TEST_F(BansTest, a_site_is_never_banned_for_longer) {
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t i = 1; i <= Bans::kSiteBans; ++i) {
      EXPECT_FALSE(is_banned(at("2001:db8:7:abcd::1"))) << "in round " << round << " at " << i;
      EXPECT_GE(wrong_until_banned(at(cat("2001:db8:7:", i, "::1"))), 1'000U);
    }
    EXPECT_TRUE(is_banned(at("2001:db8:7:abcd::1"))) << "each counts anew after a ban of the site";
    now_ms += 1'000;
    EXPECT_FALSE(is_banned(at("2001:db8:7:abcd::1")));
    now_ms += 6'000;  // the longest one of a network
  }
}

TEST_F(BansTest, those_by_hand_are_bounded) {
  for (std::size_t i = 0; i < Bans::kAddressesMax; ++i)
    ASSERT_EQ(bans.add(many(i), 0, now_ms), "");
  EXPECT_NE(bans.add(client, 0, now_ms), "");
  EXPECT_EQ(wrong(client), 0U);
  EXPECT_EQ(bans.add(many(0), 1, now_ms), "");
  now_ms += 1;
  EXPECT_EQ(bans.add(client, 0, now_ms), "") << "one has ended by itself";
  EXPECT_EQ(bans.lift_all(now_ms), Bans::kAddressesMax);
}

TEST_F(BansTest, any_thread) {
  std::atomic<int> banned{0};
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; i < 300; ++i) {
        for (std::size_t address = 0; address < 10; ++address) {
          if (bans.on_wrong_login(many(address), terms, now_ms) > 0) ++banned;
          if (bans.is_banned(many(address), now_ms) && i % 50 == 0) {
            if (bans.lift(many(address), now_ms)) --banned;
          }
        }
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(static_cast<std::size_t>(banned.load()), bans.list(now_ms).size());
}

}  // namespace
}  // namespace linnet::auth

// Who may begin a connection, and when that is asked of a link.
#include "transport/door.hpp"

#include <cerrno>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "support/link_loop.hpp"
#include "transport/socket_link.hpp"

namespace linnet::transport {
namespace {

net::Endpoint at(std::string_view address) {
  return *net::Endpoint::parse(address, 4711);
}

struct ManualClock final : Clock {
  [[nodiscard]] std::uint64_t now_ms() const noexcept override { return time_ms; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return 0; }
  std::uint64_t time_ms = 10'000;
};

class DoorTest : public testing::Test {
 protected:
  DoorTest() { log::set_level(log::Level::off); }
  ~DoorTest() override { log::set_level(log::Level::info); }

  static net::Networks networks(std::vector<std::string> texts) {
    std::string error;
    return *net::Networks::parse(texts, error);
  }
  std::unique_ptr<net::Admission> open(std::string_view address) {
    return door.open(at(address), now_ms);
  }
  std::uint64_t refused(Refusal refusal) const {
    return keeper.refused.at(static_cast<std::size_t>(refusal));
  }
  std::uint32_t half_open_of(std::string_view address) {
    return accounts.of_address(at(address))->half_open;
  }

  ManualClock clock;
  std::uint64_t& now_ms = clock.time_ms;
  auth::Accounts accounts{clock};
  auth::Bans bans;
  Entrance entrance;
  DoorKeeper keeper{accounts, bans, {}};
  Door door{entrance, keeper};
};

TEST_F(DoorTest, is_open_where_nothing_is_configured) {
  std::vector<std::unique_ptr<net::Admission>> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back(open("192.0.2.7"));
    ASSERT_NE(many.back(), nullptr);
  }
  EXPECT_EQ(accounts.half_open(), 100U);
  EXPECT_NE(door.open({}, now_ms), nullptr) << "a Unix socket";
}

TEST_F(DoorTest, networks_let_in_and_keep_out) {
  entrance.allow = networks({"192.0.2.0/24", "2001:db8::/32"});
  entrance.deny = networks({"192.0.2.128/25"});
  EXPECT_NE(open("192.0.2.7"), nullptr);
  EXPECT_NE(open("2001:db8::1"), nullptr);
  EXPECT_EQ(open("192.0.2.200"), nullptr);
  EXPECT_EQ(open("198.51.100.1"), nullptr);
  EXPECT_EQ(refused(Refusal::denied), 2U);
  entrance.allow = {};
  EXPECT_NE(open("198.51.100.1"), nullptr);
  EXPECT_EQ(open("192.0.2.200"), nullptr);
}

TEST_F(DoorTest, keeps_out_who_is_banned) {
  ASSERT_EQ(bans.add(at("192.0.2.7"), 1'000, now_ms), "");
  EXPECT_EQ(open("192.0.2.7"), nullptr);
  EXPECT_EQ(refused(Refusal::banned), 1U);
  EXPECT_NE(open("192.0.2.8"), nullptr);
  now_ms += 1'000;
  EXPECT_NE(open("192.0.2.7"), nullptr);
}

TEST_F(DoorTest, counts_half_open_connections) {
  keeper.terms.half_open_max = 3;
  keeper.terms.half_open_per_address_max = 2;
  auto first = open("192.0.2.7");
  auto second = open("192.0.2.7");
  EXPECT_EQ(open("192.0.2.7"), nullptr);
  EXPECT_EQ(refused(Refusal::half_open_per_address), 1U);
  auto other = open("192.0.2.8");
  EXPECT_NE(other, nullptr);
  EXPECT_EQ(open("192.0.2.9"), nullptr);
  EXPECT_EQ(refused(Refusal::half_open), 1U);
  EXPECT_EQ(half_open_of("192.0.2.9"), 0U) << "who is refused gives everything back";
  EXPECT_EQ(accounts.half_open(), 3U);
  first.reset();
  EXPECT_NE(open("192.0.2.7"), nullptr);
  keeper.terms.half_open_per_address_max = 1;
  EXPECT_EQ(open("192.0.2.7"), nullptr) << "the terms may change";
}

TEST_F(DoorTest, counts_how_often_an_address_connects) {
  keeper.terms.connections = {2, 1'000};
  EXPECT_NE(open("2001:db8::1"), nullptr);
  EXPECT_NE(open("2001:db8::2"), nullptr);
  EXPECT_EQ(open("2001:db8::3"), nullptr) << "of IPv6, the /64 counts";
  EXPECT_EQ(refused(Refusal::rate), 1U);
  EXPECT_NE(open("2001:db8:0:1::1"), nullptr);
  now_ms += 500;
  EXPECT_NE(open("2001:db8::4"), nullptr);
  EXPECT_EQ(open("2001:db8::5"), nullptr);
}

TEST_F(DoorTest, terms_come_from_the_configuration) {
  Config config;
  config.limits.half_open_max = 7;
  config.limits.half_open_per_address_max = 5;
  config.rates.address.connections = 3;
  config.rates.burst = std::chrono::milliseconds(900);
  const DoorTerms terms = door_terms(config);
  EXPECT_EQ(terms.half_open_max, 7U);
  EXPECT_EQ(terms.half_open_per_address_max, 5U);
  EXPECT_EQ(terms.connections.rate, 3U);
  EXPECT_EQ(terms.connections.burst_ms, 900U);
}

TEST_F(DoorTest, behind_a_proxy_the_told_address_counts) {
  entrance.trusted_proxies = networks({"10.0.0.0/8"});
  entrance.allow = networks({"192.0.2.0/24"});
  keeper.terms.half_open_per_address_max = 1;
  const auto first = open("10.0.0.1");
  const auto second = open("10.0.0.1");
  const auto third = open("10.0.0.1");
  ASSERT_TRUE(first && second && third) << "the proxy's own address is of no meaning";
  EXPECT_EQ(half_open_of("10.0.0.1"), 0U);
  EXPECT_TRUE(first->meet(at("192.0.2.7"), false, now_ms));
  EXPECT_TRUE(first->meet(at("198.51.100.1"), true, now_ms)) << "it has been met";
  EXPECT_FALSE(second->meet(at("192.0.2.7"), false, now_ms));
  EXPECT_FALSE(third->meet(at("198.51.100.1"), false, now_ms));
  EXPECT_EQ(refused(Refusal::half_open_per_address), 1U);
  EXPECT_EQ(refused(Refusal::denied), 1U);
}

TEST_F(DoorTest, a_proxy_that_tells_nothing_counts_itself) {
  entrance.trusted_proxies = networks({"10.0.0.0/8"});
  ASSERT_EQ(bans.add(at("10.0.0.2"), 0, now_ms), "");
  const auto first = open("10.0.0.1");
  const auto second = open("10.0.0.1");
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(first->meet(at("10.0.0.1"), false, now_ms)) << "not yet";
  EXPECT_EQ(half_open_of("10.0.0.1"), 0U);
  EXPECT_TRUE(first->meet(at("10.0.0.1"), true, now_ms));
  EXPECT_EQ(half_open_of("10.0.0.1"), 1U);
  EXPECT_TRUE(second->meet(at("10.0.0.2"), false, now_ms)) << "one proxy behind another";
  EXPECT_FALSE(second->meet(at("10.0.0.2"), true, now_ms));
}

/// What the link asks, and what it is answered.
struct Asked {
  struct Question {
    std::string client;
    bool final;
  };
  std::vector<Question> questions;
  bool answer = true;
  int alive = 0;
};

class ScriptedAdmission final : public net::Admission {
 public:
  explicit ScriptedAdmission(Asked& asked) : asked_(asked) { ++asked_.alive; }
  ~ScriptedAdmission() override { --asked_.alive; }
  bool meet(const net::Endpoint& client, bool final, std::uint64_t /*now_ms*/) override {
    asked_.questions.push_back({client.address_text(), final});
    return asked_.answer;
  }

 private:
  Asked& asked_;
};

/// Takes a line with an address, and then gives way to nothing; or knows it from the start.
class TellingChannel final : public net::Channel {
 public:
  explicit TellingChannel(bool stays) : stays_(stays) {}

  net::ReadResult read(int socket, std::span<char> room) override {
    const net::ReadResult result = net::read_from(nullptr, socket, room);
    if (told_ || result.state != net::ReadResult::State::bytes) return result;
    told_ = net::Endpoint::parse({room.data(), result.count}, 4711);
    return {};
  }
  net::WriteResult write(int socket, std::span<const iovec> parts) override {
    return net::write_to(nullptr, socket, parts);
  }
  net::WriteResult end(int /*socket*/) override { return {}; }
  Successor take_successor() override { return {told_ && !stays_, nullptr}; }
  const net::Endpoint* told_endpoint() const noexcept override { return told_ ? &*told_ : nullptr; }

 private:
  bool stays_;
  std::optional<net::Endpoint> told_;
};

class AdmissionTest : public testing::Test {
 protected:
  void join(std::unique_ptr<net::Channel> channel) {
    auto made =
        std::make_unique<SocketLink>(std::move(pair.ours), at("10.0.0.1"), traits, loop.reactor);
    link = made.get();
    if (channel) link->use(std::move(channel));
    link->hold(std::make_unique<ScriptedAdmission>(asked));
    user.link = link;
    link->set_user(&user);
    link->join(std::move(made), loop.reactor);
  }
  void send(std::string_view bytes) {
    ASSERT_EQ(::send(pair.theirs.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    loop.settle();
  }
  [[nodiscard]] bool has_ended() {
    char byte = 0;
    return ::recv(pair.theirs.get(), &byte, 1, 0) == 0;
  }

  net::ListenerTraits traits;
  test::Loop loop;
  test::Pair pair = test::unix_pair();
  test::User user;
  Asked asked;
  SocketLink* link = nullptr;
};

TEST_F(AdmissionTest, is_asked_before_the_first_bytes_are_shown) {
  join(nullptr);
  loop.settle();
  EXPECT_TRUE(asked.questions.empty());
  send("CONNECT");
  ASSERT_EQ(asked.questions.size(), 1U);
  EXPECT_EQ(asked.questions[0].client, "10.0.0.1");
  EXPECT_TRUE(asked.questions[0].final);
  EXPECT_EQ(user.taken, "CONNECT");
  link->let_in();
  EXPECT_EQ(asked.alive, 0);
  link->let_in();
  send("PUBLISH");
  EXPECT_EQ(asked.questions.size(), 1U) << "it is in";
  EXPECT_EQ(user.taken, "CONNECTPUBLISH");
  link->close(net::CloseMode::now);
  loop.settle();
}

TEST_F(AdmissionTest, who_is_not_welcome_is_closed_and_not_shown) {
  asked.answer = false;
  join(nullptr);
  send("CONNECT");
  EXPECT_EQ(user.taken, "");
  EXPECT_EQ(user.closes, 1);
  EXPECT_TRUE(has_ended() || errno == ECONNRESET);
  EXPECT_EQ(asked.alive, 0) << "its place is given back";
}

TEST_F(AdmissionTest, a_channel_that_gives_way_has_told) {
  join(std::make_unique<TellingChannel>(false));
  send("192.0.2.7");
  ASSERT_EQ(asked.questions.size(), 1U);
  EXPECT_EQ(asked.questions[0].client, "192.0.2.7");
  EXPECT_FALSE(asked.questions[0].final);
  EXPECT_EQ(link->endpoint().address_text(), "192.0.2.7");
  link->close(net::CloseMode::now);
  loop.settle();
}

TEST_F(AdmissionTest, a_channel_that_stays_has_told_too) {
  join(std::make_unique<TellingChannel>(true));
  asked.answer = false;
  send("192.0.2.7");
  ASSERT_EQ(asked.questions.size(), 1U);
  EXPECT_EQ(asked.questions[0].client, "192.0.2.7");
  EXPECT_EQ(user.closes, 1);
  EXPECT_EQ(asked.alive, 0);
}

TEST_F(AdmissionTest, is_given_back_by_those_who_go) {
  join(nullptr);
  EXPECT_EQ(asked.alive, 1);
  pair.theirs.close();
  loop.settle();
  EXPECT_EQ(user.closes, 1);
  EXPECT_EQ(asked.alive, 0);
  EXPECT_TRUE(asked.questions.empty());
}

}  // namespace
}  // namespace linnet::transport

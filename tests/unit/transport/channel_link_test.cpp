// A link and its channel: what the link owes a channel that keeps bytes inside, is blocked on its
// own account, fails, or gives way to another one.
#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "support/link_loop.hpp"
#include "transport/socket_link.hpp"

namespace linnet::transport {
namespace {

using net::CloseMode;
using net::ReadResult;
using net::WriteResult;
using test::Loop;
using test::Pair;
using test::User;

/// What the test tells its channel to do, and what the link has asked of it.
struct Script {
  std::size_t show_max = 1 << 16;  // bytes that one read() gives
  bool opening = false;
  bool has_own = false;  // the channel has something to write, and the socket takes nothing
  bool stuck = false;    // the same, but it does not say that it is blocked
  bool refuses = false;  // the next bytes are wrong
  bool end_blocked = false;
  bool changes = false;  // the next read() gives way to `next`
  std::unique_ptr<net::Channel> next;
  std::string held;
  int reads = 0;
  int writes = 0;
  int ends = 0;
  int alive = 0;
};

class ScriptedChannel final : public net::Channel {
 public:
  explicit ScriptedChannel(Script& script) : script_(script) { ++script_.alive; }
  ~ScriptedChannel() override { --script_.alive; }

  ReadResult read(int socket, std::span<char> room) override {
    ++script_.reads;
    if (script_.held.empty()) {
      const ReadResult result = net::read_from(nullptr, socket, room);
      if (result.state != ReadResult::State::bytes) return result;
      if (script_.refuses) return {ReadResult::State::failed};
      script_.held.assign(room.data(), result.count);
    }
    const std::size_t count = std::min(script_.show_max, script_.held.size());
    std::copy_n(script_.held.begin(), count, room.begin());
    script_.held.erase(0, count);
    return {count == 0 ? ReadResult::State::again : ReadResult::State::bytes, count};
  }
  bool has_more() const noexcept override { return !script_.held.empty(); }
  WriteResult write(int socket, std::span<const iovec> parts) override {
    ++script_.writes;
    if (script_.has_own) return {0, true, false};
    if (script_.stuck) return {};
    return net::write_to(nullptr, socket, parts);
  }
  bool wants_write() const noexcept override { return script_.has_own || script_.stuck; }
  WriteResult end(int socket) override {
    ++script_.ends;
    if (script_.end_blocked) return {0, true, false};
    iovec bye{const_cast<char*>("bye"), 3};
    return net::write_to(nullptr, socket, {&bye, 1});
  }
  bool is_opening() const noexcept override { return script_.opening; }
  Successor take_successor() override {
    if (!script_.changes) return {};
    return {true, std::move(script_.next)};
  }
  std::string fault() const override { return script_.refuses ? "it broke the rules" : ""; }

 private:
  Script& script_;
};

class ChannelLinkTest : public testing::Test {
 protected:
  ChannelLinkTest() {
    auto link = std::make_unique<SocketLink>(std::move(pair_.ours), net::Endpoint(), listener_,
                                             loop_.reactor);
    link->use(std::make_unique<ScriptedChannel>(script_));
    link_ = link.get();
    link_->set_user(&user_);
    user_.link = link_;
    link_->join(std::move(link), loop_.reactor);
  }

  void send(std::string_view bytes) const {
    ASSERT_EQ(::send(pair_.theirs.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// The user has got two bytes and paused; the others are in the channel.
  void pause_after_two_of(std::string_view bytes) {
    script_.show_max = 2;
    user_.take = [this](std::string_view shown) {
      link_->pause();
      return shown.size();
    };
    send(bytes);
    ASSERT_TRUE(loop_.until([&] { return user_.shows == 1; }));
  }
  std::string receive() {
    std::array<char, 4096> room{};
    const auto size = ::recv(pair_.theirs.get(), room.data(), room.size(), 0);
    return size > 0 ? std::string(room.data(), static_cast<std::size_t>(size)) : std::string();
  }

  net::ListenerTraits listener_;
  Script script_;
  Loop loop_;
  User user_;
  Pair pair_ = test::tcp_pair();
  SocketLink* link_ = nullptr;
};

TEST_F(ChannelLinkTest, bytes_that_the_channel_keeps_are_shown_without_waiting_for_the_socket) {
  script_.show_max = 2;
  send("abcdefg");
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "abcdefg"; }));
}

TEST_F(ChannelLinkTest, bytes_that_the_channel_keeps_wait_for_resume) {
  pause_after_two_of("abcdefg");
  loop_.settle();
  EXPECT_EQ(user_.taken, "ab");
  EXPECT_FALSE(loop_.reactor.busy());
  user_.take = nullptr;
  link_->resume();
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "abcdefg"; }));
}

TEST_F(ChannelLinkTest, bytes_that_the_channel_keeps_move_with_the_link) {
  pause_after_two_of("abcdefg");
  auto travelling = link_->leave();
  Loop other;
  User user;
  net::Link& link = *travelling;
  link.join(std::move(travelling), other.reactor);
  link.set_user(&user);
  ASSERT_TRUE(other.until([&] { return user.taken == "cdefg"; }));
  link.close(CloseMode::now);
  other.settle();
}

TEST_F(ChannelLinkTest, what_the_channel_has_to_write_leaves_when_the_socket_takes_it) {
  script_.has_own = true;
  send("x");
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "x"; }));
  // The socket is writable, so the link is told at once; it asks again and again as long as the
  // channel says that it is blocked, but nothing of the user's overtakes it.
  link_->outbox().append("after");
  link_->touch();
  loop_.settle();
  EXPECT_EQ(receive(), "");
  script_.has_own = false;
  std::string received;
  ASSERT_TRUE(loop_.until([&] { return (received += receive()) == "after"; }));
}

TEST_F(ChannelLinkTest, a_refusal_is_told_with_its_reason_and_leaves_before_the_end) {
  script_.refuses = true;
  send("wrong");
  ASSERT_TRUE(loop_.until([&] { return user_.refusals == 1; }));
  EXPECT_EQ(user_.fault, "it broke the rules");
  EXPECT_EQ(user_.shows, 0);
  std::string received;
  ASSERT_TRUE(loop_.until([&] { return (received += receive()) == "bye"; }));
  EXPECT_EQ(script_.ends, 1);
  EXPECT_EQ(loop_.reactor.links(), 1U) << "it waits for the other side, so that nothing is reset";
  pair_.theirs.close();
  ASSERT_TRUE(loop_.until([&] { return loop_.reactor.links() == 0; }));
  EXPECT_EQ(script_.alive, 0);
}

TEST_F(ChannelLinkTest, a_channel_that_makes_no_headway_is_asked_once_a_turn) {
  script_.stuck = true;
  link_->touch();
  loop_.settle();
  EXPECT_LT(script_.writes, 200);
  EXPECT_GT(script_.writes, 0);
}

TEST_F(ChannelLinkTest, close_says_goodbye_after_the_last_packet) {
  link_->outbox().append("last ");
  script_.end_blocked = true;
  link_->close(CloseMode::flush);
  loop_.settle();
  EXPECT_GT(script_.ends, 0);
  script_.end_blocked = false;
  std::string received;
  ASSERT_TRUE(loop_.until([&] { return (received += receive()) == "last bye"; }));
}

TEST_F(ChannelLinkTest, close_now_says_what_can_be_said_at_once) {
  link_->outbox().append("last ");
  link_->close(CloseMode::now);
  loop_.settle();
  EXPECT_EQ(receive(), "last bye");
  EXPECT_EQ(script_.alive, 0);
}

TEST_F(ChannelLinkTest, another_channel_takes_over) {
  Script second;
  second.held = "known ";
  script_.next = std::make_unique<ScriptedChannel>(second);
  script_.changes = true;
  send("first ");
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "first known "; }));
  EXPECT_EQ(script_.alive, 0);
  send("more");
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "first known more"; }));
  EXPECT_EQ(second.reads, 2);
  link_->close(CloseMode::now);
  loop_.settle();
}

TEST_F(ChannelLinkTest, plain_bytes_follow_a_channel_that_is_followed_by_none) {
  script_.changes = true;
  send("a");
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "a"; }));
  EXPECT_EQ(script_.alive, 0);
  send("b");
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "ab"; }));
}

TEST_F(ChannelLinkTest, few_handshakes_are_done_in_a_turn) {
  constexpr int kMore = 20;
  script_.opening = true;
  std::vector<Pair> pairs;
  std::vector<std::unique_ptr<User>> users;
  for (int at = 0; at < kMore; ++at) {
    Pair& pair = pairs.emplace_back(test::unix_pair());
    User& user = *users.emplace_back(std::make_unique<User>());
    auto link = std::make_unique<SocketLink>(std::move(pair.ours), net::Endpoint(), listener_,
                                             loop_.reactor);
    link->use(std::make_unique<ScriptedChannel>(script_));
    link->set_user(&user);
    net::Link& kept = *link;
    kept.join(std::move(link), loop_.reactor);
    ASSERT_EQ(::send(pair.theirs.get(), "x", 1, 0), 1);
  }
  loop_.turn();
  EXPECT_EQ(script_.reads, 2);
  loop_.turn();
  EXPECT_EQ(script_.reads, 4);
  // Nobody is left out.
  const auto served = [](const auto& user) { return user->taken == "x"; };
  ASSERT_TRUE(loop_.until([&] { return std::all_of(users.begin(), users.end(), served); }));
}

}  // namespace
}  // namespace linnet::transport

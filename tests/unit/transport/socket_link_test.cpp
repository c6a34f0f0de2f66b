#include "transport/socket_link.hpp"

#include <gtest/gtest.h>
#include <string>
#include <sys/epoll.h>

#include "base/random.hpp"
#include "support/link_loop.hpp"
#include "transport/proxied.hpp"

namespace linnet::transport {
namespace {

using net::CloseMode;
using test::Loop;
using test::Pair;
using test::User;

struct Kind {
  const char* name;
  Pair (*pair)();
  bool channel;  // one that passes all bytes as they are
};

/// All kinds of sockets must behave alike, with a channel or without one.
class SocketLinkTest : public testing::TestWithParam<Kind> {
 protected:
  SocketLinkTest() {
    auto link = std::make_unique<SocketLink>(std::move(pair_.ours), net::Endpoint(), listener_,
                                             loop_.reactor);
    link_ = link.get();
    if (GetParam().channel) link_->use(std::make_unique<Proxied>("user"));
    link_->set_user(&user_);
    user_.link = link_;
    link_->join(std::move(link), loop_.reactor);
  }

  void send(std::string_view bytes) const {
    ASSERT_EQ(::send(pair_.theirs.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  /// Reads what is there; sets saw_end_ at the end of the stream.
  void receive(std::size_t size_max = 1 << 16) {
    std::string buffer(size_max, ' ');
    const auto size = ::recv(pair_.theirs.get(), buffer.data(), buffer.size(), 0);
    if (size > 0) received_.append(buffer, 0, static_cast<std::size_t>(size));
    if (size == 0) saw_end_ = true;
    if (size < 0 && errno != EAGAIN) receive_error_ = errno;
  }
  [[nodiscard]] bool until_received(std::size_t size) {
    return loop_.until([&] {
      receive();
      return received_.size() >= size;
    });
  }
  [[nodiscard]] bool until_end() {
    return loop_.until([&] {
      receive();
      return saw_end_ || receive_error_ != 0;
    });
  }
  [[nodiscard]] bool until_gone() {
    return loop_.until([&] { return loop_.reactor.links() == 0; });
  }
  void reply(std::string_view bytes) {
    link_->outbox().append(bytes);
    link_->touch();
  }
  /// More than the sockets' buffers hold, so that the link is blocked.
  std::string reply_too_much() {
    Random random(3);
    std::string digits;
    while (digits.size() < 1'000'003)
      digits += std::to_string(random.u64());
    std::string text;
    for (int copy = 0; copy < 16; ++copy)
      text += digits;
    reply(text);
    return text;
  }

  net::ListenerTraits listener_;
  Loop loop_;
  User user_;
  Pair pair_ = GetParam().pair();
  SocketLink* link_ = nullptr;
  std::string received_;
  bool saw_end_ = false;
  int receive_error_ = 0;
};

TEST_P(SocketLinkTest, echoes) {
  user_.take = [this](std::string_view bytes) {
    reply(bytes);
    return bytes.size();
  };
  send("hello");
  ASSERT_TRUE(until_received(5));
  send("again");
  ASSERT_TRUE(until_received(10));
  EXPECT_EQ(received_, "helloagain");
  EXPECT_EQ(user_.drains, 0) << "the outbox was empty at the end of each turn";
  EXPECT_EQ(loop_.counters.bytes_received, 10U);
  EXPECT_EQ(loop_.counters.bytes_sent, 10U);
  EXPECT_EQ(loop_.counters.writes, 2U);
  EXPECT_EQ(loop_.reactor.pool().used_bytes(), 0U) << "an idle link holds no buffer";
}

TEST_P(SocketLinkTest, many_appends_are_one_write) {
  for (int at = 0; at < 50; ++at)
    reply("packet");
  ASSERT_TRUE(until_received(300));
  EXPECT_EQ(loop_.counters.writes, 1U);
}

TEST_P(SocketLinkTest, shows_an_unfinished_packet_again_in_front_of_what_comes) {
  user_.take = [](std::string_view bytes) { return bytes.size() / 4 * 4; };
  send("abcdef");
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "abcd"; }));
  loop_.settle();
  EXPECT_EQ(user_.shows, 1) << "not again before something comes";
  send("gh");
  ASSERT_TRUE(loop_.until([&] { return user_.shows == 2; }));
  EXPECT_EQ(user_.shown, "efgh");
  EXPECT_EQ(user_.taken, "abcdefgh");
}

TEST_P(SocketLinkTest, packets_of_any_size_arrive_whole) {
  // A packet: three digits of its size in thousands, then as many letters.
  Random random(5);
  std::string sent;
  for (int packet = 0; packet < 40; ++packet) {
    const std::size_t thousands = random.below(10) == 0 ? random.below(900) : random.below(12);
    std::string head = std::to_string(thousands);
    head.insert(0, 3 - head.size(), '0');
    sent += head;
    for (std::size_t at = 0; at < thousands * 100; ++at)
      sent += std::to_string(random.u64() % 10);
    sent.append(thousands * 900, 'x');
  }
  user_.take = [](std::string_view bytes) {
    std::size_t done = 0;
    while (bytes.size() >= done + 3) {
      const auto size = std::stoul(std::string(bytes.substr(done, 3))) * 1000 + 3;
      if (bytes.size() < done + size) break;
      done += size;
    }
    return done;
  };
  std::size_t at = 0;
  ASSERT_TRUE(loop_.until([&] {
    const std::size_t size = std::min(sent.size() - at, 1 + random.below(70'000));
    const auto result = ::send(pair_.theirs.get(), sent.data() + at, size, MSG_NOSIGNAL);
    if (result > 0) at += static_cast<std::size_t>(result);
    return user_.taken.size() == sent.size();
  }));
  EXPECT_TRUE(user_.taken == sent);
}

TEST_P(SocketLinkTest, pause_stops_reading_and_resume_shows_kept_bytes_soon_after) {
  user_.take = [this](std::string_view) {
    link_->pause();
    return std::size_t{1};
  };
  send("abc");
  ASSERT_TRUE(loop_.until([&] { return user_.shows == 1; }));
  send("def");
  loop_.settle();
  EXPECT_EQ(user_.shows, 1);
  EXPECT_FALSE(loop_.reactor.poll(0) > 0) << "a paused link does not spin";
  link_->resume();
  EXPECT_EQ(user_.shows, 1) << "not from within resume()";
  loop_.reactor.flush();
  EXPECT_EQ(user_.shows, 2);
  EXPECT_EQ(user_.shown, "bc");
  user_.take = nullptr;
  link_->resume();
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "abcdef"; }));
}

TEST_P(SocketLinkTest, pausing_and_resuming_within_on_bytes_shows_the_rest) {
  user_.take = [this](std::string_view) {
    link_->pause();
    link_->resume();
    return std::size_t{1};
  };
  send("abcdefghij");
  ASSERT_TRUE(loop_.until([&] { return user_.taken == "abcdefghij"; }));
}

TEST_P(SocketLinkTest, a_user_that_pauses_often_is_not_read_ahead) {
  user_.take = [this](std::string_view) {
    link_->pause();
    return std::size_t{1};
  };
  const std::string chunk(2000, 'x');
  send(chunk);
  ASSERT_TRUE(loop_.until([&] { return user_.shows == 1; }));
  for (int count = 0; count < 20; ++count) {
    send(chunk);
    link_->resume();
    loop_.turn();
  }
  EXPECT_LE(user_.shown.size(), 2 * chunk.size());
}

TEST_P(SocketLinkTest, a_full_socket_blocks_and_drains) {
  const std::string text = reply_too_much();
  loop_.settle();
  EXPECT_FALSE(link_->outbox().empty());
  EXPECT_EQ(loop_.reactor.poll(0), 0U) << "a blocked link does not spin";
  reply("the end");
  ASSERT_TRUE(until_received(text.size() + 7));
  EXPECT_TRUE(received_ == text + "the end");
  EXPECT_EQ(user_.drains, 1);
  EXPECT_TRUE(link_->outbox().empty());
}

TEST_P(SocketLinkTest, close_flush_delivers_every_byte) {
  const std::string text = reply_too_much();
  link_->close(CloseMode::flush);
  EXPECT_EQ(link_->user(), nullptr);
  ASSERT_TRUE(until_end());
  EXPECT_TRUE(received_ == text);
  EXPECT_EQ(receive_error_, 0);
  EXPECT_EQ(loop_.reactor.links(), 1U) << "it waits for the other side";
  send("still talking");
  pair_.theirs.close();
  ASSERT_TRUE(until_gone());
  EXPECT_EQ(user_.closes, 0);
}

TEST_P(SocketLinkTest, close_flush_within_on_bytes_sends_the_last_word) {
  user_.take = [this](std::string_view bytes) {
    reply("go away");
    link_->close(CloseMode::flush);
    return bytes.size();
  };
  send("malformed");
  // What comes on top must not reset the connection before the last word is read.
  send("and more");
  ASSERT_TRUE(until_end());
  EXPECT_EQ(received_, "go away");
  EXPECT_EQ(receive_error_, 0);
  EXPECT_EQ(user_.shows, 1);
}

TEST_P(SocketLinkTest, lingering_ends_after_a_second) {
  link_->close(CloseMode::flush);
  loop_.settle();
  ASSERT_EQ(loop_.reactor.links(), 1U);
  loop_.timers.advance(loop_.reactor.now_ms() + 1000);
  loop_.reactor.flush();
  EXPECT_EQ(loop_.reactor.links(), 0U);
}

TEST_P(SocketLinkTest, who_has_said_goodbye_is_not_waited_for) {
  reply("last words");
  link_->close(CloseMode::leave);
  loop_.settle();
  // A channel may have an end of its own to exchange.
  EXPECT_EQ(loop_.reactor.links(), GetParam().channel ? 1U : 0U);
  EXPECT_TRUE(until_end());
  EXPECT_EQ(received_, "last words");
  EXPECT_EQ(receive_error_, 0);
}

TEST_P(SocketLinkTest, flushing_ends_after_five_seconds) {
  reply_too_much();
  link_->close(CloseMode::flush);
  loop_.settle();
  loop_.timers.advance(loop_.reactor.now_ms() + 4000);
  ASSERT_EQ(loop_.reactor.links(), 1U);
  loop_.timers.advance(loop_.reactor.now_ms() + 5000);
  loop_.reactor.flush();
  EXPECT_EQ(loop_.reactor.links(), 0U);
  EXPECT_EQ(loop_.reactor.pool().used_bytes(), 0U);
}

TEST_P(SocketLinkTest, close_now_within_on_bytes_is_safe) {
  user_.take = [this](std::string_view bytes) {
    link_->close(CloseMode::now);
    link_->close(CloseMode::now);
    EXPECT_EQ(bytes, "x");
    return bytes.size();
  };
  send("x");
  ASSERT_TRUE(until_gone());
  receive();
  EXPECT_TRUE(saw_end_);
  EXPECT_EQ(user_.closes, 0);
}

TEST_P(SocketLinkTest, close_now_sends_what_the_kernel_takes_at_once) {
  reply("the last word");
  link_->close(CloseMode::now);
  loop_.turn();
  receive();
  receive();
  EXPECT_TRUE(saw_end_);
  EXPECT_EQ(received_, "the last word");
}

TEST_P(SocketLinkTest, the_other_side_closing_is_told_after_its_last_bytes) {
  user_.take = [](std::string_view) { return std::size_t{0}; };
  send("unfinished");
  pair_.theirs.close();
  ASSERT_TRUE(loop_.until([&] { return user_.closes == 1; }));
  EXPECT_EQ(user_.shown, "unfinished");
  EXPECT_FALSE(user_.why);
  EXPECT_EQ(loop_.reactor.links(), 0U);
}

TEST_P(SocketLinkTest, bytes_sent_before_a_reset_are_not_lost) {
  // The other side has our bytes unread when it closes, so the kernel resets the connection.
  reply("unread");
  loop_.settle();
  send("goodbye");
  pair_.theirs.close();
  reply("more");
  ASSERT_TRUE(loop_.until([&] { return user_.closes == 1; }));
  EXPECT_EQ(user_.taken, "goodbye");
}

TEST_P(SocketLinkTest, a_reset_is_noticed_while_paused) {
  link_->pause();
  reply("unread");
  loop_.settle();
  pair_.theirs.close();
  ASSERT_TRUE(loop_.until([&] { return user_.closes == 1; }));
}

TEST_P(SocketLinkTest, a_blocked_link_notices_that_the_other_side_went_away) {
  reply_too_much();
  loop_.settle();
  pair_.theirs.close();
  ASSERT_TRUE(loop_.until([&] { return user_.closes == 1; }));
  EXPECT_EQ(loop_.reactor.pool().used_bytes(), 0U);
}

TEST_P(SocketLinkTest, moves_to_another_loop_with_its_unread_bytes) {
  user_.take = [this](std::string_view) {
    link_->pause();
    return std::size_t{7};
  };
  send("CONNECTrest");
  ASSERT_TRUE(loop_.until([&] { return user_.shows == 1; }));
  send(" later");
  auto travelling = link_->leave();
  EXPECT_EQ(loop_.reactor.links(), 0U);
  EXPECT_EQ(link_->user(), nullptr);
  loop_.settle();

  Loop other;
  User user;
  user.take = [](std::string_view bytes) { return bytes.ends_with("later") ? bytes.size() : 0; };
  net::Link& link = *travelling;
  link.join(std::move(travelling), other.reactor);
  link.set_user(&user);
  EXPECT_EQ(user.shows, 0);
  other.reactor.flush();
  EXPECT_EQ(user.shown, "rest") << "without waiting for more";
  ASSERT_TRUE(other.until([&] { return user.taken == "rest later"; }));
  link.outbox().append("welcome");
  link.touch();
  other.turn();
  receive();
  EXPECT_EQ(received_, "welcome");
  EXPECT_EQ(other.counters.bytes_sent, 7U);
  EXPECT_EQ(user_.shows, 1);
  EXPECT_EQ(user_.closes, 0);
}

TEST_P(SocketLinkTest, a_move_takes_back_its_flush_and_its_events) {
  // The link is touched, and ready to be read in the same batch of events as another one that
  // moves it away.
  struct Mover final : net::ReadyHandler {
    void on_ready(std::uint32_t) override { move(); }
    std::function<void()> move;
  } mover;
  std::unique_ptr<net::Link> travelling;
  mover.move = [&] {
    link_->touch();
    if (!travelling && user_.shows == 0) travelling = link_->leave();
  };
  Pair bell = test::unix_pair();
  // The link is put behind the mover.
  auto link = link_->leave();
  const auto slot = loop_.reactor.add(bell.ours.get(), EPOLLIN, mover);
  ASSERT_TRUE(slot);
  link_->set_user(&user_);
  link_->join(std::move(link), loop_.reactor);
  ASSERT_EQ(::send(bell.theirs.get(), "!", 1, 0), 1);
  send("too late");
  loop_.reactor.poll(0);
  EXPECT_TRUE(travelling != nullptr);
  EXPECT_EQ(user_.shows, 0);
  loop_.reactor.flush();
  loop_.reactor.remove(*slot);
  travelling.reset();
  receive();
  EXPECT_TRUE(saw_end_ || receive_error_ != 0) << "a link that is dropped closes its socket";
}

TEST_P(SocketLinkTest, a_loop_that_ends_closes_its_links) {
  reply("some");
  // Destruction in the fixture's order: nothing may be told, nothing may leak (see the sanitizers).
  EXPECT_EQ(loop_.reactor.links(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Sockets, SocketLinkTest,
                         testing::Values(Kind{"unix", &test::unix_pair, false},
                                         Kind{"tcp", &test::tcp_pair, false},
                                         Kind{"unix_channel", &test::unix_pair, true},
                                         Kind{"tcp_channel", &test::tcp_pair, true}),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace linnet::transport

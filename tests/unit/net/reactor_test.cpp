#include "net/reactor.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

#include "net/file_descriptor.hpp"
#include "net/link.hpp"

namespace linnet::net {
namespace {

/// A descriptor that is ready to be read as long as it has been rung.
struct Bell final : ReadyHandler {
  Bell() : fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  void ring() const { EXPECT_EQ(::eventfd_write(fd.get(), 1), 0); }
  void on_ready(std::uint32_t events) override {
    seen = events;
    ++calls;
    if (then) then();
  }

  FileDescriptor fd;
  int calls = 0;
  std::uint32_t seen = 0;
  std::function<void()> then;
};

struct Flusher final : FlushHandler {
  void on_flush() override {
    ++calls;
    if (then) then();
  }
  int calls = 0;
  std::function<void()> then;
};

/// A link without a wire, to be kept and ended.
class IdleLink final : public Link {
 public:
  IdleLink(BlockPool& pool, int& destroyed) : Link(listener_, pool), destroyed_(&destroyed) {}
  ~IdleLink() override { ++*destroyed_; }
  std::string peer() const override { return "nobody"; }
  void pause() override {}
  void resume() override {}
  void close(CloseMode) override {}
  std::unique_ptr<Link> leave() override { return nullptr; }
  void join(std::unique_ptr<Link>, Reactor&) override {}
  void on_touched() override {}

 private:
  static inline const ListenerTraits listener_{};
  int* destroyed_;
};

class ReactorTest : public testing::Test {
 protected:
  TimerWheel timers_{1};
  LinkCounters counters_;
  Reactor reactor_{timers_, counters_};
};

TEST_F(ReactorTest, tells_who_is_ready_as_long_as_it_is) {
  Bell bell;
  const auto slot = reactor_.add(bell.fd.get(), EPOLLIN, bell);
  ASSERT_TRUE(slot);
  EXPECT_EQ(reactor_.poll(0), 0U);
  bell.ring();
  EXPECT_EQ(reactor_.poll(0), 1U);
  EXPECT_EQ(reactor_.poll(0), 1U);
  EXPECT_EQ(bell.calls, 2);
  EXPECT_EQ(bell.seen, std::uint32_t{EPOLLIN});
  reactor_.modify(*slot, EPOLLOUT);
  EXPECT_EQ(reactor_.poll(0), 1U);
  EXPECT_EQ(bell.seen, std::uint32_t{EPOLLOUT});
  reactor_.remove(*slot);
  EXPECT_EQ(reactor_.poll(0), 0U);
  EXPECT_EQ(bell.calls, 3);
}

TEST_F(ReactorTest, a_descriptor_that_cannot_be_watched_is_an_error) {
  Bell bell;
  EXPECT_FALSE(reactor_.add(-1, EPOLLIN, bell));
  const auto slot = reactor_.add(bell.fd.get(), EPOLLIN, bell);
  ASSERT_TRUE(slot);
  const auto again = reactor_.add(bell.fd.get(), EPOLLIN, bell);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error(), std::errc::file_exists);
  reactor_.remove(*slot);
}

TEST_F(ReactorTest, an_event_fetched_before_its_slot_changed_hands_is_ignored) {
  // Whichever of the two comes first removes the other and puts a third in its slot.
  Bell first;
  Bell second;
  Bell third;
  const auto first_slot = reactor_.add(first.fd.get(), EPOLLIN, first);
  const auto second_slot = reactor_.add(second.fd.get(), EPOLLIN, second);
  ASSERT_TRUE(first_slot && second_slot);
  Reactor::Slot third_slot = 0;
  const auto replace = [&](Reactor::Slot other) {
    reactor_.remove(other);
    const auto slot = reactor_.add(third.fd.get(), EPOLLIN, third);
    ASSERT_TRUE(slot);
    ASSERT_EQ(*slot, other) << "the slot is used again at once";
    third_slot = *slot;
  };
  first.then = [&] { replace(*second_slot); };
  second.then = [&] { replace(*first_slot); };
  first.ring();
  second.ring();
  EXPECT_EQ(reactor_.poll(0), 2U);
  EXPECT_EQ(first.calls + second.calls, 1);
  EXPECT_EQ(third.calls, 0);
  first.then = second.then = nullptr;
  third.ring();
  EXPECT_EQ(reactor_.poll(0), 2U);
  EXPECT_EQ(third.calls, 1);
}

TEST_F(ReactorTest, wakes_from_another_thread) {
  std::thread other([this] { reactor_.wake(); });
  EXPECT_EQ(reactor_.poll(-1), 1U);
  other.join();
  EXPECT_EQ(reactor_.poll(0), 0U) << "one wake-up wakes once";
  reactor_.wake();
  reactor_.wake();
  EXPECT_EQ(reactor_.poll(-1), 1U);
  EXPECT_EQ(reactor_.poll(0), 0U);
}

TEST_F(ReactorTest, flushes_once_at_the_end_of_the_turn) {
  Flusher flusher;
  reactor_.flush_later(flusher);
  EXPECT_TRUE(reactor_.busy());
  reactor_.poll(-1);  // must not wait
  EXPECT_EQ(flusher.calls, 0);
  reactor_.flush();
  reactor_.flush();
  EXPECT_EQ(flusher.calls, 1);
  EXPECT_FALSE(reactor_.busy());
}

TEST_F(ReactorTest, a_flush_that_asks_again_does_not_hold_up_the_loop) {
  Flusher restless;
  restless.then = [&] { reactor_.flush_later(restless); };
  reactor_.flush_later(restless);
  reactor_.flush();
  EXPECT_GE(restless.calls, 2);
  EXPECT_LE(restless.calls, 10);
  EXPECT_TRUE(reactor_.busy());
  reactor_.forget_flush(restless);
  EXPECT_FALSE(reactor_.busy());
}

TEST_F(ReactorTest, a_flush_taken_back_during_the_flush_does_not_happen) {
  Flusher first;
  Flusher second;
  first.then = [&] { reactor_.forget_flush(second); };
  reactor_.flush_later(first);
  reactor_.flush_later(second);
  reactor_.flush();
  EXPECT_EQ(second.calls, 0);
}

TEST_F(ReactorTest, keeps_links_to_the_end_of_the_turn_in_which_they_end) {
  int destroyed = 0;
  const auto keep = [&]() -> Link& {
    return reactor_.keep(std::make_unique<IdleLink>(reactor_.pool(), destroyed));
  };
  Link& first = keep();
  Link& second = keep();
  Link& third = keep();
  EXPECT_EQ(reactor_.links(), 3U);
  reactor_.end(first);
  EXPECT_EQ(reactor_.links(), 2U);
  EXPECT_EQ(first.peer(), "nobody") << "still there";
  EXPECT_EQ(destroyed, 0);
  reactor_.flush();
  EXPECT_EQ(destroyed, 1);
  auto released = reactor_.release(third);
  EXPECT_EQ(released.get(), &third);
  reactor_.end(second);
  reactor_.flush();
  EXPECT_EQ(destroyed, 2);
  EXPECT_EQ(reactor_.links(), 0U);
}

TEST_F(ReactorTest, is_itself_pollable) {
  FileDescriptor outer(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  ASSERT_EQ(::epoll_ctl(outer.get(), EPOLL_CTL_ADD, reactor_.native_handle(), &event), 0);
  EXPECT_EQ(::epoll_wait(outer.get(), &event, 1, 0), 0);
  reactor_.wake();
  EXPECT_EQ(::epoll_wait(outer.get(), &event, 1, 0), 1);
  reactor_.poll(0);
  EXPECT_EQ(::epoll_wait(outer.get(), &event, 1, 0), 0);
}

}  // namespace
}  // namespace linnet::net

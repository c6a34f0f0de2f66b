// A server is used by several threads at once, and a channel moves between them.
#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include "unit/web/visitor.hpp"

namespace linnet::web {
namespace {

TEST(WebThreads, several_open_and_end_channels_of_one_server) {
  const Server server(usual_rules());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&server, &good] {
      for (int at = 0; at < 200; ++at) {
        Visitor visitor(server);
        visitor.upgrade();
        visitor.receive(message("in") + frame(kFin | kPing, ""));
        const auto result = visitor.write("out");
        if (visitor.take_bytes() == "in" && result.count == 3) ++good;
        if (at % 2 == 0) (void)visitor.channel().end(-1);
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(good, 800);
}

/// Each of two threads does one step and hands the visitor to the other, as a letter would.
TEST(WebThreads, channel_moves_between_two) {
  const Server server(usual_rules());
  Visitor visitor(server);
  std::atomic<int> turn = 0;
  constexpr int kSteps = 400;
  const std::string large = numbered(20'000);
  std::string expected;
  for (int step = 1; step < kSteps; ++step)
    expected += "ab" + large;
  const auto work = [&](int own) {
    for (int step = own; step < kSteps; step += 2) {
      for (int now = turn; now != step; now = turn)
        turn.wait(now);
      if (step == 0) visitor.upgrade();
      if (step > 0) {
        const std::string half = message(large);
        visitor.receive(message("a") + message("b").substr(0, 3));
        visitor.wire().incoming = message("b").substr(3) + half.substr(0, 9'000);
        visitor.receive(half.substr(9'000) + frame(kFin | kPing, "p"));
        visitor.wire().capacity = 3;
        (void)visitor.write("message");
        visitor.wire().capacity = 1 << 20;
        EXPECT_EQ(visitor.write("message").count, 7U);
      }
      turn = step + 1;
      turn.notify_all();
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  EXPECT_TRUE(visitor.take_bytes() == expected);
  EXPECT_EQ(visitor.take_sent().size(), 2U * (kSteps - 1));
}

}  // namespace
}  // namespace linnet::web

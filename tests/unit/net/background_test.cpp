#include "net/background.hpp"

#include <future>
#include <gtest/gtest.h>
#include <memory>
#include <thread>
#include <vector>

namespace linnet::net {
namespace {

/// A job that does not end before it is told to.
struct Hanging {
  void start_in(Background& background) {
    EXPECT_TRUE(background.run([this] {
      began.set_value();
      go_on.get_future().wait();
    }));
    began.get_future().wait();
  }
  std::promise<void> began;
  std::promise<void> go_on;
};

TEST(BackgroundTest, RunsJobsInOrderAndNotHere) {
  Background background;
  std::vector<int> order;
  std::promise<std::thread::id> last;
  EXPECT_TRUE(background.run([&] { order.push_back(1); }));
  EXPECT_TRUE(background.run([&] { order.push_back(2); }));
  EXPECT_TRUE(background.run([&] { last.set_value(std::this_thread::get_id()); }));
  EXPECT_NE(last.get_future().get(), std::this_thread::get_id());
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(BackgroundTest, LetsNobodyWaitForAJob) {
  Background background;
  Hanging hanging;
  hanging.start_in(background);
  EXPECT_TRUE(background.run([] {}));  // returns
  hanging.go_on.set_value();
}

TEST(BackgroundTest, DropsWhatIsTooMuch) {
  Background background;
  Hanging hanging;
  hanging.start_in(background);
  std::size_t ran = 0;
  for (std::size_t at = 0; at < Background::kWaitingMax; ++at)
    EXPECT_TRUE(background.run([&] { ++ran; }));
  EXPECT_FALSE(background.run([&] { ran += 1000; }));
  hanging.go_on.set_value();
  std::promise<void> done;
  while (!background.run([&] { done.set_value(); }))
    std::this_thread::yield();
  done.get_future().wait();
  EXPECT_EQ(ran, Background::kWaitingMax);
}

TEST(BackgroundTest, EndsWithTheJobThatRuns) {
  auto background = std::make_unique<Background>();
  Hanging hanging;
  hanging.start_in(*background);
  const auto shared = std::make_shared<int>(1);
  EXPECT_TRUE(background->run([shared] {}));
  std::thread end([&] { background.reset(); });
  hanging.go_on.set_value();
  end.join();
  EXPECT_EQ(shared.use_count(), 1);
}

TEST(BackgroundTest, LetsGoOfWhatAJobHolds) {
  Background background;
  auto owned = std::make_shared<std::promise<void>>();
  const std::weak_ptr<std::promise<void>> watched = owned;
  EXPECT_TRUE(background.run([held = std::move(owned)] {}));
  std::promise<void> next;
  EXPECT_TRUE(background.run([&] { next.set_value(); }));
  next.get_future().wait();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace linnet::net

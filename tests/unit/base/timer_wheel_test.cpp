#include "base/timer_wheel.hpp"

#include <algorithm>
#include <deque>
#include <gtest/gtest.h>
#include <memory>
#include <utility>
#include <vector>

#include "base/random.hpp"

namespace linnet {
namespace {

constexpr std::uint64_t kStart = 1'000'003;

/// A timer that writes down when it fires.
struct Probe {
  explicit Probe(TimerWheel& of) : wheel(&of), timer(Timer::calling<&Probe::on_time>(*this)) {}
  void on_time() { fired.push_back(wheel->now_ms()); }

  TimerWheel* wheel;
  std::vector<std::uint64_t> fired;
  Timer timer;
};

TEST(TimerWheel, is_small) {
  EXPECT_LE(sizeof(Timer), 5 * sizeof(void*) + 8);
}

TEST(TimerWheel, fires_once_and_not_early) {
  TimerWheel wheel(kStart);
  Probe probe(wheel);
  EXPECT_EQ(wheel.next_ms(), std::nullopt);
  wheel.arm(probe.timer, kStart + 1000);
  EXPECT_TRUE(probe.timer.armed());
  wheel.advance(kStart + 999);
  EXPECT_TRUE(probe.fired.empty());
  wheel.advance(kStart + 1000);
  EXPECT_EQ(probe.fired, std::vector{kStart + 1000});
  EXPECT_FALSE(probe.timer.armed());
  wheel.advance(kStart + 100'000);
  EXPECT_EQ(probe.fired.size(), 1U);
}

TEST(TimerWheel, deadline_in_the_past_fires_with_the_next_advance) {
  TimerWheel wheel(kStart);
  Probe probe(wheel);
  wheel.arm(probe.timer, 0);
  EXPECT_EQ(wheel.next_ms(), kStart);
  wheel.advance(kStart);
  EXPECT_EQ(probe.fired.size(), 1U);
}

TEST(TimerWheel, arming_again_moves_the_deadline) {
  TimerWheel wheel(kStart);
  Probe probe(wheel);
  wheel.arm(probe.timer, kStart + 10);
  wheel.arm(probe.timer, kStart + 5000);
  wheel.advance(kStart + 4999);
  EXPECT_TRUE(probe.fired.empty());
  wheel.advance(kStart + 5000);
  EXPECT_EQ(probe.fired.size(), 1U);
}

TEST(TimerWheel, cancelled_and_destroyed_timers_do_not_fire) {
  TimerWheel wheel(kStart);
  Probe cancelled(wheel);
  wheel.arm(cancelled.timer, kStart + 50);
  {
    Probe destroyed(wheel);
    wheel.arm(destroyed.timer, kStart + 50);
  }
  cancelled.timer.cancel();
  EXPECT_EQ(wheel.next_ms(), std::nullopt);
  wheel.advance(kStart + 100);
  EXPECT_TRUE(cancelled.fired.empty());
}

TEST(TimerWheel, timers_outlive_the_wheel) {
  auto wheel = std::make_unique<TimerWheel>(kStart);
  Probe near(*wheel);
  Probe past(*wheel);
  wheel->arm(near.timer, kStart + 50);
  wheel->arm(past.timer, kStart);
  wheel.reset();
  EXPECT_FALSE(near.timer.armed());
  EXPECT_FALSE(past.timer.armed());
}

TEST(TimerWheel, far_deadlines_fire_at_their_time) {
  constexpr std::uint64_t kYears136Ms = std::uint64_t{0xFFFF'FFFF} * 1000;
  TimerWheel wheel(kStart);
  Probe far(wheel);
  Probe never(wheel);
  wheel.arm(far.timer, kStart + kYears136Ms);
  wheel.arm(never.timer, ~std::uint64_t{0});
  wheel.advance(kStart + kYears136Ms - 1);
  EXPECT_TRUE(far.fired.empty());
  wheel.advance(kStart + kYears136Ms);
  EXPECT_EQ(far.fired.size(), 1U);
  EXPECT_TRUE(never.timer.armed());
}

TEST(TimerWheel, next_leads_to_the_deadline_in_few_steps) {
  TimerWheel wheel(kStart);
  Probe probe(wheel);
  const std::uint64_t deadline_ms = kStart + 7'654'321;
  wheel.arm(probe.timer, deadline_ms);
  int steps = 0;
  while (probe.fired.empty()) {
    const auto next = wheel.next_ms();
    ASSERT_TRUE(next && *next <= deadline_ms && *next > wheel.now_ms());
    wheel.advance(*next);
    ASSERT_LT(++steps, 9);
  }
  EXPECT_EQ(wheel.now_ms(), deadline_ms);
}

/// What callbacks may do: each of these is run by the first of two timers of one tick.
struct Pair {
  explicit Pair(TimerWheel& of)
      : wheel(&of),
        first(std::make_unique<Timer>([](void* self) { static_cast<Pair*>(self)->run(); }, this)),
        second(std::make_unique<Timer>([](void* self) { ++static_cast<Pair*>(self)->seconds; },
                                       this)) {
    wheel->arm(*first, kStart + 10);
    wheel->arm(*second, kStart + 10);
  }
  void run() {
    ++firsts;
    action(*this);
  }

  TimerWheel* wheel;
  int firsts = 0;
  int seconds = 0;
  void (*action)(Pair&) = nullptr;
  std::unique_ptr<Timer> first;
  std::unique_ptr<Timer> second;
};

TEST(TimerWheel, callback_may_cancel_or_destroy_any_timer) {
  TimerWheel wheel(kStart);
  Pair cancels(wheel);
  cancels.action = [](Pair& pair) { pair.second->cancel(); };
  Pair destroys(wheel);
  destroys.action = [](Pair& pair) {
    pair.first.reset();
    pair.second.reset();
  };
  wheel.advance(kStart + 10);
  EXPECT_EQ(cancels.firsts, 1);
  EXPECT_EQ(cancels.seconds, 0);
  EXPECT_EQ(destroys.firsts, 1);
  EXPECT_EQ(destroys.seconds, 0);
}

TEST(TimerWheel, callback_may_arm_its_own_timer) {
  TimerWheel wheel(kStart);
  Pair pair(wheel);
  pair.action = [](Pair& own) { own.wheel->arm(*own.first, own.wheel->now_ms() + 10); };
  wheel.advance(kStart + 35);
  EXPECT_EQ(pair.firsts, 3);
  pair.action = [](Pair& own) { own.wheel->arm(*own.first, 0); };
  wheel.advance(kStart + 40);
  wheel.advance(kStart + 40);
  EXPECT_EQ(pair.firsts, 5) << "a deadline in the past waits for the next advance";
}

/// Random operations on the wheel and on a list that is searched from end to end.
class WheelAgainstModel : public testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::size_t kTimers = 60;

  struct Fired {
    std::size_t index;
    std::uint64_t at_ms;
    friend bool operator<(const Fired& a, const Fired& b) {
      return std::pair(a.at_ms, a.index) < std::pair(b.at_ms, b.index);
    }
    friend bool operator==(const Fired&, const Fired&) = default;
  };
  struct Owner {
    WheelAgainstModel* test;
    std::size_t index;
  };

  WheelAgainstModel() {
    for (std::size_t at = 0; at < kTimers; ++at) {
      owners_.push_back({this, at});
      timers_.emplace_back([](void* self) { static_cast<Owner*>(self)->test->on_fire(self); },
                           &owners_.back());
    }
  }
  void on_fire(void* self) {
    const auto index = static_cast<Owner*>(self)->index;
    fired_.push_back({index, wheel_.now_ms()});
  }

  void arm(std::size_t index) {
    const auto magnitude = random_.below(40);
    const std::uint64_t deadline_ms = now_ms_ + random_.below(std::uint64_t{1} << magnitude);
    wheel_.arm(timers_[index], deadline_ms);
    model_[index] = deadline_ms;
  }
  void cancel(std::size_t index) {
    timers_[index].cancel();
    model_[index] = 0;
  }
  void advance() {
    const std::uint64_t before_ms = now_ms_;
    now_ms_ += random_.below(std::uint64_t{1} << random_.below(34));
    std::vector<Fired> expected;
    for (std::size_t at = 0; at < kTimers; ++at) {
      if (model_[at] == 0 || model_[at] > now_ms_) continue;
      expected.push_back({at, std::max(model_[at], before_ms)});
      model_[at] = 0;
    }
    fired_.clear();
    wheel_.advance(now_ms_);
    EXPECT_TRUE(std::is_sorted(fired_.begin(), fired_.end(),
                               [](const auto& a, const auto& b) { return a.at_ms < b.at_ms; }));
    std::sort(fired_.begin(), fired_.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(fired_, expected);
  }
  void check_next() {
    std::uint64_t earliest_ms = 0;
    for (const std::uint64_t deadline_ms : model_) {
      if (deadline_ms != 0 && (earliest_ms == 0 || deadline_ms < earliest_ms)) {
        earliest_ms = deadline_ms;
      }
    }
    const auto next = wheel_.next_ms();
    ASSERT_EQ(next.has_value(), earliest_ms != 0);
    if (!next) return;
    EXPECT_LE(*next, std::max(earliest_ms, now_ms_));
    EXPECT_GE(*next, now_ms_);
  }

  Random random_{GetParam()};
  std::uint64_t now_ms_ = kStart;
  TimerWheel wheel_{kStart};
  std::deque<Owner> owners_;
  std::deque<Timer> timers_;
  std::vector<std::uint64_t> model_ = std::vector<std::uint64_t>(kTimers, 0);
  std::vector<Fired> fired_;
};

TEST_P(WheelAgainstModel, agrees) {
  for (int step = 0; step < 20'000 && !HasFailure(); ++step) {
    const auto choice = random_.below(10);
    if (choice < 6) {
      arm(random_.below(kTimers));
    } else if (choice < 7) {
      cancel(random_.below(kTimers));
    } else {
      advance();
    }
    check_next();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, WheelAgainstModel, testing::Values(1, 2, 3, 4));

}  // namespace
}  // namespace linnet

#include "base/memory_budget.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/heap_meter.hpp"

namespace linnet {

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kLimit = 1000 * kMiB;

struct FakeProbe final : MemoryProbe {
  std::uint64_t resident_bytes() noexcept override { return resident; }
  void give_back() noexcept override {
    ++given_back;
    resident -= free;
    free = 0;
  }

  std::uint64_t resident = 0;
  std::uint64_t free = 0;  // of it, in the heap
  int given_back = 0;
};

/// Counts bytes as an operator new would; gives them back at the end.
class Taken {
 public:
  explicit Taken(std::uint64_t bytes) : bytes_(static_cast<std::ptrdiff_t>(bytes)) {
    HeapMeter::count(bytes_);
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  ~Taken() { HeapMeter::count(-bytes_); }

 private:
  std::ptrdiff_t bytes_;
};

Pressure next(Pressure before, std::uint64_t mebibytes) {
  return MemoryBudget::next_level(before, mebibytes * kMiB, kLimit);
}

}  // namespace

TEST(MemoryBudget, EachStepBeginsAtItsPartOfTheLimit) {
  using enum Pressure;
  EXPECT_EQ(next(none, 0), none);
  EXPECT_EQ(next(none, 699), none);
  EXPECT_EQ(next(none, 700), shrink_caches);
  EXPECT_EQ(next(none, 750), spill_backlogs);
  EXPECT_EQ(next(none, 800), drop_qos0);
  EXPECT_EQ(next(none, 880), pause_publishers);
  EXPECT_EQ(next(none, 940), refuse_connections);
  EXPECT_EQ(next(none, 970), refuse_subscriptions);
  EXPECT_EQ(next(shrink_caches, 5000), refuse_subscriptions);
}

TEST(MemoryBudget, AStepIsLeftALittleBelow) {
  using enum Pressure;
  EXPECT_EQ(next(shrink_caches, 690), shrink_caches);
  EXPECT_EQ(next(shrink_caches, 679), none);
  EXPECT_EQ(next(refuse_subscriptions, 951), refuse_subscriptions);
  EXPECT_EQ(next(refuse_subscriptions, 949), refuse_connections);
  EXPECT_EQ(next(refuse_subscriptions, 100), none);
}

TEST(MemoryBudget, EveryStepHasAnotherName) {
  std::set<std::string_view> names;
  for (std::size_t level = 0; level < MemoryBudget::kEnter.size(); ++level)
    names.insert(name_of(static_cast<Pressure>(level)));
  EXPECT_EQ(names.size(), MemoryBudget::kEnter.size());
}

TEST(MemoryBudget, TheHeapIsSeenAtOnce) {
  FakeProbe probe;
  MemoryBudget budget(kLimit, probe);
  EXPECT_EQ(budget.level(), Pressure::none);
  {
    const Taken much(710 * kMiB);
    EXPECT_EQ(budget.level(), Pressure::shrink_caches);
    const Taken more(100 * kMiB);
    EXPECT_EQ(budget.level(), Pressure::drop_qos0);
  }
  EXPECT_EQ(budget.level(), Pressure::none);
}

TEST(MemoryBudget, WhatIsBeyondTheHeapCountsToo) {
  FakeProbe probe;
  probe.resident = 100 * kMiB;  // stacks and the like, before anything was taken
  MemoryBudget budget(kLimit, probe);
  EXPECT_EQ(budget.used(), 100 * kMiB);
  const Taken much(610 * kMiB);
  EXPECT_EQ(budget.level(), Pressure::shrink_caches);
  EXPECT_GE(budget.used(), 710 * kMiB);
}

TEST(MemoryBudget, TheKernelIsAskedNowAndThen) {
  FakeProbe probe;
  MemoryBudget budget(kLimit, probe);
  budget.look(1000);
  probe.resident = 900 * kMiB;
  budget.look(1000 + MemoryBudget::kLookEveryMs - 1);
  EXPECT_EQ(budget.level(), Pressure::none);
  budget.look(1000 + MemoryBudget::kLookEveryMs);
  EXPECT_EQ(budget.level(), Pressure::pause_publishers);
}

TEST(MemoryBudget, WhatIsFreeInTheHeapIsGivenBack) {
  FakeProbe probe;
  MemoryBudget budget(kLimit, probe);
  probe.resident = 900 * kMiB;
  probe.free = 850 * kMiB;
  budget.look(1000);
  EXPECT_EQ(probe.given_back, 1);
  EXPECT_EQ(budget.level(), Pressure::none);
  EXPECT_EQ(budget.used(), 50 * kMiB);
  // It takes time, so not again at once.
  probe.resident = 900 * kMiB;
  probe.free = 850 * kMiB;
  budget.look(1000 + MemoryBudget::kLookEveryMs);
  EXPECT_EQ(probe.given_back, 1);
  EXPECT_EQ(budget.level(), Pressure::pause_publishers);
  budget.look(1000 + MemoryBudget::kGiveBackEveryMs);
  EXPECT_EQ(probe.given_back, 2);
  EXPECT_EQ(budget.level(), Pressure::none);
}

TEST(MemoryBudget, FreeMemoryIsNoMatterWhileThereIsEnough) {
  FakeProbe probe;
  MemoryBudget budget(kLimit, probe);
  probe.resident = 500 * kMiB;
  probe.free = 450 * kMiB;
  budget.look(1000);
  EXPECT_EQ(probe.given_back, 0);
}

TEST(MemoryBudget, OneTellsTheOthers) {
  FakeProbe probe;
  MemoryBudget budget(kLimit, probe);
  EXPECT_FALSE(budget.announce(Pressure::none));
  EXPECT_TRUE(budget.announce(Pressure::drop_qos0));
  EXPECT_FALSE(budget.announce(Pressure::drop_qos0));
  EXPECT_TRUE(budget.announce(Pressure::none));
}

TEST(MemoryBudget, TheTextHasBothFigures) {
  FakeProbe probe;
  probe.resident = 25 * kMiB + kMiB / 2;
  const MemoryBudget budget(32 * kMiB, probe);
  EXPECT_EQ(used_text(budget), "25.5 of 32.0 MiB");
}

}  // namespace linnet

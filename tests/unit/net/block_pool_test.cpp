#include "net/block_pool.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace linnet::net {
namespace {

struct NoMemory final : MemoryProbe {
  std::uint64_t resident_bytes() noexcept override { return 0; }
  void give_back() noexcept override {}
};

class ShortMemory : public ::testing::Test {
 protected:
  ShortMemory() { pool_.follow(budget_); }

  /// Takes and gives back so many large blocks.
  void use(std::size_t blocks) {
    std::vector<Block*> taken;
    for (std::size_t at = 0; at < blocks; ++at)
      taken.push_back(pool_.take(1, true));
    for (Block* block : taken)
      pool_.give(block);
  }

  NoMemory probe_;
  MemoryBudget budget_{std::uint64_t{64} << 20, probe_};
  BlockPool pool_;
};

TEST_F(ShortMemory, a_small_budget_keeps_few_blocks) {
  use(1000);
  EXPECT_LE(pool_.kept_bytes(), std::size_t{1} << 20);
  EXPECT_GT(pool_.kept_bytes(), std::size_t{900} << 10);
}

TEST_F(ShortMemory, under_pressure_it_keeps_less) {
  use(1000);
  budget_.force(Pressure::shrink_caches);
  pool_.shrink();
  EXPECT_LE(pool_.kept_bytes(), std::size_t{64} << 10);
  use(1000);
  EXPECT_LE(pool_.kept_bytes(), std::size_t{64} << 10);
  EXPECT_EQ(pool_.used_bytes(), 0U);
}

TEST_F(ShortMemory, under_pressure_blocks_are_no_larger_than_asked_for) {
  const auto room_of = [this](std::size_t size, bool many) {
    Block* block = pool_.take(size, many);
    const std::size_t room = block->room();
    pool_.give(block);
    return room;
  };
  EXPECT_EQ(room_of(10, false), BlockPool::kSmall);
  EXPECT_EQ(room_of(10, true), BlockPool::kLarge);
  EXPECT_EQ(room_of(2000, false), BlockPool::kLarge);
  budget_.force(Pressure::shrink_caches);
  EXPECT_EQ(room_of(10, false), BlockPool::kSmall);
  EXPECT_EQ(room_of(10, true), BlockPool::kSmall);
  EXPECT_EQ(room_of(2000, false), 2000U);
}

}  // namespace
}  // namespace linnet::net

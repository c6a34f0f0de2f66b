#include "base/ring.hpp"

#include <deque>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "base/random.hpp"

namespace linnet {
namespace {

TEST(Ring, is_small_and_takes_no_memory_before_use) {
  EXPECT_LE(sizeof(Ring<int>), 24U);
  const Ring<std::string> ring;
  EXPECT_EQ(ring.capacity(), 0U);
}

TEST(Ring, gives_memory_back_when_it_becomes_empty) {
  Ring<int> ring;
  for (int value = 0; value < 100; ++value)
    ring.push_back(value);
  EXPECT_GE(ring.capacity(), 100U);
  while (!ring.empty())
    ring.pop_front();
  EXPECT_EQ(ring.capacity(), 0U);
  for (int value = 0; value < 100; ++value)
    ring.push_back(value);
  while (ring.size() > 3)
    ring.pop_back();
  ring.shrink();
  EXPECT_EQ(ring.capacity(), 4U);
  EXPECT_EQ(ring.back(), 2);
}

TEST(Ring, moves_what_cannot_be_copied) {
  Ring<std::unique_ptr<int>> ring;
  for (int value = 0; value < 50; ++value)
    ring.push_back(std::make_unique<int>(value));
  Ring<std::unique_ptr<int>> other = std::move(ring);
  EXPECT_EQ(*other.front(), 0);
  EXPECT_EQ(*other.back(), 49);
  other.erase_at(0);
  EXPECT_EQ(*other.front(), 1);
  other = Ring<std::unique_ptr<int>>();
  EXPECT_TRUE(other.empty());
}

TEST(Ring, agrees_with_a_deque) {
  Random random(7);
  Ring<std::string> ring;
  std::deque<std::string> model;
  for (int step = 0; step < 50'000; ++step) {
    const auto choice = random.below(20);
    if (choice < 10 || model.empty()) {
      ring.push_back(std::to_string(step));
      model.push_back(std::to_string(step));
    } else if (choice < 17) {
      ring.pop_front();
      model.pop_front();
    } else if (choice < 18) {
      ring.pop_back();
      model.pop_back();
    } else if (choice < 19) {
      const auto index = random.below(model.size());
      ring.erase_at(index);
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(index));
    } else if (random.below(200) == 0) {
      ring.clear();
      model.clear();
    } else {
      ring.shrink();
    }
    ASSERT_EQ(ring.size(), model.size());
    if (model.empty()) continue;
    const auto index = random.below(model.size());
    ASSERT_EQ(ring.front(), model.front());
    ASSERT_EQ(ring.back(), model.back());
    ASSERT_EQ(ring[index], model[index]);
  }
}

}  // namespace
}  // namespace linnet

// Seeded random lives of a router beside a model of it.
#include "router_model.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace linnet::router {
namespace {

class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed, std::size_t cache_bytes_max)
      : random_(seed), model_(cache_bytes_max) {}

  [[nodiscard]] RouterModel& model() noexcept { return model_; }

  /// One change, most of the time of a subscription. False if the router's answer was wrong.
  bool change() {
    const std::size_t who = random_.below(RouterModel::kSubscribers);
    const std::string filter = some_filter();
    switch (random_.below(16)) {
      case 0: model_.set_interest(filter, shard(), true); return true;
      case 1: model_.set_interest(filter, shard(), false); return true;
      case 2:
        if (random_.below(20) == 0) model_.unsubscribe_all(who);
        return true;
      case 3:
      case 4:
      case 5:
      case 6:
      case 7: return model_.unsubscribe(who, filter);
      default: return model_.subscribe(who, filter, some_terms());
    }
  }
  std::string some_topic() {
    std::string topic = random_.below(12) == 0 ? "$" : "";
    for (auto levels = random_.below(4);; --levels) {
      topic += kWords[random_.below(kWords.size())];
      if (levels == 0) break;
      topic += '/';
    }
    return topic.empty() ? "/" : topic;
  }

 private:
  static constexpr std::array<const char*, 4> kWords{"a", "b", "", "a longer level of text"};

  ShardId shard() { return static_cast<ShardId>(random_.below(kShardsMax)); }
  std::string some_filter() {
    std::string filter = some_topic();
    if (random_.below(3) == 0) return filter;
    std::string out;
    for (TopicLevels levels(filter); levels.next();) {
      if (!out.empty() || levels.level().data() != filter.data()) out += '/';
      if (random_.below(5) == 0) return out + "#";
      out += random_.below(3) == 0 ? std::string("+") : std::string(levels.level());
    }
    return out;
  }
  SubscriptionTerms some_terms() {
    SubscriptionTerms terms;
    terms.id = static_cast<std::uint32_t>(random_.below(4));
    terms.qos = static_cast<Qos>(random_.below(3));
    terms.no_local = random_.below(4) == 0;
    terms.retain_as_published = random_.below(3) == 0;
    return terms;
  }

  Random random_;
  RouterModel model_;
};

class RouterModelTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(RouterModelTest, RouterAndListAgree) {
  RandomLife life(GetParam() + 1, GetParam());
  RouterModel& model = life.model();
  for (int step = 0; step < 1500; ++step) {
    // Now and then more changes than the log of changes holds.
    const int changes = step % 500 == 499 ? 300 : step % 4;
    for (int each = 0; each < changes; ++each) {
      ASSERT_TRUE(life.change()) << "step " << step;
    }
    for (int each = 0; each < 4; ++each) {
      const std::string topic = life.some_topic();
      ASSERT_EQ(model.actual(topic), model.expected(topic)) << topic << ", step " << step;
    }
    ASSERT_EQ(model.router().subscriptions(), model.size());
    ASSERT_LE(model.router().cache_bytes(), GetParam());
  }
  model.clear();
  EXPECT_EQ(model.router().nodes(), 0U);
  EXPECT_EQ(model.actual("a/b"), "shards 0");
}

// No cache, one of a few routes, one that never fills.
INSTANTIATE_TEST_SUITE_P(CacheBytes, RouterModelTest, ::testing::Values(0, 6'000, 4'000'000));

}  // namespace
}  // namespace linnet::router

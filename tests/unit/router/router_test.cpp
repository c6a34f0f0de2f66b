#include "router/router.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "router_model.hpp"

namespace linnet::router {
namespace {

constexpr auto kQos0 = Qos::at_most_once;
constexpr auto kQos1 = Qos::at_least_once;
constexpr auto kQos2 = Qos::exactly_once;

struct Client {
  SilentSubscriber subscriber;
  SubscriptionList list;
};

class RouterTest : public ::testing::Test {
 protected:
  Router::Subscribed subscribe(Client& client, std::string_view filter,
                               const SubscriptionTerms& terms = {}) {
    return router_.subscribe(filter, terms, client.subscriber, client.list);
  }
  bool unsubscribe(Client& client, std::string_view filter) {
    Subscription* found = router_.find(filter, client.list);
    EXPECT_NE(found, nullptr) << filter;
    return found != nullptr && router_.unsubscribe(*found, client.list);
  }
  std::vector<std::uint32_t> ids(std::string_view topic, std::size_t target = 0) {
    const Route& route = router_.route(topic);
    const auto found = route.ids_of(route.targets.at(target));
    return {found.begin(), found.end()};
  }

  Client a_;
  Client b_;
  Router router_;
};

using Ids = std::vector<std::uint32_t>;

TEST_F(RouterTest, TellsFirstAndLastSubscriberOfAFilter) {
  EXPECT_TRUE(subscribe(a_, "x/+").first);
  EXPECT_FALSE(subscribe(b_, "x/+").first);
  const auto again = subscribe(a_, "x/+", {.qos = kQos1});
  EXPECT_TRUE(again.existed);
  EXPECT_FALSE(again.first);
  EXPECT_EQ(router_.subscriptions(), 2U);
  EXPECT_FALSE(unsubscribe(a_, "x/+"));
  EXPECT_TRUE(unsubscribe(b_, "x/+"));
  EXPECT_EQ(router_.subscriptions(), 0U);
  EXPECT_EQ(router_.nodes(), 0U);
}

TEST_F(RouterTest, AnInterestIsNotALocalSubscriber) {
  router_.set_interest("x", 3, true);
  EXPECT_TRUE(subscribe(a_, "x").first);
  EXPECT_TRUE(unsubscribe(a_, "x"));
  EXPECT_EQ(router_.route("x").shards, 8U);
  EXPECT_TRUE(router_.route("x").targets.empty());
  router_.set_interest("x", 3, false);
  router_.set_interest("y", 3, false);
  EXPECT_EQ(router_.route("x").shards, 0U);
  EXPECT_EQ(router_.nodes(), 0U);
}

TEST_F(RouterTest, InterestsOfAllMatchingFiltersAreUnited) {
  router_.set_interest("x/+", 0, true);
  router_.set_interest("x/#", 63, true);
  router_.set_interest("x/y", 5, true);
  router_.set_interest("z", 6, true);
  EXPECT_EQ(router_.route("x/y").shards, 1U | 1U << 5 | ShardMask{1} << 63);
}

TEST_F(RouterTest, WalksTheListOfASubscriber) {
  subscribe(a_, "x", {.id = 1});
  subscribe(a_, "y/#", {.id = 2});
  subscribe(b_, "z");
  EXPECT_EQ(a_.list.size, 2U);
  std::vector<std::string> filters;
  for (Subscription* each = a_.list.first; each != nullptr; each = Router::next_of(*each)) {
    filters.push_back(router_.filter_of(*each) + " " + std::to_string(Router::terms_of(*each).id));
  }
  std::sort(filters.begin(), filters.end());
  EXPECT_EQ(filters, (std::vector<std::string>{"x 1", "y/# 2"}));
  EXPECT_EQ(router_.find("z", a_.list), nullptr);
  EXPECT_EQ(router_.find("y", a_.list), nullptr);
  EXPECT_NE(router_.find("z", b_.list), nullptr);
}

TEST_F(RouterTest, FindsEachOfManyFiltersOfManySubscribers) {
  constexpr int kFilters = 100;
  const auto filter_of = [](int number) { return "x/" + std::to_string(number) + "/+"; };
  for (int round = 0; round < 2; ++round) {
    for (int number = 0; number < kFilters; ++number) {
      EXPECT_TRUE(subscribe(a_, filter_of(number)).first);
      EXPECT_FALSE(subscribe(b_, filter_of(number)).existed);
      EXPECT_TRUE(subscribe(b_, filter_of(number / 2), {.qos = kQos1}).existed);
    }
    EXPECT_EQ(router_.subscriptions(), 2U * kFilters);
    // From many to one, and to none.
    for (int number = kFilters - 1; number > 0; --number) {
      EXPECT_FALSE(unsubscribe(a_, filter_of(number)));
      EXPECT_EQ(router_.find(filter_of(number), a_.list), nullptr);
      EXPECT_NE(router_.find(filter_of(number), b_.list), nullptr);
      EXPECT_NE(router_.find(filter_of(0), a_.list), nullptr);
      EXPECT_TRUE(unsubscribe(b_, filter_of(number)));
    }
    EXPECT_TRUE(subscribe(a_, filter_of(0)).existed);
    EXPECT_EQ(ids("x/0/y").size(), 0U);
    EXPECT_FALSE(unsubscribe(a_, filter_of(0)));
    EXPECT_TRUE(unsubscribe(b_, filter_of(0)));
  }
  EXPECT_EQ(router_.nodes(), 0U);
}

TEST_F(RouterTest, VisitsEachLocalFilterOnce) {
  subscribe(a_, "x");
  subscribe(b_, "x");
  subscribe(b_, "x/y/#");
  router_.set_interest("far", 1, true);
  std::vector<std::string> seen;
  router_.for_each_local_filter([&](std::string_view filter) { seen.emplace_back(filter); });
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::string>{"x", "x/y/#"}));
}

TEST_F(RouterTest, OneMatchKeepsItsTerms) {
  subscribe(a_, "x", {.id = 9, .qos = kQos2, .no_local = true, .retain_as_published = true});
  const Route& route = router_.route("x");
  ASSERT_EQ(route.targets.size(), 1U);
  EXPECT_EQ(route.targets[0].subscriber, &a_.subscriber);
  EXPECT_EQ(route.targets[0].qos, kQos2);
  EXPECT_TRUE(route.targets[0].no_local);
  EXPECT_TRUE(route.targets[0].retain_as_published);
  EXPECT_EQ(ids("x"), (Ids{9}));
}

TEST_F(RouterTest, OverlappingSubscriptionsBecomeOneTarget) {
  subscribe(a_, "x/y", {.id = 1, .qos = kQos0, .retain_as_published = true});
  subscribe(a_, "x/+", {.id = 0, .qos = kQos2});
  subscribe(a_, "x/#", {.id = 3, .qos = kQos1});
  subscribe(b_, "x/#", {.id = 0, .qos = kQos1});
  const Route& route = router_.route("x/y");
  ASSERT_EQ(route.targets.size(), 2U);
  const std::size_t mine = route.targets[0].subscriber == &a_.subscriber ? 0 : 1;
  EXPECT_EQ(route.targets[mine].qos, kQos2);
  EXPECT_TRUE(route.targets[mine].retain_as_published);
  EXPECT_EQ(route.targets[1 - mine].qos, kQos1);
  EXPECT_FALSE(route.targets[1 - mine].retain_as_published);
  EXPECT_TRUE(ids("x/y", 1 - mine).empty());
  auto merged = ids("x/y", mine);
  std::sort(merged.begin(), merged.end());
  EXPECT_EQ(merged, (Ids{1, 3}));
}

TEST_F(RouterTest, EqualIdsAreAllNamed) {
  subscribe(a_, "x", {.id = 4});
  subscribe(a_, "+", {.id = 4});
  EXPECT_EQ(ids("x"), (Ids{4, 4}));
}

TEST_F(RouterTest, NoLocalStaysApart) {
  subscribe(a_, "x", {.id = 1, .qos = kQos1, .no_local = true});
  subscribe(a_, "+", {.id = 2, .qos = kQos0});
  subscribe(a_, "#", {.id = 3, .qos = kQos2, .no_local = true});
  const Route& route = router_.route("x");
  ASSERT_EQ(route.targets.size(), 2U);
  const std::size_t local = route.targets[0].no_local ? 1 : 0;
  EXPECT_EQ(route.targets[local].qos, kQos0);
  EXPECT_EQ(route.targets[1 - local].qos, kQos2);
  EXPECT_EQ(ids("x", local), (Ids{2}));
  EXPECT_EQ(ids("x", 1 - local).size(), 2U);
}

TEST_F(RouterTest, ManyOverlappingSubscribersAreMergedToo) {
  std::vector<Client> clients(300);
  std::uint32_t id = 0;
  for (auto& client : clients) {
    ++id;
    for (const char* filter : {"x/y", "x/+", "#"})
      subscribe(client, filter, {.id = id});
  }
  EXPECT_EQ(router_.route("x/y").targets.size(), 300U);
  for (std::size_t target = 0; target < 300; ++target) {
    const auto found = ids("x/y", target);
    EXPECT_EQ(found, Ids(3, found.at(0)));
  }
}

TEST_F(RouterTest, NewTermsReachCachedRoutes) {
  subscribe(a_, "x/#", {.qos = kQos0});
  subscribe(a_, "y", {.qos = kQos0});
  EXPECT_EQ(router_.route("x/1").targets.at(0).qos, kQos0);
  EXPECT_EQ(router_.route("y").targets.at(0).qos, kQos0);
  subscribe(a_, "x/#", {.qos = kQos2});
  subscribe(a_, "y", {.qos = kQos1});
  EXPECT_EQ(router_.route("x/1").targets.at(0).qos, kQos2);
  EXPECT_EQ(router_.route("y").targets.at(0).qos, kQos1);
}

TEST_F(RouterTest, ARouteStaysInPlaceWhileOthersChange) {
  subscribe(a_, "x");
  const Route* before = &router_.route("x");
  for (int each = 0; each < 100; ++each)
    subscribe(b_, "y/" + std::to_string(each) + "/#");
  EXPECT_EQ(&router_.route("x"), before);
  EXPECT_EQ(router_.route("x").targets.size(), 1U);
}

TEST_F(RouterTest, TheCacheStaysWithinItsBytes) {
  Router router({.cache_bytes_max = 50'000});
  SubscriptionList list;
  router.subscribe("t/#", {.id = 1}, a_.subscriber, list);
  for (int each = 0; each < 5000; ++each) {
    EXPECT_EQ(router.route("t/" + std::to_string(each)).targets.size(), 1U);
    EXPECT_LE(router.cache_bytes(), 50'000U);
  }
  EXPECT_GT(router.cache_bytes(), 40'000U);
  router.unsubscribe(*list.first, list);
}

TEST_F(RouterTest, ATopicInUseStaysInTheCache) {
  Router router({.cache_bytes_max = 10'000});
  SubscriptionList list;
  router.subscribe("t/#", {.id = 1}, a_.subscriber, list);
  const Route* hot = &router.route("t/hot");
  for (int each = 0; each < 1000; ++each) {
    EXPECT_EQ(&router.route("t/hot"), hot);
    EXPECT_NE(&router.route("t/" + std::to_string(each)), hot);
  }
  router.unsubscribe(*list.first, list);
}

TEST_F(RouterTest, WorksWithoutACache) {
  Router router({.cache_bytes_max = 0});
  SubscriptionList list;
  router.subscribe("t/#", {.id = 1}, a_.subscriber, list);
  EXPECT_EQ(router.route("t/1").targets.size(), 1U);
  router.unsubscribe(*list.first, list);
  EXPECT_TRUE(router.route("t/1").targets.empty());
  EXPECT_EQ(router.cache_bytes(), 0U);
}

}  // namespace
}  // namespace linnet::router

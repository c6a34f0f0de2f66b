// One test for each defect that was found after the code it is in: it failed before the mend.
#include <gtest/gtest.h>
#include <string>

#include "support/cluster.hpp"

namespace linnet::test {
namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 1000};

/// The filter of a group `s` whose home is this shard.
std::string filter_of_group_at(Cluster& cluster, std::uint32_t shard) {
  return cluster.name_at(shard, "$share/s/g").substr(std::string("$share/s/").size());
}

// A fan-out sent older unsent messages with its own wire form.
TEST(Regression, OlderMessagesAreNotSentInTheFormOfAFanOut) {
  Config config;
  config.limits.outbox_bytes_max = 3000;
  Cluster c{{.shards = 1, .config = config}};
  auto& slow = c.client("slow").connects(kKept).subscribes("m/#", qos2).subscribes("both", qos1);
  c.client("other").connects().subscribes("both", qos1);
  auto& p = c.client("p").connects();
  slow.stops_reading(0);
  c.store().hold();
  const auto payload = [](int i) {
    return std::string(i == 6 ? 1U : 1000U + static_cast<unsigned>(i), static_cast<char>('a' + i));
  };
  for (int i = 0; i < 12; ++i)
    p.sends_publish("m/" + std::to_string(i), payload(i), {.qos = 2});
  c.store().release_all();
  c.settle();
  slow.stops_reading(2500);  // it reads a little
  c.settle();
  p.sends_publish("both", "hello", {.qos = 1});
  slow.reads_again();
  for (int i = 0; i < 12; ++i)
    slow.receives("m/" + std::to_string(i), payload(i));
  slow.receives("both", "hello");
  c.client("other").receives("both", "hello");
}

TEST(Regression, ConnackComesBeforePingresp) {
  Cluster c{{.shards = 1}};
  auto& a = c.client("a").opens();
  a.sends(connect_packet(Version::v5, "a", kKept) + from_hex("c000"));
  EXPECT_EQ(a.next().type, PacketType::connack);
  EXPECT_EQ(a.next().type, PacketType::pingresp);
}

// A replay that ended with UNSUBSCRIBE was never cleared away.
TEST(Regression, AnAbandonedReplayDoesNotStopQos0) {
  for (const std::uint32_t shards : {1U, 2U}) {
    Cluster c{{.shards = shards}};
    auto& a = c.client("a").connects(kKept).subscribes("live/#");
    a.sends(subscribe_packet(Version::v5, 700, {"x"}, {}) +
            unsubscribe_packet(Version::v5, 701, {"x"}));
    a.inbox().clear();
    auto& p = c.client("p").connects();
    for (int i = 0; i < 4200; ++i) {
      p.writes(publish_packet(Version::v5, "live/" + std::to_string(i), "x", {}));
    }
    c.settle();
    EXPECT_EQ(a.takes_messages().size(), 4200U);
    EXPECT_EQ(c.counters().publish_dropped, 0U);
  }
}

TEST(Regression, AMemberThatVanishesWhileALetterTravelsLosesNothing) {
  Cluster c{{.shards = 3}};
  const std::string filter = filter_of_group_at(c, 0);
  const std::string shared = "$share/s/" + filter;
  auto& kept = c.client(c.name_at(1, "k")).connects(kKept).subscribes(shared, qos1);
  kept.drops();
  auto& gone = c.client(c.name_at(2, "n")).connects().subscribes(shared, qos1);
  auto& p = c.client(c.name_at(0, "p")).at(0).connects();
  c.freeze(2);
  gone.cuts();
  const auto id = p.sends_publish(filter, "m", {.qos = 1});
  c.thaw(2);
  p.gets_ack(PacketType::puback, id);
  kept.connects(kKept);
  kept.receives(filter, "m");
}

TEST(Regression, EveryMemberOfANewGroupWaitsForInterest) {
  Cluster c{{.shards = 2}};
  const std::string shared = "$share/s/" + filter_of_group_at(c, 0);
  auto& a = c.client(c.name_at(0, "a")).at(0).connects();
  auto& b = c.client(c.name_at(0, "b")).at(0).connects();
  c.freeze(1);
  a.sends_subscribe({shared}, qos1);
  a.gets_nothing();
  b.sends_subscribe({shared}, qos1);
  b.gets_nothing();
  c.thaw(1);
  a.gets_suback({ReasonCode::granted_qos_1});
  b.gets_suback({ReasonCode::granted_qos_1});
}

TEST(Regression, ASessionThatIsNotKeptAnyMoreLeavesTheStore) {
  Cluster c{{.shards = 1}};
  auto& a = c.client("a").connects(kKept).subscribes("x", qos1);
  a.drops();
  a.connects({.clean_start = false, .expiry_s = 0});
  a.drops();
  EXPECT_EQ(c.store().count("EraseSession a"), 1U);
}

// What waited behind messages that were offered to other members was never sent.
TEST(Regression, OfferedMessagesComeBackToASessionThatIsNotKeptAnyMore) {
  Cluster c{{.shards = 2}};
  const std::string filter = filter_of_group_at(c, 0);
  auto& a = c.client(c.name_at(1, "a")).at(1);
  a.connects({.clean_start = false, .expiry_s = 1000, .receive_maximum = 1}).manual();
  a.subscribes("$share/s/" + filter, qos1).subscribes("own", qos1);
  auto& p = c.client(c.name_at(1, "p")).at(1).connects();
  for (int i = 0; i < 6; ++i)
    p.publishes(filter, std::to_string(i), {.qos = 1});
  c.freeze(0);
  a.drops();
  a.manual(false);
  a.connects({.clean_start = false, .expiry_s = 0, .receive_maximum = 1});
  for (int i = 0; i < 40; ++i)
    p.sends_publish("own", std::to_string(i), {.qos = 1});
  c.thaw(0);
  c.settle();
  EXPECT_EQ(a.takes_messages().size(), 46U);
}

TEST(Regression, AnOfferThatIsRejectedStaysWhereItWas) {
  Config config;
  config.limits.backlog_policy = BacklogPolicy::reject;
  config.limits.transient_backlog_messages_max = 1;
  config.limits.inflight_max = 1;
  Cluster c{{.shards = 1, .config = config}};
  auto& a = c.client("a").connects(kKept).manual().subscribes("$share/s/g", qos1);
  auto& p = c.client("p").connects();
  p.publishes("g", "1", {.qos = 1});
  p.publishes("g", "2", {.qos = 1});
  auto& b = c.client("b").connects().manual();
  b.subscribes("fill", qos1).subscribes("$share/s/g", qos1);
  p.publishes("fill", "1", {.qos = 1});
  p.publishes("fill", "2", {.qos = 1});
  a.drops();
  a.manual(false).connects(kKept);
  EXPECT_EQ(a.takes_messages().size(), 2U);
}

// Each of these cost time or letters that grew with the square of what the client chose.
TEST(Regression, RepeatedFiltersOfOneSubscribeCostLittle) {
  Cluster c{{.shards = 2}};
  auto& a = c.client("a").connects();
  constexpr std::size_t kFilters = 100'000;
  const std::vector<std::string> filters(kFilters, "0");
  a.sends(subscribe_packet(Version::v5, 1, filters, {}));
  EXPECT_EQ(a.gets(PacketType::suback).reasons.size(), kFilters);
  EXPECT_EQ(c.counters().subscriptions, 1U);
}

// A client with one unanswered PUBACK must still hear that the broker lives.
TEST(Regression, PingrespDoesNotWaitForTheStore) {
  Cluster c{{.shards = 1}};
  c.client("away").connects(kKept).subscribes("x", qos1).drops();
  auto& p = c.client("p").connects();
  c.store().hold();
  const auto id = p.sends_publish("x", "m", {.qos = 1});
  p.pings();
  c.store().release_all();
  c.settle();
  p.gets_ack(PacketType::puback, id);
}

// A message that is not retained does not take the place of the retained one of its topic.
TEST(Regression, ALiveMessageDoesNotHideARetainedOne) {
  Config config;
  config.limits.inflight_max = 1;
  Cluster c{{.shards = 1, .config = config}};
  auto& p = c.client("p").connects();
  p.publishes("t/1", "state 1", {.qos = 1, .retain = true});
  p.publishes("t/2", "state 2", {.qos = 1, .retain = true});
  auto& a = c.client("a").connects().manual();
  a.subscribes("t/#", qos1);
  const auto first = a.receives("t/1", "state 1");
  p.publishes("t/2", "event");
  a.receives("t/2", "event");
  a.manual(false);
  a.acks(first);
  a.receives("t/2", "state 2");
}

}  // namespace
}  // namespace linnet::test

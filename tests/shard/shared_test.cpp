// Shared subscriptions: one member gets it, wherever the members live and whatever becomes of them.
#include <gtest/gtest.h>
#include <set>

#include "support/cluster.hpp"

namespace linnet::test {

namespace {

Config with_strategy(ShareStrategy strategy) {
  Config config;
  config.share_groups.push_back({"*", strategy, "key"});
  return config;
}

const ConnectOptions kKept{.clean_start = false, .expiry_s = 1000};

}  // namespace

class Shared : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  /// Members on every shard: two times as many as shards, at least 3.
  std::vector<Client*> members(Cluster& c, const ConnectOptions& options, unsigned qos = 1) {
    std::vector<Client*> all;
    const std::uint32_t count = std::max(3U, 2 * c.shards());
    for (std::uint32_t at = 0; at < count; ++at) {
      auto& one = c.client(c.name_at(at % c.shards(), "m" + std::to_string(at) + "-"));
      SubscribeOptions terms;
      terms.qos = qos;
      one.connects(options).subscribes("$share/g/x/#", terms);
      all.push_back(&one);
    }
    return all;
  }
  static std::vector<std::size_t> counts(const std::vector<Client*>& all) {
    std::vector<std::size_t> got;
    for (Client* one : all)
      got.push_back(one->takes_messages().size());
    return got;
  }
  static std::size_t sum(const std::vector<std::size_t>& all) {
    std::size_t total = 0;
    for (const std::size_t one : all)
      total += one;
    return total;
  }
};

INSTANTIATE_TEST_SUITE_P(Shards, Shared, ::testing::Values(1, 2, 4));

TEST_P(Shared, RoundRobinGivesEachTheSame) {
  Cluster c{{.shards = GetParam()}};
  const auto all = members(c, {});
  auto& p = c.client("p").connects();
  auto& plain = c.client("plain").connects().subscribes("x/#", qos1);
  for (unsigned at = 0; at < 5 * all.size(); ++at)
    p.publishes("x/y", "m", {.qos = at % 3});
  EXPECT_EQ(counts(all), std::vector<std::size_t>(all.size(), 5));
  EXPECT_EQ(plain.takes_messages().size(), 5 * all.size());
}

TEST_P(Shared, EveryStrategyGivesEachMessageOnce) {
  for (const auto strategy :
       {ShareStrategy::round_robin, ShareStrategy::random, ShareStrategy::sticky,
        ShareStrategy::least_inflight, ShareStrategy::hash_clientid, ShareStrategy::hash_topic,
        ShareStrategy::hash_property}) {
    Cluster c{{.shards = GetParam(), .config = with_strategy(strategy)}};
    const auto all = members(c, {});
    auto& p = c.client("p").connects();
    for (int at = 0; at < 40; ++at) {
      p.publishes("x/" + std::to_string(at), "m",
                  {.qos = 1, .properties = Properties().user("key", std::to_string(at % 7))});
    }
    EXPECT_EQ(sum(counts(all)), 40U) << static_cast<int>(strategy);
  }
}

TEST_P(Shared, HashesKeepWhatBelongsTogether) {
  for (const auto strategy :
       {ShareStrategy::hash_topic, ShareStrategy::hash_property, ShareStrategy::sticky}) {
    Cluster c{{.shards = GetParam(), .config = with_strategy(strategy)}};
    const auto all = members(c, {});
    auto& p = c.client("p").connects();
    std::map<std::string, std::set<std::string>> receivers;
    for (int at = 0; at < 40; ++at) {
      const std::string key = std::to_string(at % 8);
      p.publishes("x/" + key, key, {.qos = 1, .properties = Properties().user("key", key)});
    }
    std::set<std::string> used;
    for (Client* one : all) {
      for (const Packet& packet : one->takes_messages()) {
        receivers[packet.payload].insert(one->id());
        used.insert(one->id());
      }
    }
    for (const auto& [key, clients] : receivers)
      EXPECT_EQ(clients.size(), 1U) << key;
    EXPECT_EQ(used.size() == 1, strategy == ShareStrategy::sticky);
  }
}

TEST_P(Shared, LeastInflightPrefersWhoHasAcknowledged) {
  Cluster c{{.shards = GetParam(), .config = with_strategy(ShareStrategy::least_inflight)}};
  const auto all = members(c, {});
  for (Client* one : all)
    one->manual();
  auto& p = c.client("p").connects();
  for (std::size_t at = 0; at < all.size(); ++at)
    p.publishes("x/y", "m", {.qos = 1});
  std::vector<Packet> held;
  for (Client* one : all)
    held.push_back(one->receives("x/y", "m"));
  all[1]->acks(held[1]);
  p.publishes("x/y", "next", {.qos = 1});
  all[1]->receives("x/y", "next");
}

TEST_P(Shared, SubscriptionTermsAreTheMembers) {
  Cluster c{{.shards = GetParam()}};
  auto& a = c.client("a").connects();
  a.subscribes("$share/g/x", {.qos = 0, .retain_as_published = true, .id = 12});
  c.client("p").connects().publishes("x", "m", {.qos = 2, .retain = true});
  const Packet packet = a.receives("x", "m");
  EXPECT_EQ(packet.qos, 0U);
  EXPECT_TRUE(packet.retain);
  EXPECT_EQ(packet.subscription_ids(), std::vector<std::uint32_t>{12});
}

TEST_P(Shared, SeveralGroupsAndFiltersAreSeparate) {
  Cluster c{{.shards = GetParam()}};
  auto& a = c.client("a").connects();
  auto& b = c.client("b").connects();
  a.subscribes("$share/g/x", qos1).subscribes("$share/h/x", qos1).subscribes("$share/g/+", qos1);
  b.subscribes("$share/g/y", qos1);
  c.client("p").connects().publishes("x", "m", {.qos = 1});
  EXPECT_EQ(a.takes_messages().size(), 3U);
  b.receives_nothing();
}

TEST_P(Shared, WhoLeavesGetsNothingMore) {
  Cluster c{{.shards = GetParam()}};
  const auto all = members(c, {});
  auto& p = c.client("p").connects();
  all[0]->unsubscribes("$share/g/x/#");
  all[1]->disconnects();
  for (int at = 0; at < 12; ++at)
    p.publishes("x/y", "m", {.qos = 1});
  const auto got = counts(all);
  EXPECT_EQ(got[0] + got[1], 0U);
  EXPECT_EQ(sum(got), 12U);
  for (std::size_t at = 2; at < all.size(); ++at)
    all[at]->disconnects();
  const auto id = p.sends_publish("x/y", "m", {.qos = 1});
  p.gets_ack(PacketType::puback, id, ReasonCode::no_matching_subscribers);
}

TEST_P(Shared, UnacknowledgedQos1GoesToAnother) {
  for (const bool kept : {false, true}) {
    Cluster c{{.shards = GetParam()}};
    const auto all = members(c, kept ? kKept : ConnectOptions{});
    auto& p = c.client("p").connects();
    for (Client* one : all)
      one->manual();
    for (std::size_t at = 0; at < 2 * all.size(); ++at) {
      p.publishes("x/y", std::to_string(at), {.qos = 1});
    }
    std::set<std::string> mine;
    for (const Packet& packet : all[0]->takes_messages())
      mine.insert(packet.payload);
    ASSERT_EQ(mine.size(), 2U);
    for (std::size_t at = 1; at < all.size(); ++at)
      all[at]->takes_messages();
    all[0]->drops();
    std::set<std::string> again;
    for (std::size_t at = 1; at < all.size(); ++at) {
      for (const Packet& packet : all[at]->takes_messages())
        again.insert(packet.payload);
    }
    EXPECT_EQ(again, mine);
    all[0]->connects(kKept).receives_nothing();
  }
}

TEST_P(Shared, SentQos2StaysWithItsMember) {
  Cluster c{{.shards = GetParam()}};
  const auto all = members(c, kKept, 2);
  auto& p = c.client("p").connects();
  all[0]->manual();
  for (std::size_t at = 0; at < all.size(); ++at)
    p.publishes("x/y", "m", {.qos = 2});
  const Packet held = all[0]->receives("x/y", "m");
  EXPECT_EQ(sum(counts(all)), all.size() - 1);
  all[0]->drops();
  EXPECT_EQ(sum(counts(all)), 0U);
  all[0]->connects(kKept);
  const Packet again = all[0]->receives("x/y", "m");
  EXPECT_TRUE(again.dup);
  EXPECT_EQ(again.packet_id, held.packet_id);
}

TEST_P(Shared, ARefusedMessageGoesToNobodyElse) {
  Cluster c{{.shards = GetParam()}};
  const auto all = members(c, {});
  auto& p = c.client("p").connects();
  for (Client* one : all)
    one->manual();
  p.publishes("x/y", "m", {.qos = 1});
  for (Client* one : all) {
    for (const Packet& packet : one->takes_messages()) {
      one->sends_ack(PacketType::puback, packet.packet_id, ReasonCode::quota_exceeded);
      one->drops();
    }
  }
  EXPECT_EQ(sum(counts(all)), 0U);
}

TEST_P(Shared, WithNobodyConnectedTheKeptSessionsTakeIt) {
  Cluster c{{.shards = GetParam()}};
  const auto all = members(c, kKept);
  auto& p = c.client("p").connects();
  for (Client* one : all)
    one->drops();
  c.store().hold();
  const auto id = p.sends_publish("x/y", "0", {.qos = 1});
  p.gets_nothing();
  c.store().release_all();
  p.gets_ack(PacketType::puback, id);
  for (int at = 1; at < 8; ++at)
    p.publishes("x/y", std::to_string(at), {.qos = 1});
  std::set<std::string> got;
  for (Client* one : all) {
    one->connects(kKept);
    for (const Packet& packet : one->takes_messages()) {
      EXPECT_TRUE(got.insert(packet.payload).second);
    }
  }
  EXPECT_EQ(got.size(), 8U);
}

TEST_P(Shared, AConnectedMemberIsPreferred) {
  Cluster c{{.shards = GetParam()}};
  const auto all = members(c, kKept);
  auto& p = c.client("p").connects();
  for (std::size_t at = 1; at < all.size(); ++at)
    all[at]->drops();
  for (int at = 0; at < 6; ++at)
    p.publishes("x/y", "m", {.qos = 1});
  EXPECT_EQ(all[0]->takes_messages().size(), 6U);
}

TEST_P(Shared, AMemberThatGoesWhileTheLetterIsUnderWay) {
  if (GetParam() == 1) return;
  Cluster c{{.shards = GetParam()}};
  const auto all = members(c, {});
  auto& p = c.client("p").connects();
  // Members of shard 1 leave while messages for them are in its mailbox.
  std::size_t sent = 0;
  c.freeze(1);
  for (std::size_t at = 0; at < 3 * all.size(); ++at, ++sent) {
    p.writes(publish_packet(Version::v5, "x/y", "m",
                            {.qos = 1, .packet_id = static_cast<std::uint16_t>(at + 1)}));
    c.settle();
  }
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (at % GetParam() == 1) all[at]->cable()->client_gone = true;
  }
  c.thaw(1);
  EXPECT_EQ(sum(counts(all)), sent);
}

TEST(SharedRandomly, EachQos1MessageIsTakenOnceOrMoreWhileMembersComeAndGo) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Cluster c{{.shards = 4, .seed = seed}};
    std::mt19937_64 random(seed);
    std::vector<Client*> all;
    for (std::uint32_t at = 0; at < 6; ++at) {
      all.push_back(&c.client(c.name_at(at % 4, "m" + std::to_string(at) + "-")));
      all.back()->connects(kKept).subscribes("$share/g/x", qos1);
    }
    auto& p = c.client("p").connects();
    std::multiset<std::string> got;
    const auto collect = [&](Client& one) {
      for (const Packet& packet : one.takes_messages())
        got.insert(packet.payload);
    };
    for (int round = 0; round < 40; ++round) {
      p.writes(publish_packet(Version::v5, "x", std::to_string(round),
                              {.qos = 1, .packet_id = static_cast<std::uint16_t>(round + 1)}));
      for (int turn = 0; turn < 5; ++turn)
        c.step(static_cast<std::uint32_t>(random() % 4));
      Client& one = *all[random() % all.size()];
      if (random() % 3 != 0) continue;
      one.read();
      collect(one);
      if (one.closed() || one.cable()->client_gone) {
        one.connects(kKept);
      } else {
        one.cable()->client_gone = true;
      }
    }
    c.settle();
    for (Client* one : all) {
      collect(*one);
      one->connects(kKept);
      collect(*one);
    }
    std::set<std::string> once(got.begin(), got.end());
    EXPECT_EQ(once.size(), 40U);
  }
}

}  // namespace linnet::test

// The memory budget: what each step of the pressure does, and to whom it does nothing.
#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "support/cluster.hpp"

namespace linnet::test {

namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 1000};
const std::string kKilobyte(1024, '.');

}  // namespace

class Memory : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  static void presses(Cluster& c, Pressure level) {
    c.memory().force(level);
    c.settle();
  }
};

INSTANTIATE_TEST_SUITE_P(Shards, Memory, ::testing::Values(1, 2, 4));

TEST_P(Memory, NewConnectionsAreRefusedAndThoseThatAreThereStay) {
  Cluster c{{.shards = GetParam()}};
  auto& a = c.client("a").connects().subscribes("x", qos1);
  presses(c, Pressure::pause_publishers);
  c.client("b").connects();
  presses(c, Pressure::refuse_connections);
  c.client("new").sends_connect().is_refused(ReasonCode::quota_exceeded);
  c.client("old").v3().sends_connect();
  c.client("old").is_refused(static_cast<ReasonCode>(3));
  EXPECT_EQ(c.counters().memory_connections_refused, 2U);
  a.subscribes("y", qos1).publishes("x", "m", {.qos = 1});
  a.receives("x", "m");
  c.client("b").pings();
  presses(c, Pressure::none);
  c.client("new").connects();
}

TEST_P(Memory, NewSubscriptionsAreRefusedAndOldOnesMayBeRenewed) {
  Cluster c{{.shards = GetParam()}};
  auto& a = c.client("a").connects().subscribes("x", qos1).subscribes("$share/g/x", qos1);
  auto& old = c.client("old").v3().connects();
  presses(c, Pressure::refuse_subscriptions);
  a.sends_subscribe({"x", "y", "$share/g/x", "$share/g/y"}, qos0);
  a.gets_suback({ReasonCode::success, ReasonCode::quota_exceeded, ReasonCode::success,
                 ReasonCode::quota_exceeded});
  old.sends_subscribe({"x"}, qos1);
  old.gets_suback({ReasonCode::unspecified_error});
  EXPECT_EQ(c.counters().memory_subscriptions_refused, 3U);
  presses(c, Pressure::refuse_connections);
  old.subscribes("x", qos1);
}

TEST_P(Memory, Qos0IsDroppedForWhoDoesNotReadAlone) {
  Config config;
  config.memory_max = 256 << 10;  // so that a fair share is small
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& slow = c.client("slow").connects().subscribes("x");
  auto& good = c.client("good").connects().subscribes("x");
  auto& b = c.client("b").connects();
  slow.stops_reading();
  presses(c, Pressure::drop_qos0);
  constexpr int kMessages = 100;
  for (int at = 0; at < kMessages; ++at) {
    b.publishes("x", kKilobyte);
    good.receives("x", kKilobyte);
  }
  EXPECT_GE(c.counters().memory_dropped, 90U);
  EXPECT_EQ(c.counters().memory_dropped, c.counters().publish_dropped);
  slow.reads_again();
  EXPECT_GE(slow.inbox().size(), 2U);
  EXPECT_LT(slow.inbox().size(), 10U);
}

TEST_P(Memory, HeavyPublishersAreHeldBackAndLightOnesAreNot) {
  Cluster c{{.shards = GetParam()}};
  auto& heavy = c.client("heavy").connects({.keep_alive_s = 1});
  auto& light = c.client("light").connects({.keep_alive_s = 1}).subscribes("x");
  presses(c, Pressure::pause_publishers);
  light.publishes("x", "m").receives("x", "m");
  heavy.publishes("h", std::string(300 << 10, '.'));
  EXPECT_FALSE(heavy.is_read());
  EXPECT_TRUE(light.is_read());
  EXPECT_EQ(c.counters().memory_paused, 1U);
  // It may go on after a while, and is no worse off for having waited.
  c.after(250ms);
  EXPECT_TRUE(heavy.is_read());
  heavy.publishes("h", std::string(300 << 10, '.'));
  EXPECT_FALSE(heavy.is_read());
  presses(c, Pressure::drop_qos0);
  EXPECT_TRUE(heavy.is_read());
  heavy.is_open();
}

TEST_P(Memory, AtTheLastStepsOneAfterTheOtherGoesOn) {
  Cluster c{{.shards = GetParam()}};
  std::vector<Client*> heavy;
  for (const char* name : {"0", "1", "2"}) {
    heavy.push_back(&c.client(c.name_at(0, name)).connects({.keep_alive_s = 1}));
  }
  presses(c, Pressure::refuse_subscriptions);
  for (Client* one : heavy)
    one->publishes("h", std::string(300 << 10, '.'));
  const auto read = [&heavy] {
    return std::count_if(heavy.begin(), heavy.end(), [](Client* one) { return one->is_read(); });
  };
  for (int waited = 0; waited <= 3; ++waited) {
    EXPECT_EQ(read(), waited);
    c.after(250ms);
  }
}

TEST_P(Memory, ALargePacketWaitsForItsRest) {
  Cluster c{{.shards = GetParam()}};
  auto& a = c.client("a").connects();
  auto& b = c.client("b").connects().subscribes("x");
  presses(c, Pressure::pause_publishers);
  // A PUBLISH of 20,000 bytes, and the first of them.
  const std::string packet =
      std::string("\x30\xA0\x9C\x01\x00\x01x\x00", 8) + std::string(20'000 - 4, '.');
  a.sends(packet.substr(0, 10'000));
  EXPECT_FALSE(a.is_read());
  presses(c, Pressure::none);
  a.sends(packet.substr(10'000));
  b.receives("x", std::string(20'000 - 4, '.'));
}

TEST_P(Memory, AKeptSessionMissesNothing) {
  Cluster c{{.shards = GetParam()}};
  auto& a = c.client("a").connects(kKept).subscribes("x", qos1);
  auto& b = c.client("b").connects();
  a.stops_reading();
  constexpr int kMessages = 300;
  for (int at = 0; at < kMessages; ++at) {
    if (at == 100) presses(c, Pressure::spill_backlogs);
    if (at == 200) presses(c, Pressure::refuse_subscriptions);
    b.publishes("x", std::to_string(at), {.qos = 1});
  }
  EXPECT_EQ(c.counters().memory_dropped, 0U);
  a.reads_again();
  for (int at = 0; at < kMessages; ++at)
    a.receives("x", std::to_string(at));
  a.receives_nothing();
}

TEST_P(Memory, ManySessionsAreLookedAtSomeInEachTurn) {
  Cluster c{{.shards = GetParam()}};
  constexpr int kSessions = 1'300;
  for (int at = 0; at < kSessions; ++at) {
    c.client(c.name_at(0, "n" + std::to_string(at) + "-")).at(0).connects(kKept);
  }
  auto& a = c.client(c.name_at(0, "a")).connects(kKept).subscribes("x", qos1);
  auto& b = c.client("b").connects();
  a.stops_reading();
  for (int at = 0; at < 200; ++at)
    b.publishes("x", std::to_string(at), {.qos = 1});
  presses(c, Pressure::spill_backlogs);
  for (int round = 0; round < 3; ++round) {
    c.freeze(0);
    c.after(1s);
    c.step(0);
    EXPECT_EQ(c.shard(0).wait_ms(), 0);  // the rest follows
    c.client(c.name_at(0, "n" + std::to_string(round) + "-")).cuts();
    c.step(0);
    c.thaw(0);
    EXPECT_NE(c.shard(0).wait_ms(), 0);
  }
  presses(c, Pressure::none);
  a.reads_again();
  for (int at = 0; at < 200; ++at)
    a.receives("x", std::to_string(at));
  a.receives_nothing();
}

TEST_P(Memory, APublisherIsNotRefusedForATransientBacklog) {
  Config config;
  config.limits.backlog_policy = BacklogPolicy::reject;
  config.limits.inflight_max = 4;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects().subscribes("x", qos1);
  auto& old = c.client("old").v3().connects();
  a.stops_reading();
  presses(c, Pressure::drop_qos0);
  for (int at = 0; at < 50; ++at)
    old.publishes("x", kKilobyte, {.qos = 1});
  old.is_open();
  EXPECT_GE(c.counters().memory_dropped, 40U);
}

TEST_P(Memory, SysTellsOfIt) {
  Config config;
  config.memory_max = std::uint64_t{64} << 20;
  Cluster c{{.shards = GetParam(), .config = config}};
  auto& a = c.client("a").connects();
  presses(c, Pressure::drop_qos0);
  a.subscribes("$SYS/broker/memory/max").receives("$SYS/broker/memory/max", "67108864");
  a.subscribes("$SYS/broker/memory/pressure").receives("$SYS/broker/memory/pressure", "qos0");
  a.subscribes("$SYS/broker/memory/dropped").receives("$SYS/broker/memory/dropped", "0");
}

}  // namespace linnet::test

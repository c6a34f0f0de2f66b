// What happens to messages, as `linnet trace` and `linnet top` are told it.
#include "shard/trace.hpp"

#include <gtest/gtest.h>

#include "base/cat.hpp"
#include "shard/tops.hpp"
#include "support/access_fixture.hpp"

namespace linnet::test {
namespace {

using shard::Tops;
using shard::Trace;
using shard::TraceFilter;
using shard::TraceRecord;

struct Counting final : Waker {
  void wake() noexcept override { ++woken; }
  int woken = 0;
};

/// "sent to: t QoS 1, why"
std::string text_of(const TraceRecord& record) {
  std::string text = cat(session::name_of(record.step), ' ', record.client_id);
  if (record.has_message)
    text += cat(": ", record.topic, " QoS ", static_cast<unsigned>(record.qos));
  if (!record.why.empty()) text += cat(", ", record.why);
  return text;
}

class Looks {
 public:
  Looks(Cluster& cluster, shard::ObserverPtr observer)
      : cluster_(cluster), observer_(std::move(observer)) {
    tell(true);
  }
  Looks(const Looks&) = delete;
  Looks& operator=(const Looks&) = delete;
  ~Looks() { tell(false); }

 private:
  void tell(bool looks) {
    for (std::uint32_t id = 0; id < cluster_.shards(); ++id)
      cluster_.post().mailbox(id).post(shard::ObserverLetter{observer_, looks});
    cluster_.settle();
  }
  Cluster& cluster_;
  shard::ObserverPtr observer_;
};

class TraceTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  void start(Config config = {}) {
    cluster = std::make_unique<Cluster>(ClusterOptions{.shards = GetParam(), .config = config});
  }
  void look(TraceFilter filter) {
    trace.reset(new Trace(std::move(filter), &waker));
    looks = std::make_unique<Looks>(*cluster, trace);
  }
  std::vector<std::string> told() {
    std::vector<std::string> lines;
    for (const TraceRecord& record : trace->take(1'000).records)
      lines.push_back(text_of(record));
    return lines;
  }
  ~TraceTest() override {
    looks.reset();
    if (trace) trace->leave();
  }
  Client& client(const char* id) { return cluster->client(id); }

  using Lines = std::vector<std::string>;
  Counting waker;
  std::unique_ptr<Cluster> cluster;
  boost::intrusive_ptr<Trace> trace;
  std::unique_ptr<Looks> looks;
};

INSTANTIATE_TEST_SUITE_P(Shards, TraceTest, testing::Values(1U, 3U));

TEST_P(TraceTest, each_step_of_each_quality) {
  start();
  client("b").connects().subscribes("t", {.qos = 2});
  look({.client_id = {}, .topic = "t"});
  auto& a = client("a").connects();
  a.publishes("t", "0");
  EXPECT_EQ(told(), (Lines{"received a: t QoS 0", "sent b: t QoS 0"}));
  a.publishes("t", "1", {.qos = 1});
  EXPECT_EQ(told(), (Lines{"received a: t QoS 1", "sent b: t QoS 1", "acknowledged b: t QoS 1"}));
  a.publishes("t", "2", {.qos = 2});
  // After PUBREC the message is gone, and its topic is not known any more.
  EXPECT_EQ(told(), (Lines{"received a: t QoS 2", "sent b: t QoS 2", "acknowledged b: t QoS 2"}));
  a.publishes("u", "0");
  EXPECT_EQ(told(), Lines{});
}

TEST_P(TraceTest, a_client_as_publisher_and_as_receiver) {
  start();
  client("b").connects().subscribes("t", {.qos = 2});
  look({.client_id = "b", .topic = {}});
  client("a").connects().publishes("t", "2", {.qos = 2});
  EXPECT_EQ(told(), (Lines{"sent b: t QoS 2", "acknowledged b: t QoS 2", "completed b"}));
  client("c").connects().subscribes("u");
  client("b").publishes("u", "x");
  EXPECT_EQ(told(), (Lines{"received b: u QoS 0", "sent c: u QoS 0"}));
  client("a").publishes("u", "x");
  EXPECT_EQ(told(), Lines{});
}

TEST_P(TraceTest, why_a_message_is_not_sent) {
  Config config;
  config.limits.backlog_messages_max = 1;
  config.limits.backlog_policy = BacklogPolicy::drop_oldest;
  start(config);
  auto& b = client("b").connects({.expiry_s = 100}).subscribes("t", {.qos = 1, .no_local = true});
  look({.client_id = "b", .topic = {}});
  b.publishes("t", "own", {.qos = 1});
  EXPECT_EQ(told(),
            (Lines{"received b: t QoS 1", "skipped b: t QoS 1, No Local: it is its own message"}));
  b.drops();
  auto& a = client("a").connects();
  a.publishes("t", "0");
  EXPECT_EQ(told(), Lines{"skipped b: t QoS 0, it is away, and QoS 0 is not queued"});
  a.publishes("t", "1", {.qos = 1, .expiry_s = 1});
  EXPECT_EQ(told(), Lines{"queued b: t QoS 1"});
  a.publishes("t", "2", {.qos = 1, .expiry_s = 1});
  EXPECT_EQ(told(), (Lines{"dropped b: t QoS 1, it was the oldest of a full backlog",
                           "queued b: t QoS 1"}));
  cluster->after(2s);
  b.connects({.clean_start = false, .expiry_s = 100});
  EXPECT_EQ(told(), Lines{"expired b: t QoS 1"});
}

TEST_P(TraceTest, a_receiver_that_does_not_read) {
  Config config;
  config.limits.outbox_bytes_max = 4'096;
  start(config);
  client("b").connects().subscribes("t");
  client("b").stops_reading();
  look({.client_id = "b", .topic = {}});
  auto& a = client("a").connects();
  Lines lines;
  for (int i = 0; i < 8 && (lines.empty() || !lines.back().starts_with("dropped")); ++i) {
    a.publishes("t", std::string(2'000, 'x'));
    lines = told();
  }
  EXPECT_EQ(lines, Lines{"dropped b: t QoS 0, its outbox is full: it reads too slowly"});
}

TEST_P(TraceTest, a_will_is_told) {
  start();
  client("b").connects().subscribes("t");
  client("a").connects({.will = {{.topic = "t", .payload = "gone"}}});
  look({.client_id = {}, .topic = "#"});
  client("a").drops();
  EXPECT_EQ(told(), (Lines{"will a: t QoS 0", "sent b: t QoS 0"}));
}

TEST_P(TraceTest, what_came_too_fast_is_counted) {
  start();
  look({.client_id = "a", .topic = {}});
  auto& a = client("a").connects();
  constexpr std::size_t kMore = 50;
  for (std::size_t i = 0; i < Trace::kRecordsMax + kMore; ++i)
    a.publishes("t", "x");
  EXPECT_EQ(waker.woken, 1);
  auto taken = trace->take(Trace::kRecordsMax - 1);
  EXPECT_EQ(taken.records.size(), Trace::kRecordsMax - 1);
  EXPECT_EQ(taken.lost, 0U);
  EXPECT_TRUE(taken.more);
  taken = trace->take(10);
  EXPECT_EQ(taken.records.size(), 1U);
  EXPECT_EQ(taken.lost, kMore);
  a.publishes("t", "x");
  EXPECT_EQ(trace->take(10).records.front().number, Trace::kRecordsMax + kMore + 1);
}

TEST_P(TraceTest, nobody_is_told_after_the_end) {
  start();
  look({.client_id = "a", .topic = {}});
  looks.reset();
  client("a").connects().publishes("t", "x");
  EXPECT_EQ(told(), Lines{});
}

TEST_P(TraceTest, heaviest_topics_and_clients) {
  start();
  const boost::intrusive_ptr<Tops> tops(new Tops(GetParam()));
  const Looks look(*cluster, tops);
  client("b").connects().subscribes("#");
  auto& a = client("a").connects();
  for (int i = 0; i < 5; ++i)
    a.publishes("heavy", "12345");
  client("c").connects().publishes("light", "1");
  const auto taken = tops->take(1);
  ASSERT_EQ(taken.topics.size(), 1U);
  EXPECT_EQ(taken.topics[0].name, "heavy");
  EXPECT_EQ(taken.topics[0].messages, 5U);
  EXPECT_EQ(taken.topics[0].bytes, 25U);
  EXPECT_EQ(taken.senders[0].name, "a");
  EXPECT_EQ(taken.receivers[0].name, "b");
  EXPECT_EQ(taken.receivers[0].messages, 6U);
  EXPECT_TRUE(tops->take(9).topics.empty());
}

TEST(HeavyHittersTest, the_heaviest_of_more_names_than_rows) {
  shard::HeavyHitters hitters;
  for (int round = 0; round < 1'000; ++round) {
    hitters.count("heavy", 1);
    hitters.count(cat("light ", round), 1);
  }
  const auto rows = hitters.take();
  EXPECT_EQ(rows.size(), shard::HeavyHitters::kRowsMax);
  const auto best = shard::heaviest(rows, 1);
  EXPECT_EQ(best.front().name, "heavy");
  EXPECT_EQ(best.front().messages, 1'000U);
  EXPECT_EQ(best.front().error, 0U);
  EXPECT_TRUE(hitters.take().empty());
}

/// Rules that deny.
class TraceRules : public AccessTest {
 protected:
  TraceRules() : AccessTest(with_rules({deny().publish({"listen/#"}), allow().topics({"#"})})) {}
};

INSTANTIATE_TEST_SUITE_P(Shapes, TraceRules, all_shapes());

TEST_P(TraceRules, the_rule_that_denies_is_named) {
  Counting waker;
  const boost::intrusive_ptr<Trace> trace(new Trace({.client_id = "a", .topic = {}}, &waker));
  const Looks look(c, trace);
  c.client("a").connects().sends_publish("listen/x", "1", {.qos = 1});
  const auto taken = trace->take(9);
  ASSERT_GE(taken.records.size(), 2U);
  EXPECT_EQ(taken.records[0].step, session::Step::received);
  EXPECT_EQ(taken.records[1].step, session::Step::denied);
  EXPECT_NE(taken.records[1].why.find("rule"), std::string::npos) << taken.records[1].why;
  trace->leave();
}

}  // namespace
}  // namespace linnet::test

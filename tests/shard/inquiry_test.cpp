// What an administrator asks of a broker that runs, and does to it.
#include "shard/inquiry.hpp"

#include <gtest/gtest.h>

#include "base/cat.hpp"
#include "support/cluster.hpp"

namespace linnet::test {
namespace {

using shard::Findings;
using shard::Inquiry;
using shard::InquiryPtr;
using shard::Question;

/// Who waits for the answer.
struct Counting final : Waker {
  void wake() noexcept override { ++woken; }
  int woken = 0;
};

class InquiryTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  InquiryPtr ask(Question question) {
    InquiryPtr inquiry(new Inquiry(std::move(question), c.shards(), &waker));
    for (std::uint32_t id = 0; id < c.shards(); ++id)
      c.post().mailbox(id).post(shard::InquiryLetter{inquiry});
    return inquiry;
  }
  /// Asks, and lets the broker run until all have answered.
  Findings answer(Question question) {
    const InquiryPtr inquiry = ask(std::move(question));
    constexpr int kTurnsMax = 10'000;
    for (int turn = 0; turn < kTurnsMax && !inquiry->complete(); ++turn) {
      for (std::uint32_t id = 0; id < c.shards(); ++id)
        c.step(id);
      c.settle();
    }
    EXPECT_TRUE(inquiry->complete());
    return inquiry->take();
  }
  static Question listing(std::size_t limit) {
    Question question;
    question.kind = Question::Kind::list;
    question.limit = limit;
    return question;
  }
  Findings list(std::size_t limit, std::string after = {}, bool connected_only = false) {
    Question question = listing(limit);
    question.after = std::move(after);
    question.connected_only = connected_only;
    return answer(std::move(question));
  }
  static std::vector<std::string> names(const Findings& found) {
    std::vector<std::string> names;
    for (const auto& one : found.sessions)
      names.push_back(one.client_id);
    return names;
  }

  Cluster c{{.shards = GetParam()}};
  Counting waker;
};

TEST_P(InquiryTest, counters_of_all_shards) {
  c.client("a").connects();
  c.client("b").connects().publishes("x", "1");
  const Findings found = answer({});
  EXPECT_EQ(found.counters.clients_connected, 2U);
  EXPECT_EQ(found.counters.publish_received, 1U);
  EXPECT_EQ(waker.woken, 1);
}

TEST_P(InquiryTest, lists_are_sorted_and_come_in_pages) {
  for (const char* id : {"d", "a", "c", "b", "e"})
    c.client(id).connects({.expiry_s = 100});
  c.client("c").drops();
  Findings page = list(2);
  EXPECT_EQ(names(page), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(page.matching, 5U);
  page = list(2, "b");
  EXPECT_EQ(names(page), (std::vector<std::string>{"c", "d"}));
  EXPECT_FALSE(page.sessions[0].connected);
  EXPECT_TRUE(page.sessions[1].connected);
  page = list(2, "d");
  EXPECT_EQ(names(page), std::vector<std::string>{"e"});
  EXPECT_EQ(page.matching, 1U);
  EXPECT_EQ(names(list(9, {}, true)), (std::vector<std::string>{"a", "b", "d", "e"}));
}

TEST_P(InquiryTest, many_sessions_are_looked_at_in_pieces) {
  const std::uint32_t clients = 700 * c.shards();
  for (std::uint32_t i = 0; i < clients; ++i)
    c.client(cat("client-", 1'000 + i)).connects();
  const InquiryPtr inquiry = ask(listing(10));
  for (std::uint32_t id = 0; id < c.shards(); ++id)
    c.step(id);
  // No shard goes through all of its own in one turn, and none sleeps on it.
  EXPECT_FALSE(inquiry->complete());
  EXPECT_EQ(c.shard(0).wait_ms(), 0);
  inquiry->leave();
  for (std::uint32_t id = 0; id < c.shards(); ++id)
    c.step(id);
  EXPECT_NE(c.shard(0).wait_ms(), 0);
  EXPECT_EQ(waker.woken, 0);
  const Findings found = list(3, "client-1000");
  EXPECT_EQ(names(found), (std::vector<std::string>{"client-1001", "client-1002", "client-1003"}));
  EXPECT_FALSE(found.partial);
}

TEST_P(InquiryTest, clients_that_come_and_go_meanwhile_do_not_stop_a_list) {
  constexpr int kClients = 1'500;
  for (int i = 0; i < kClients; ++i)
    c.client(cat("client-", i)).connects();
  const InquiryPtr inquiry = ask(listing(5));
  for (int turn = 0; turn < 200 && !inquiry->complete(); ++turn) {
    for (std::uint32_t id = 0; id < c.shards(); ++id)
      c.step(id);
    c.client(cat("client-", turn * 7 + 100)).drops();
    c.client(cat("new-", turn)).connects();
  }
  ASSERT_TRUE(inquiry->complete());
  EXPECT_EQ(inquiry->take().sessions.size(), 5U);
}

TEST_P(InquiryTest, one_session_with_its_subscriptions) {
  c.client("a").connects({.expiry_s = 100}).subscribes("x/#", {.qos = 1});
  c.client("a").subscribes("$share/g/y");
  Question question;
  question.kind = Question::Kind::list;
  question.client_id = "a";
  const Findings found = answer(question);
  ASSERT_EQ(found.sessions.size(), 1U);
  const session::SessionFacts& facts = found.sessions.front();
  EXPECT_EQ(facts.subscriptions, 2U);
  EXPECT_EQ(facts.expiry_s, 100U);
  EXPECT_EQ(facts.version, "MQTT 5.0");
  ASSERT_EQ(facts.filters.size(), 2U);
  EXPECT_EQ(facts.filters[0].filter, "$share/g/y");
  EXPECT_EQ(facts.filters[1].filter, "x/#");
  EXPECT_EQ(facts.filters[1].qos, Qos::at_least_once);
  question.client_id = "nobody";
  EXPECT_TRUE(answer(question).sessions.empty());
}

TEST_P(InquiryTest, those_who_lag_behind_come_first) {
  c.client("quick").connects().subscribes("x");
  auto& slow = c.client("slow").connects({.expiry_s = 100}).subscribes("x", {.qos = 1});
  auto& slower = c.client("slower").connects({.expiry_s = 100}).subscribes("#", {.qos = 1});
  slow.drops();
  slower.drops();
  auto& sender = c.client("sender").connects();
  sender.publishes("y", std::string(1'000, 'y'), {.qos = 1});
  sender.publishes("x", "1", {.qos = 1});
  Question question;
  question.kind = Question::Kind::list;
  question.order = Question::Order::by_burden;
  const Findings found = answer(question);
  EXPECT_EQ(names(found), (std::vector<std::string>{"slower", "slow"}));
  EXPECT_EQ(found.sessions[0].backlog_messages, 2U);
}

TEST_P(InquiryTest, a_kick_ends_the_connection_and_the_will_is_due) {
  c.client("b").connects().subscribes("will");
  c.client("a").connects({.expiry_s = 100, .will = {{.topic = "will", .payload = "gone"}}});
  Question question;
  question.kind = Question::Kind::kick;
  question.client_id = "a";
  Findings found = answer(question);
  EXPECT_EQ(found.matching, 1U);
  EXPECT_EQ(found.connected, 1U);
  EXPECT_EQ(found.ended, 0U);
  c.client("a").gets_disconnect(ReasonCode::administrative_action);
  c.client("b").receives("will", "gone");
  EXPECT_EQ(names(list(9)), (std::vector<std::string>{"a", "b"}));
  question.ends_session = true;
  found = answer(question);
  EXPECT_EQ(found.connected, 0U);
  EXPECT_EQ(found.ended, 1U);
  EXPECT_EQ(names(list(9)), std::vector<std::string>{"b"});
  c.client("a").v3().connects({.clean_start = false});
  found = answer(question);
  EXPECT_EQ(found.connected, 1U);
  EXPECT_EQ(found.ended, 1U);
  c.client("a").is_closed();
  EXPECT_EQ(names(list(9)), std::vector<std::string>{"b"});
  question.client_id = "nobody";
  EXPECT_EQ(answer(question).matching, 0U);
}

TEST_P(InquiryTest, retained_messages_are_erased_and_the_store_knows_it) {
  auto& sender = c.client("sender").connects();
  auto& live = c.client("live").connects().subscribes("t/#");
  Question question;
  question.kind = Question::Kind::erase_retained;
  constexpr int kTopics = 200;
  for (int i = 0; i < kTopics; ++i) {
    question.topics.push_back(cat("t/", i));
    sender.publishes(question.topics.back(), "x", {.qos = 1, .retain = true});
  }
  sender.publishes("other", "x", {.qos = 1, .retain = true});
  live.takes_messages();
  const Findings found = answer(question);
  EXPECT_EQ(found.erased, static_cast<std::uint64_t>(kTopics));
  EXPECT_EQ(found.refused, 0U);
  EXPECT_EQ(live.takes_messages().size(), static_cast<std::size_t>(kTopics));
  c.restart();  // without a warning
  c.client("late").connects().subscribes("#").receives("other", "x");
  c.client("late").receives_nothing();
}

TEST_P(InquiryTest, a_broker_that_ends_still_answers_or_is_left) {
  c.client("a").connects();
  const InquiryPtr inquiry = ask(listing(9));
  c.stop();
  c.settle();
  EXPECT_TRUE(c.stopped());
  inquiry->leave();
}

INSTANTIATE_TEST_SUITE_P(Shards, InquiryTest, testing::Values(1U, 3U));

}  // namespace
}  // namespace linnet::test

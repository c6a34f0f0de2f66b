#include "store/memory_store.hpp"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

namespace linnet::store {
namespace {

class Sink final : public AnswerSink {
 public:
  void answer(std::uint32_t shard, const Answer& answer) override {
    answers.emplace_back(shard, answer);
  }
  void has_room_again() override {}

  std::vector<std::pair<std::uint32_t, Answer>> answers;
};

Request put(std::string_view topic, std::string_view payload, Ticket ticket = 0, UnitId unit = 0) {
  MessageView view;
  view.topic = topic;
  view.payload = payload;
  view.retain = true;
  Request request;
  request.ticket = ticket;
  request.unit = unit;
  request.changes.emplace_back(PutRetained{Message::make(view)});
  return request;
}

Seal seal(UnitId unit, std::uint32_t parts, Ticket ticket, bool give_up = false) {
  Seal seal;
  seal.ticket = ticket;
  seal.unit = unit;
  seal.parts = parts;
  seal.give_up = give_up;
  return seal;
}

class MemoryStoreTest : public testing::Test {
 protected:
  std::vector<std::string> read(std::string_view filter, std::string_view after = {}) {
    std::vector<std::string> found;
    store.read_retained({filter, after, 100}, [&](const MessageView& message) {
      found.push_back(std::string(message.topic) + "=" + std::string(message.payload));
      return true;
    });
    return found;
  }

  using List = std::vector<std::string>;
  Sink sink;
  MemoryStore store{{.retained_messages_max = 4, .retained_bytes_max = 10'000}, sink};
};

TEST_F(MemoryStoreTest, keeps_replaces_and_clears) {
  store.submit(put("a/b", "1"));
  store.submit(put("a/b", "2"));
  store.submit(put("a/c", "3", 7));
  EXPECT_EQ(read("a/+"), (List{"a/b=2", "a/c=3"}));
  EXPECT_EQ(sink.answers.size(), 1U);
  EXPECT_EQ(sink.answers.front().second.ticket, 7U);
  store.submit(put("a/b", ""));
  EXPECT_EQ(read("#"), (List{"a/c=3"}));
  EXPECT_EQ(store.figures().retained_messages, 1U);
}

TEST_F(MemoryStoreTest, a_walk_goes_on_where_it_ended) {
  for (const char* topic : {"x/1", "x/2", "x", "y"})
    store.submit(put(topic, "p"));
  EXPECT_EQ(read("x/#"), (List{"x=p", "x/1=p", "x/2=p"}));
  EXPECT_EQ(read("x/#", "x/1"), (List{"x/2=p"}));
  EXPECT_EQ(read("#", "x/2"), (List{"y=p"}));
  int visits = 0;
  const auto walk =
      store.read_retained({"#", {}, 100}, [&](const MessageView&) { return ++visits < 2; });
  EXPECT_FALSE(walk.done);
  EXPECT_EQ(walk.last, "x");
  EXPECT_EQ(visits, 2);
}

TEST_F(MemoryStoreTest, a_walk_ends_after_so_many_looks) {
  for (const char* topic : {"a/1", "b/2", "c/1", "d/1"})
    store.submit(put(topic, "p"));
  List found;
  const auto see = [&](const MessageView& message) {
    found.emplace_back(message.topic);
    return true;
  };
  const auto walk = store.read_retained({"+/1", {}, 2}, see);
  EXPECT_FALSE(walk.done);
  EXPECT_EQ(walk.last, "b/2");
  EXPECT_TRUE(store.read_retained({"+/1", walk.last, 2}, see).done);
  EXPECT_EQ(found, (List{"a/1", "c/1", "d/1"}));
}

TEST_F(MemoryStoreTest, a_unit_becomes_true_as_a_whole) {
  store.submit(put("a", "1", 11, 5));
  EXPECT_TRUE(read("#").empty());
  store.submit(seal(5, 2, 12));
  EXPECT_TRUE(sink.answers.empty());
  store.submit(put("b", "2", 13, 5));
  EXPECT_EQ(read("#"), (List{"a=1", "b=2"}));
  ASSERT_EQ(sink.answers.size(), 3U);
  for (const auto& [shard, answer] : sink.answers)
    EXPECT_EQ(answer.outcome, Outcome::committed);
}

TEST_F(MemoryStoreTest, a_unit_that_is_given_up_changes_nothing) {
  store.submit(put("a", "1", 11, 5));
  store.submit(seal(5, 1, 12, true));
  EXPECT_TRUE(read("#").empty());
  ASSERT_EQ(sink.answers.size(), 2U);
  EXPECT_EQ(sink.answers.front().second.outcome, Outcome::refused);
}

TEST_F(MemoryStoreTest, the_limit_refuses_new_topics_and_not_old_ones) {
  for (const char* topic : {"1", "2", "3", "4"})
    store.submit(put(topic, "p"));
  store.submit(put("5", "p", 1));
  EXPECT_EQ(sink.answers.back().second.outcome, Outcome::full);
  store.submit(put("4", "new", 2));
  EXPECT_EQ(sink.answers.back().second.outcome, Outcome::committed);
  store.submit(put("4", "", 3));
  store.submit(put("5", "p", 4));
  EXPECT_EQ(sink.answers.back().second.outcome, Outcome::committed);
  store.submit(put("1", std::string(20'000, 'x'), 5));
  EXPECT_EQ(sink.answers.back().second.outcome, Outcome::full);
}

}  // namespace
}  // namespace linnet::store

#include <gtest/gtest.h>

#include "unit/web/visitor.hpp"

namespace linnet::web {
namespace {

using State = net::ReadResult::State;

class WebSocketWrites : public ::testing::Test {
 protected:
  WebSocketWrites() { visitor_.upgrade(); }

  net::WriteResult write_parts(const std::vector<std::string>& texts) {
    std::vector<iovec> parts;
    for (const std::string& text : texts)
      parts.push_back({const_cast<char*>(text.data()), text.size()});
    return visitor_.channel().write(-1, parts);
  }

  Server server_{usual_rules()};
  Visitor visitor_{server_};
};

TEST_F(WebSocketWrites, parts_become_one_message_by_one_write) {
  const std::size_t before = visitor_.wire().writes;
  const auto result = write_parts({"ab", "", "c", "def"});
  EXPECT_EQ(result.count, 6U);
  EXPECT_FALSE(result.blocked);
  EXPECT_EQ(visitor_.wire().writes, before + 1);
  const std::vector<ServerFrame> expected = {{kFin | kBinary, "abcdef"}};
  EXPECT_EQ(visitor_.take_sent(), expected);
}

TEST_F(WebSocketWrites, nothing_is_no_message) {
  EXPECT_EQ(write_parts({}).count, 0U);
  EXPECT_EQ(write_parts({"", ""}).count, 0U);
  EXPECT_EQ(visitor_.wire().outgoing, "");
}

TEST_F(WebSocketWrites, what_is_below_may_write_without_a_message) {
  visitor_.wire().wants = true;
  visitor_.wire().capacity = 0;
  EXPECT_TRUE(visitor_.channel().wants_write());
  EXPECT_TRUE(visitor_.write().blocked);
  visitor_.wire().capacity = 100;
  EXPECT_FALSE(visitor_.write().blocked);
  EXPECT_FALSE(visitor_.channel().wants_write());
}

TEST_F(WebSocketWrites, many_parts_are_all_sent) {
  std::vector<std::string> texts;
  std::string all;
  for (unsigned at = 0; at < 200; ++at)
    all += texts.emplace_back(numbered(at * 7 % 1000, at));
  EXPECT_EQ(write_parts(texts).count, all.size());
  std::string got;
  for (const ServerFrame& sent : visitor_.take_sent())
    got += sent.payload;
  EXPECT_TRUE(got == all);
}

TEST_F(WebSocketWrites, large_parts_are_cut_into_messages) {
  const std::string text = numbered(2'500'000);
  EXPECT_EQ(visitor_.write(text).count, text.size());
  const auto sent = visitor_.take_sent();
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_TRUE(sent[0].payload + sent[1].payload + sent[2].payload == text);
}

TEST_F(WebSocketWrites, blocked_message_is_counted_when_it_is_out) {
  const std::string one = numbered(100);
  const std::string two = numbered(50, 2);
  visitor_.wire().capacity = 10;
  auto result = visitor_.write(one);
  EXPECT_EQ(result.count, 0U);
  EXPECT_TRUE(result.blocked);
  EXPECT_FALSE(visitor_.channel().wants_write()) << "it is the parts that wait";
  visitor_.wire().capacity = 20;
  result = write_parts({one, two});
  EXPECT_EQ(result.count, 0U);
  EXPECT_TRUE(result.blocked);
  visitor_.wire().capacity = 1000;
  result = write_parts({one, two});
  EXPECT_EQ(result.count, 150U);
  EXPECT_FALSE(result.blocked);
  const std::vector<ServerFrame> expected = {{kFin | kBinary, one}, {kFin | kBinary, two}};
  EXPECT_EQ(visitor_.take_sent(), expected);
}

TEST_F(WebSocketWrites, parts_of_a_blocked_message_may_be_shown_from_elsewhere) {
  std::vector<std::string> texts;
  std::string all;
  for (unsigned at = 0; at < 60; ++at)
    all += texts.emplace_back(numbered(5000, at));
  visitor_.wire().capacity = 100'000;
  EXPECT_EQ(write_parts(texts).count, 0U);
  visitor_.wire().capacity = 1 << 20;
  EXPECT_EQ(write_parts(texts).count, all.size()) << "the array of parts is another one now";
  const std::vector<ServerFrame> expected = {{kFin | kBinary, all}};
  EXPECT_TRUE(visitor_.take_sent() == expected);
}

TEST_F(WebSocketWrites, reading_goes_on_while_a_message_waits) {
  visitor_.wire().capacity = 3;
  EXPECT_TRUE(visitor_.write("blocked").blocked);
  visitor_.receive(message("still"));
  EXPECT_EQ(visitor_.take_bytes(), "still");
}

TEST_F(WebSocketWrites, pong_waits_for_the_message_before_it) {
  visitor_.wire().capacity = 3;
  EXPECT_TRUE(visitor_.write("first").blocked);
  visitor_.receive(frame(kFin | kPing, "p") + message("after"));
  EXPECT_TRUE(visitor_.channel().wants_write());
  EXPECT_EQ(visitor_.take_bytes(), "");
  visitor_.wire().capacity = 100;
  EXPECT_EQ(visitor_.write("first").count, 5U);
  visitor_.read();
  EXPECT_EQ(visitor_.take_bytes(), "after");
  const std::vector<ServerFrame> expected = {{kFin | kBinary, "first"}, {kFin | kPong, "p"}};
  EXPECT_EQ(visitor_.take_sent(), expected);
}

TEST_F(WebSocketWrites, message_waits_for_the_pong_before_it) {
  visitor_.wire().capacity = 1;
  visitor_.receive(frame(kFin | kPing, "p") + message("after"));
  EXPECT_TRUE(visitor_.write("second").blocked);
  visitor_.wire().capacity = 100;
  EXPECT_EQ(visitor_.write("second").count, 6U);
  visitor_.read();
  EXPECT_EQ(visitor_.take_bytes(), "after");
  const std::vector<ServerFrame> expected = {{kFin | kPong, "p"}, {kFin | kBinary, "second"}};
  EXPECT_EQ(visitor_.take_sent(), expected);
}

TEST_F(WebSocketWrites, upgrade_that_cannot_be_answered_waits) {
  Visitor visitor(server_);
  visitor.wire().capacity = 20;
  visitor.receive(request() + message("eager"));
  EXPECT_TRUE(visitor.channel().wants_write());
  EXPECT_FALSE(visitor.channel().has_more());
  EXPECT_EQ(visitor.take_bytes(), "");
  visitor.wire().capacity = 1000;
  EXPECT_FALSE(visitor.write().blocked);
  visitor.read();
  EXPECT_EQ(visitor.take_bytes(), "eager");
  EXPECT_TRUE(visitor.wire().outgoing.ends_with("\r\n\r\n"));
}

TEST_F(WebSocketWrites, end_says_close_once) {
  EXPECT_FALSE(visitor_.channel().end(-1).blocked);
  EXPECT_TRUE(visitor_.wire().ended);
  EXPECT_FALSE(visitor_.channel().end(-1).blocked);
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1000));
  EXPECT_EQ(visitor_.write("late").count, 4U) << "dropped";
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1000));
}

TEST_F(WebSocketWrites, end_waits_for_the_wire) {
  visitor_.wire().capacity = 1;
  EXPECT_TRUE(visitor_.channel().end(-1).blocked);
  EXPECT_FALSE(visitor_.wire().ended);
  EXPECT_TRUE(visitor_.channel().end(-1).blocked);
  visitor_.wire().capacity = 100;
  EXPECT_FALSE(visitor_.channel().end(-1).blocked);
  EXPECT_TRUE(visitor_.wire().ended);
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1000));
}

TEST_F(WebSocketWrites, end_comes_behind_a_blocked_message) {
  visitor_.wire().capacity = 1;
  EXPECT_TRUE(visitor_.write("last").blocked);
  EXPECT_TRUE(visitor_.channel().end(-1).blocked);
  visitor_.wire().capacity = 100;
  EXPECT_FALSE(visitor_.channel().end(-1).blocked);
  EXPECT_EQ(visitor_.wire().outgoing, "\x82\x04last" + close_of(1000));
}

TEST_F(WebSocketWrites, end_comes_behind_a_blocked_pong) {
  visitor_.wire().capacity = 1;
  visitor_.receive(frame(kFin | kPing, "p"));
  EXPECT_TRUE(visitor_.channel().end(-1).blocked);
  visitor_.wire().capacity = 100;
  EXPECT_FALSE(visitor_.channel().end(-1).blocked);
  const std::vector<ServerFrame> expected = {{kFin | kPong, "p"},
                                             {kFin | kClose, length_bytes(1000, 2)}};
  EXPECT_EQ(visitor_.take_sent(), expected);
}

TEST_F(WebSocketWrites, channel_may_be_read_after_its_end) {
  EXPECT_FALSE(visitor_.channel().end(-1).blocked);
  visitor_.receive(message("late") + frame(kFin | kPing, "") + frame(kFin | kClose, ""));
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1000));
  visitor_.read();
  EXPECT_NE(visitor_.state(), State::bytes);
}

TEST_F(WebSocketWrites, fault_after_a_blocked_message_is_said_behind_it) {
  visitor_.wire().capacity = 1;
  EXPECT_TRUE(visitor_.write("first").blocked);
  visitor_.receive(frame(kFin | kText, "x"));
  EXPECT_EQ(visitor_.state(), State::failed);
  visitor_.wire().capacity = 100;
  EXPECT_EQ(visitor_.write("first").count, 5U);
  const auto sent = visitor_.take_sent();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].payload, "first");
  EXPECT_EQ(sent[1].payload.substr(0, 2), length_bytes(1003, 2));
}

TEST_F(WebSocketWrites, broken_wire_is_told_and_reading_goes_on) {
  visitor_.wire().write_fails = true;
  EXPECT_TRUE(visitor_.write("lost").failed);
  visitor_.receive(frame(kFin | kPing, "") + message("came before"));
  EXPECT_EQ(visitor_.take_bytes(), "came before");
  EXPECT_FALSE(visitor_.channel().wants_write());
  EXPECT_FALSE(visitor_.channel().end(-1).blocked);
}

TEST_F(WebSocketWrites, channel_may_go_at_any_time) {
  for (const int step : {0, 1, 2, 3, 4}) {
    auto visitor = std::make_unique<Visitor>(server_);
    if (step > 0) visitor->receive(request());
    if (step > 1) visitor->wire().capacity = 1;
    if (step == 2) (void)visitor->write("message");
    if (step == 3) visitor->receive(frame(kFin | kPing, "p"));
    if (step == 4) (void)visitor->channel().end(-1);
  }
}

}  // namespace
}  // namespace linnet::web

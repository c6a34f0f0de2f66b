#include <gtest/gtest.h>

#include "unit/web/visitor.hpp"

namespace linnet::web {
namespace {

using State = net::ReadResult::State;

class WebSocketFrames : public ::testing::Test {
 protected:
  WebSocketFrames() { visitor_.upgrade(); }

  /// The frame is refused with the code, and nothing else is said.
  void expect_refused(std::string_view bytes, unsigned code) {
    Visitor visitor(server_);
    visitor.upgrade();
    visitor.receive(bytes);
    EXPECT_EQ(visitor.state(), State::failed);
    EXPECT_EQ(visitor.wire().outgoing.substr(0, 1), close_of(code).substr(0, 1));
    EXPECT_EQ(visitor.wire().outgoing.substr(2, 2), close_of(code).substr(2)) << code;
    EXPECT_FALSE(visitor.channel().fault().empty());
    EXPECT_EQ(visitor.take_sent().size(), 1U);
  }

  Server server_{usual_rules()};
  Visitor visitor_{server_};
};

TEST_F(WebSocketFrames, upgrade_is_answered) {
  const std::string& answer = visitor_.answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 101 ")) << answer;
  EXPECT_NE(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), answer.npos);
  EXPECT_NE(answer.find("Sec-WebSocket-Protocol: mqtt\r\n"), answer.npos);
  EXPECT_NE(answer.find("Server: Linnet\r\n"), answer.npos);
  EXPECT_EQ(answer.find("Extensions"), answer.npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
  EXPECT_FALSE(visitor_.channel().wants_write());
  EXPECT_FALSE(visitor_.channel().has_more());
}

TEST_F(WebSocketFrames, message_becomes_bytes) {
  visitor_.receive(message("hello"));
  EXPECT_EQ(visitor_.take_bytes(), "hello");
  EXPECT_EQ(visitor_.state(), State::bytes);
  EXPECT_TRUE(visitor_.wire().outgoing.empty());
}

TEST_F(WebSocketFrames, packets_may_span_and_share_messages) {
  visitor_.receive(message("ab") + message("c") + message("") + message("defg"));
  EXPECT_EQ(visitor_.take_bytes(), "abcdefg");
}

TEST_F(WebSocketFrames, bytes_may_come_one_by_one) {
  const std::string payload = numbered(300);
  for (const char byte : message(payload) + frame(kFin | kPing, "p") + message("end"))
    visitor_.receive({&byte, 1});
  EXPECT_EQ(visitor_.take_bytes(), payload + "end");
  const std::vector<ServerFrame> expected = {{kFin | kPong, "p"}};
  EXPECT_EQ(visitor_.take_sent(), expected);
}

TEST_F(WebSocketFrames, message_may_be_known_before_the_upgrade_is_answered) {
  Visitor visitor(server_, {}, request() + message("eager"));
  visitor.read();
  EXPECT_EQ(visitor.take_bytes(), "eager");
}

TEST_F(WebSocketFrames, every_length_form_is_read) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 1535U, 1536U, 1537U, 65'535U, 65'536U}) {
    const std::string payload = numbered(size, static_cast<unsigned>(size));
    visitor_.receive(message(payload));
    EXPECT_EQ(visitor_.take_bytes(), payload) << size;
  }
}

TEST_F(WebSocketFrames, large_message_comes_through_rooms_of_any_size) {
  const std::string payload = numbered(3'000'000);
  for (const std::size_t room : {std::size_t{16} << 10, std::size_t{256} << 10}) {
    visitor_.use_room(room);
    for (const std::size_t chunk : {1'000U, 5'000U, 1'000'000U}) {
      visitor_.wire().chunk_max = chunk;
      visitor_.receive(message(payload) + message("z"));
      EXPECT_TRUE(visitor_.take_bytes() == payload + "z") << room << ' ' << chunk;
    }
  }
}

TEST_F(WebSocketFrames, message_that_began_in_one_room_ends_in_another) {
  const std::string payload = numbered(100'000);
  const std::string whole = message(payload);
  std::size_t at = 0;
  for (std::size_t size = 1; at < whole.size(); size = size * 2 % 30'011) {
    visitor_.use_room(size % 2 == 0 ? std::size_t{16} << 10 : std::size_t{70} << 10);
    visitor_.receive(whole.substr(at, size));
    at += size;
  }
  EXPECT_TRUE(visitor_.take_bytes() == payload);
}

TEST_F(WebSocketFrames, fragments_are_joined) {
  visitor_.receive(frame(kBinary, "a") + frame(kContinuation, "b") + frame(kContinuation, "") +
                   frame(kFin | kContinuation, "c") + message("d"));
  EXPECT_EQ(visitor_.take_bytes(), "abcd");
}

TEST_F(WebSocketFrames, first_and_last_fragments_may_be_empty) {
  visitor_.receive(frame(kBinary, "") + frame(kContinuation, "b") +
                   frame(kFin | kContinuation, ""));
  EXPECT_EQ(visitor_.take_bytes(), "b");
}

TEST_F(WebSocketFrames, control_frames_may_come_between_fragments) {
  visitor_.receive(frame(kBinary, "a") + frame(kFin | kPing, "1") + frame(kContinuation, "b") +
                   frame(kFin | kPong, "x") + frame(kFin | kPing, "2") +
                   frame(kFin | kContinuation, "c"));
  EXPECT_EQ(visitor_.take_bytes(), "abc");
  const std::vector<ServerFrame> expected = {{kFin | kPong, "1"}, {kFin | kPong, "2"}};
  EXPECT_EQ(visitor_.take_sent(), expected);
}

TEST_F(WebSocketFrames, ping_is_answered_with_its_payload) {
  const std::string longest = numbered(125);
  visitor_.receive(frame(kFin | kPing, "") + frame(kFin | kPing, longest));
  const std::vector<ServerFrame> expected = {{kFin | kPong, ""}, {kFin | kPong, longest}};
  EXPECT_EQ(visitor_.take_sent(), expected);
  EXPECT_EQ(visitor_.state(), State::again);
}

TEST_F(WebSocketFrames, pong_is_ignored) {
  visitor_.receive(frame(kFin | kPong, "unasked"));
  EXPECT_EQ(visitor_.state(), State::again);
  EXPECT_TRUE(visitor_.wire().outgoing.empty());
}

TEST_F(WebSocketFrames, flood_of_pings_is_answered_in_turns) {
  std::string flood;
  for (int at = 0; at < 10'000; ++at)
    flood += frame(kFin | kPing, "");
  visitor_.wire().incoming = flood + message("end");
  std::size_t most = 0;
  while (visitor_.take_bytes().empty()) {
    const std::size_t before = visitor_.wire().writes;
    std::vector<char> room(std::size_t{256} << 10);
    const auto result = visitor_.channel().read(-1, room);
    most = std::max(most, visitor_.wire().writes - before);
    if (result.state == State::bytes) break;
    ASSERT_TRUE(visitor_.channel().has_more() || !visitor_.wire().incoming.empty());
  }
  EXPECT_LE(most, 400U);
  EXPECT_EQ(visitor_.take_sent().size(), 10'000U);
}

TEST_F(WebSocketFrames, pings_that_cannot_be_answered_are_not_read) {
  visitor_.wire().capacity = 1;
  for (int at = 0; at < 1000; ++at)
    visitor_.wire().incoming += frame(kFin | kPing, "12345678");
  visitor_.use_room(std::size_t{16} << 10);
  visitor_.read();
  EXPECT_TRUE(visitor_.channel().wants_write());
  EXPECT_FALSE(visitor_.channel().has_more());
  const std::size_t unread = visitor_.wire().incoming.size();
  visitor_.wire().incoming += message("end");
  visitor_.read();
  EXPECT_EQ(visitor_.wire().incoming.size(), unread + message("end").size()) << "it waits";
  visitor_.wire().capacity = 1 << 20;
  EXPECT_FALSE(visitor_.write().blocked);
  visitor_.read();
  EXPECT_FALSE(visitor_.channel().wants_write());
  EXPECT_EQ(visitor_.take_bytes(), "end");
  EXPECT_EQ(visitor_.take_sent().size(), 1000U);
}

TEST_F(WebSocketFrames, flood_of_empty_frames_ends) {
  std::string flood;
  for (int at = 0; at < 20'000; ++at)
    flood += message("");
  visitor_.receive(flood + frame(kBinary, "a"));
  for (int at = 0; at < 20'000; ++at)
    visitor_.wire().incoming += frame(kContinuation, "");
  visitor_.receive(frame(kFin | kContinuation, "b"));
  EXPECT_EQ(visitor_.take_bytes(), "ab");
}

TEST_F(WebSocketFrames, text_is_refused) {
  expect_refused(frame(kFin | kText, "hello"), 1003);
  expect_refused(frame(kFin | kText, ""), 1003);
  expect_refused(frame(kText, "hel"), 1003);
  expect_refused(frame(kFin | kText, "\xc0\xaf"), 1007);
}

TEST_F(WebSocketFrames, bytes_before_a_fault_are_shown) {
  visitor_.receive(message("good") + frame(kFin | kText, "bad") + message("late"));
  EXPECT_EQ(visitor_.take_bytes(), "good");
  EXPECT_EQ(visitor_.state(), State::failed);
}

TEST_F(WebSocketFrames, broken_rules_are_refused) {
  using namespace std::string_literals;
  expect_refused("\x82\x01x"s, 1002);  // no mask
  for (const int opcode : {0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF})
    expect_refused(frame(static_cast<std::uint8_t>(kFin | opcode), ""), 1002);
  for (const int bits : {0x10, 0x20, 0x40, 0x70}) {
    expect_refused(frame(static_cast<std::uint8_t>(kFin | bits | kBinary), "x"), 1002);
    expect_refused(frame(static_cast<std::uint8_t>(kFin | bits | kPing), "x"), 1002);
    expect_refused(frame(kBinary, "") + frame(static_cast<std::uint8_t>(bits), "x"), 1002);
  }
  expect_refused(frame(kPing, "x"), 1002);  // in fragments
  expect_refused(frame(kClose, ""), 1002);
  expect_refused(frame(kFin | kPing, numbered(126)), 1002);           // too long
  expect_refused(frame(kFin | kContinuation, "x"), 1002);             // of nothing
  expect_refused(frame(kBinary, "x") + message("y"), 1002);           // two at once
  expect_refused("\x82\xfe\x00\x05"s + "\0\0\0\0"s + "12345", 1002);  // not the shortest
  expect_refused("\x82\xff"s + length_bytes(65'535, 8) + "\0\0\0\0"s, 1002);
}

TEST_F(WebSocketFrames, message_beyond_the_limit_is_refused) {
  Rules rules = usual_rules();
  rules.message_max = 1000;
  const Server server(rules);
  const auto sent = [&server](const std::string& bytes) {
    Visitor visitor(server);
    visitor.upgrade();
    visitor.receive(bytes);
    return visitor.wire().outgoing;
  };
  EXPECT_EQ(sent(message(numbered(1000))), "");
  EXPECT_EQ(sent(message(numbered(1001))), close_of(1009));
  EXPECT_EQ(sent(message(numbered(1001)).substr(0, 8)), close_of(1009)) << "by its head alone";
  EXPECT_EQ(sent(frame(kBinary, numbered(600)) + frame(kContinuation, numbered(401))),
            close_of(1009));
  using namespace std::string_literals;
  const auto huge = length_bytes(~std::uint64_t{0}, 8);
  EXPECT_EQ(sent("\x82\xff"s + huge + "\0\0\0\0"s), close_of(1009));
  EXPECT_EQ(sent(frame(kBinary, "x") + "\x80\xff"s + huge + "\0\0\0\0"s), close_of(1009));
}

TEST_F(WebSocketFrames, close_is_answered) {
  visitor_.receive(message("last") + frame(kFin | kClose, length_bytes(1001, 2) + "bye"));
  EXPECT_EQ(visitor_.take_bytes(), "last");
  EXPECT_EQ(visitor_.state(), State::closed);
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1001));
  EXPECT_EQ(visitor_.channel().fault(), "");
  EXPECT_FALSE(visitor_.channel().end(-1).blocked);
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1001)) << "once";
  EXPECT_TRUE(visitor_.wire().ended);
}

TEST_F(WebSocketFrames, close_needs_no_code) {
  visitor_.receive(frame(kFin | kClose, ""));
  EXPECT_EQ(visitor_.state(), State::closed);
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1000));
}

TEST_F(WebSocketFrames, close_codes_are_checked) {
  for (const unsigned good : {1000U, 1001U, 1002U, 1003U, 1007U, 1011U, 3000U, 4999U}) {
    Visitor visitor(server_);
    visitor.upgrade();
    visitor.receive(frame(kFin | kClose, length_bytes(good, 2)));
    EXPECT_EQ(visitor.state(), State::closed) << good;
  }
  for (const unsigned bad : {0U, 999U, 1004U, 1005U, 1006U, 1016U, 1100U, 2999U})
    expect_refused(frame(kFin | kClose, length_bytes(bad, 2)), 1002);
  expect_refused(frame(kFin | kClose, "\x03"), 1002);
  expect_refused(frame(kFin | kClose, length_bytes(1000, 2) + "\xff"), 1002);
}

TEST_F(WebSocketFrames, close_may_come_between_fragments) {
  visitor_.receive(frame(kBinary, "a") + frame(kFin | kClose, length_bytes(1000, 2)));
  EXPECT_EQ(visitor_.state(), State::closed);
}

TEST_F(WebSocketFrames, nothing_is_read_behind_a_close) {
  visitor_.receive(frame(kFin | kClose, "") + message("late"));
  EXPECT_EQ(visitor_.take_bytes(), "");
  EXPECT_EQ(visitor_.state(), State::closed);
}

TEST_F(WebSocketFrames, close_that_cannot_be_answered_waits) {
  visitor_.wire().capacity = 2;
  visitor_.receive(frame(kFin | kClose, length_bytes(1000, 2)));
  EXPECT_EQ(visitor_.state(), State::again);
  EXPECT_TRUE(visitor_.channel().wants_write());
  EXPECT_TRUE(visitor_.write().blocked);
  visitor_.wire().capacity = 100;
  EXPECT_FALSE(visitor_.write().blocked);
  visitor_.read();
  EXPECT_EQ(visitor_.state(), State::closed);
  EXPECT_EQ(visitor_.wire().outgoing, close_of(1000));
}

TEST_F(WebSocketFrames, wire_that_just_ends_is_told) {
  visitor_.wire().closed = true;
  visitor_.receive(message("last"));
  EXPECT_EQ(visitor_.take_bytes(), "last");
  EXPECT_EQ(visitor_.state(), State::closed);
  EXPECT_EQ(visitor_.wire().outgoing, "");
}

}  // namespace
}  // namespace linnet::web

#include "client/websocket.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "base/cat.hpp"
#include "scripted_channel.hpp"

namespace linnet::client {
namespace {

using namespace std::string_literals;
using State = net::ReadResult::State;
using test::Script;

/// A channel, and the server that it talks to.
class WebsocketTest : public testing::Test {
 protected:
  std::string request() {
    EXPECT_FALSE(channel_.write(0, {}).failed);
    return std::exchange(script_.heard, {});
  }
  std::string answer() {
    const std::string text = request();
    const std::string name = "Sec-WebSocket-Key: ";
    const auto at = text.find(name) + name.size();
    const std::string nonce = text.substr(at, text.find('\r', at) - at);
    return cat("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nConnection: Upgrade\r\n",
               "SEC-WEBSOCKET-ACCEPT:  ", accept_text(nonce),
               " \r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
  }
  void open() {
    script_.says = {answer()};
    EXPECT_EQ(read(), "");
    EXPECT_FALSE(channel_.is_opening());
  }
  /// All that comes now.
  std::string read() {
    std::string all;
    for (;;) {
      const auto result = channel_.read(0, room_);
      last_ = result.state;
      if (result.state == State::bytes) all.append(room_.data(), result.count);
      if (result.state != State::bytes && (result.state != State::again || script_.says.empty()))
        return all;
    }
  }
  net::WriteResult write(std::string& bytes) {
    const iovec part{bytes.data(), bytes.size()};
    return channel_.write(0, {&part, 1});
  }
  void expect_broken(const std::string& bytes) {
    open();
    script_.says = {bytes};
    EXPECT_EQ(read(), "");
    EXPECT_EQ(last_, State::failed);
    EXPECT_NE(channel_.fault().find("none of MQTT's"), std::string::npos) << channel_.fault();
  }

  Script script_;
  std::vector<char> room_ = std::vector<char>(64 << 10);
  WebsocketChannel channel_{std::make_unique<test::ScriptedChannel>(script_), "broker:8083",
                            "/mqtt"};
  State last_ = State::again;
};

TEST(AcceptText, OfTheStandard) {
  EXPECT_EQ(accept_text("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST_F(WebsocketTest, Request) {
  const std::string text = request();
  EXPECT_TRUE(text.starts_with("GET /mqtt HTTP/1.1\r\nHost: broker:8083\r\n")) << text;
  EXPECT_NE(text.find("Sec-WebSocket-Protocol: mqtt\r\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("\r\n\r\n"));
}

TEST_F(WebsocketTest, NothingIsTakenBeforeTheUpgrade) {
  std::string bytes = "connect";
  EXPECT_EQ(write(bytes).count, 0U);
  EXPECT_EQ(script_.heard.find("connect"), std::string::npos);
}

TEST_F(WebsocketTest, EverySplitOfAnswerAndFrames) {
  const std::string frames = "\x82\x03"s + "abc" + "\x89\x02" + "hi" + "\x02\x01" + "d" +
                             "\x80\x7E\x01\x2C"s + std::string(300, 'e') + "\x82\x00"s +
                             "\x82\x01" + "f";
  const std::string expected = "abcd" + std::string(300, 'e') + "f";
  for (std::size_t step : {1U, 2U, 3U, 7U, 100U, 10'000U}) {
    Script script;
    WebsocketChannel channel(std::make_unique<test::ScriptedChannel>(script), "h", "/");
    EXPECT_FALSE(channel.write(0, {}).failed);
    // Its own nonce, so its own answer.
    const std::string name = "Sec-WebSocket-Key: ";
    const auto at = script.heard.find(name) + name.size();
    const std::string nonce = script.heard.substr(at, script.heard.find('\r', at) - at);
    const std::string mine = cat("HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: ", accept_text(nonce),
                                 "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", frames);
    for (std::size_t piece = 0; piece < mine.size(); piece += step)
      script.says.push_back(mine.substr(piece, step));
    std::string got;
    while (!script.says.empty()) {
      const auto result = channel.read(0, room_);
      ASSERT_NE(result.state, State::failed) << channel.fault();
      if (result.state == State::bytes) got.append(room_.data(), result.count);
    }
    EXPECT_EQ(got, expected) << step;
    // The ping was answered, masked.
    EXPECT_NE(script.heard.find("\r\n\r\n\x8A\x82"), std::string::npos);
  }
}

TEST_F(WebsocketTest, RefusedUpgrades) {
  for (const std::string& text :
       {"HTTP/1.1 404 Not Found\r\n\r\n"s, "HTTP/1.1 101 OK\r\n\r\n"s,
        "HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"s,
        "\x20\x02\x00\x00\r\n\r\n"s}) {
    Script script;
    WebsocketChannel channel(std::make_unique<test::ScriptedChannel>(script), "h", "/");
    script.says = {text};
    EXPECT_EQ(channel.read(0, room_).state, State::failed);
    EXPECT_NE(channel.fault().find("refuses the WebSocket upgrade"), std::string::npos);
  }
}

TEST_F(WebsocketTest, AnAnswerWithoutEnd) {
  script_.says = {std::string(100'000, 'x')};
  EXPECT_EQ(read(), "");
  EXPECT_EQ(last_, State::failed);
  EXPECT_NE(channel_.fault().find("8 KiB"), std::string::npos);
}

TEST_F(WebsocketTest, BrokenFrames) {
  expect_broken("\x81\x01x");  // text
}
TEST_F(WebsocketTest, MaskedFrames) {
  expect_broken("\x82\x81\x01\x02\x03\x04x");
}
TEST_F(WebsocketTest, ReservedBits) {
  expect_broken("\xC2\x01x");
}
TEST_F(WebsocketTest, LongControlFrames) {
  expect_broken("\x89\x7E\x01\x00"s);
}
TEST_F(WebsocketTest, ControlFramesInPieces) {
  expect_broken("\x09\x01x");
}

TEST_F(WebsocketTest, Close) {
  open();
  script_.says = {"\x82\x01x\x88\x02\x03\xE8\x82\x01y"s};
  EXPECT_EQ(read(), "x");
  EXPECT_EQ(last_, State::closed);
}

TEST_F(WebsocketTest, WritesMaskedFrames) {
  open();
  for (const std::size_t size : {1U, 9U, 200U}) {
    std::string bytes(size, 'm');
    EXPECT_EQ(write(bytes).count, size);
    const std::string frame = std::exchange(script_.heard, {});
    const std::size_t head = size < 126 ? 2 : 4;
    ASSERT_EQ(frame.size(), head + 4 + size);
    EXPECT_EQ(frame[0], '\x82');
    EXPECT_NE(frame[1] & 0x80, 0);
    for (std::size_t at = 0; at < size; ++at)
      ASSERT_EQ(frame[head + 4 + at] ^ frame[head + at % 4], 'm');
  }
}

TEST_F(WebsocketTest, ABlockedFrameIsFinishedFirst) {
  open();
  script_.takes = 3;
  std::string bytes(10, 'm');
  auto result = write(bytes);
  EXPECT_EQ(result.count, 10U);
  EXPECT_TRUE(result.blocked);
  EXPECT_TRUE(channel_.wants_write());
  result = write(bytes);
  EXPECT_EQ(result.count, 0U);
  script_.takes = 1'000;
  result = write(bytes);
  EXPECT_EQ(result.count, 10U);
  EXPECT_FALSE(result.blocked);
  EXPECT_EQ(script_.heard.size(), 2U * 16);
}

}  // namespace
}  // namespace linnet::client

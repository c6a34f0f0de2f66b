// The first bytes of a connection: a PROXY header, and which protocol follows.
#include "transport/opening.hpp"

#include <array>
#include <gtest/gtest.h>
#include <string>

#include "support/link_loop.hpp"

namespace linnet::transport {
namespace {

using net::Networks;
using net::ReadResult;
using State = net::ReadResult::State;

constexpr std::string_view kConnect("\x10\x0C\x00\x04MQTT\x04\x02\x00\x00\x00\x00", 14);
constexpr std::string_view kUpgrade =
    "GET /mqtt HTTP/1.1\r\nHost: broker\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: mqtt\r\n\r\n";

class OpeningTest : public testing::Test {
 protected:
  OpeningTest() {
    entrance_.scheme = net::Scheme::any;
    web::Rules rules;
    rules.paths = {"/mqtt"};
    entrance_.web = std::make_unique<web::Server>(std::move(rules));
  }

  void expect_proxies(std::vector<std::string> texts) {
    std::string error;
    auto networks = Networks::parse(texts, error);
    ASSERT_TRUE(networks) << error;
    entrance_.trusted_proxies = std::move(*networks);
    entrance_.proxy_protocol = true;
  }
  void send(std::string_view bytes) const {
    ASSERT_EQ(::send(pair_.theirs.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  ReadResult read(net::Channel& channel) { return channel.read(pair_.ours.get(), room_); }
  /// What is left in the socket.
  std::string rest() {
    const ReadResult result = net::read_from(nullptr, pair_.ours.get(), room_);
    return {room_.data(), result.count};
  }
  Opening opening() { return {entrance_, *net::Endpoint::parse("192.0.2.1", 4000)}; }

  Entrance entrance_;
  test::Pair pair_ = test::unix_pair();
  std::array<char, 32768> room_{};
};

TEST_F(OpeningTest, mqtt_is_left_in_the_socket) {
  Opening first = opening();
  EXPECT_EQ(read(first).state, State::again);
  EXPECT_FALSE(first.take_successor().changed);
  send(kConnect);
  EXPECT_EQ(read(first).state, State::again);
  const auto successor = first.take_successor();
  EXPECT_TRUE(successor.changed);
  EXPECT_EQ(successor.next, nullptr);
  EXPECT_EQ(rest(), kConnect);
}

TEST_F(OpeningTest, http_becomes_a_websocket) {
  Opening first = opening();
  send(kUpgrade);
  EXPECT_EQ(read(first).state, State::again);
  auto successor = first.take_successor();
  ASSERT_TRUE(successor.changed && successor.next != nullptr);
  auto channel = std::move(successor.next);
  do {
    EXPECT_EQ(read(*channel).state, State::again);
    if (auto after = channel->take_successor(); after.changed) channel = std::move(after.next);
  } while (channel->has_more());
  std::array<char, 1024> answer{};
  const auto size = ::recv(pair_.theirs.get(), answer.data(), answer.size(), 0);
  ASSERT_GT(size, 0);
  EXPECT_TRUE(std::string_view(answer.data()).starts_with("HTTP/1.1 101 "));
}

TEST_F(OpeningTest, tls_needs_a_certificate) {
  Opening first = opening();
  send("\x16\x03\x01");
  EXPECT_EQ(read(first).state, State::failed);
  EXPECT_NE(first.fault().find("tls.cert"), std::string::npos) << first.fault();
  EXPECT_FALSE(first.take_successor().changed);
}

TEST_F(OpeningTest, what_nobody_speaks_is_refused) {
  Opening first = opening();
  send(std::string_view("\x00", 1));
  EXPECT_EQ(read(first).state, State::failed);
  EXPECT_FALSE(first.fault().empty());
  EXPECT_EQ(read(first).state, State::failed) << "and stays so";
}

TEST_F(OpeningTest, the_other_side_may_go_without_a_word) {
  Opening first = opening();
  pair_.theirs.close();
  EXPECT_EQ(read(first).state, State::closed);
  EXPECT_TRUE(first.fault().empty());
}

TEST_F(OpeningTest, a_proxy_header_is_taken_and_nothing_behind_it) {
  expect_proxies({"192.0.2.0/24"});
  Opening first = opening();
  send("PROXY TCP4 198.51.100.7 203.0.113.1 4711 1883\r\n");
  send(kConnect);
  EXPECT_EQ(read(first).state, State::again);
  ASSERT_TRUE(first.take_successor().changed);
  ASSERT_NE(first.told_endpoint(), nullptr);
  EXPECT_EQ(first.told_endpoint()->text(), "198.51.100.7:4711");
  EXPECT_EQ(rest(), kConnect);
}

TEST_F(OpeningTest, a_proxy_header_may_come_byte_by_byte) {
  expect_proxies({"192.0.2.1"});
  Opening first = opening();
  const std::string all =
      "PROXY TCP6 2001:db8::7 2001:db8::1 4711 1883\r\n" + std::string(kConnect);
  for (const char& byte : all) {
    send({&byte, 1});
    ASSERT_EQ(read(first).state, State::again);
    if (first.take_successor().changed) break;
  }
  ASSERT_NE(first.told_endpoint(), nullptr);
  EXPECT_EQ(first.told_endpoint()->text(), "[2001:db8::7]:4711");
  EXPECT_EQ(rest(), kConnect.substr(0, 1));
}

TEST_F(OpeningTest, a_proxy_that_is_not_trusted_is_refused) {
  expect_proxies({"198.51.100.0/24"});
  Opening first = opening();
  send("PROXY TCP4 198.51.100.7 203.0.113.1 4711 1883\r\n");
  EXPECT_EQ(read(first).state, State::failed);
  EXPECT_NE(first.fault().find("trusted_proxies"), std::string::npos) << first.fault();
  EXPECT_EQ(first.told_endpoint(), nullptr);
}

TEST_F(OpeningTest, a_connection_without_the_header_is_refused) {
  expect_proxies({"192.0.2.1"});
  Opening first = opening();
  send(kConnect);
  EXPECT_EQ(read(first).state, State::failed);
  EXPECT_NE(first.fault().find("PROXY"), std::string::npos) << first.fault();
}

TEST_F(OpeningTest, an_endless_header_is_refused) {
  expect_proxies({"192.0.2.1"});
  Opening first = opening();
  // Version 2, PROXY, TCP4, and 65,535 bytes of address and TLVs to come.
  send(std::string_view("\r\n\r\n\0\r\nQUIT\n\x21\x11\xFF\xFF", 16));
  ReadResult result;
  for (int part = 0; part < 100 && result.state == State::again; ++part) {
    send(std::string(512, '\0'));
    result = read(first);
  }
  EXPECT_EQ(result.state, State::failed);
  EXPECT_FALSE(first.fault().empty());
}

TEST_F(OpeningTest, a_name_that_the_proxy_has_verified_is_the_user_name) {
  expect_proxies({"192.0.2.1"});
  entrance_.scheme = net::Scheme::mqtt;
  entrance_.web.reset();
  entrance_.takes_proxied_name = true;
  Opening first = opening();
  // TCP4 addresses; then PP2_TYPE_SSL: client flags SSL, CERT_CONN and CERT_SESS, verified, CN.
  const std::string tlv("\x20\x00\x0C\x07\x00\x00\x00\x00\x22\x00\x04lamp", 15);
  std::string header("\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x1B", 16);
  header += std::string("\xC6\x33\x64\x07\xCB\x00\x71\x01\x12\x67\x07\x5B", 12) + tlv;
  send(header + std::string(kConnect));
  EXPECT_EQ(read(first).state, State::again) << first.fault();
  auto successor = first.take_successor();
  ASSERT_TRUE(successor.changed && successor.next != nullptr) << first.fault();
  EXPECT_EQ(successor.next->facts().user_name, "lamp");
  EXPECT_EQ(successor.next->facts().proof, net::PeerFacts::Proof::proxy);
  ASSERT_EQ(read(*successor.next).state, State::bytes);
  EXPECT_EQ(std::string_view(room_.data(), kConnect.size()), kConnect);
}

}  // namespace
}  // namespace linnet::transport

// Clients with real sockets of this machine, and a broker that is the test itself.
#include "bench/client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <vector>

#include "bench/wire.hpp"

namespace linnet::bench {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t kWaitNs = 20 * kSecondNs;

/// Bound to a port of loopback; it listens, or refuses whoever comes.
class Door {
 public:
  explicit Door(bool listens) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    EXPECT_TRUE(!listens || ::listen(socket_.get(), 10) == 0);
  }
  [[nodiscard]] net::SocketAddress address() const { return net::SocketAddress::of(socket_.get()); }
  [[nodiscard]] bool is_wanted() const {
    pollfd waiting{socket_.get(), POLLIN, 0};
    return ::poll(&waiting, 1, 0) == 1;
  }
  [[nodiscard]] net::FileDescriptor accept() const {
    net::FileDescriptor socket(::accept(socket_.get(), nullptr, nullptr));
    const timeval timeout{20, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    return socket;
  }

 private:
  net::FileDescriptor socket_;
};

void say(const net::FileDescriptor& socket, const std::string& bytes) {
  EXPECT_EQ(::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

std::string hear(const net::FileDescriptor& socket, std::size_t size) {
  std::string bytes(size, '\0');
  const auto got = ::recv(socket.get(), bytes.data(), size, MSG_WAITALL);
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

class Probe final : public Client {
 public:
  using Client::Client;
  using Client::is_blocked;
  using Client::send;

  std::vector<std::string> packets;

 private:
  void on_connack(const ConnackAnswer&) override { note_ready(); }
  [[nodiscard]] std::size_t on_bytes(std::string_view bytes) override {
    std::size_t taken = 0;
    for (Found found = scan(bytes, 1'000); found.state == Scan::whole;
         found = scan(bytes.substr(taken), 1'000)) {
      packets.emplace_back(bytes.substr(taken, found.size));
      taken += found.size;
    }
    return taken;
  }
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    std::string error;
    EXPECT_TRUE(loop_.open(70'000, error)) << error;
  }
  void aim_at(std::vector<net::SocketAddress> addresses) {
    target_ = Target::of("mqtt://test", std::move(addresses));
    place_ = std::make_unique<Place>(Place{loop_, *target_, Version::v3_1_1});
  }
  std::unique_ptr<Probe> probe(std::uint32_t number = 0) {
    return std::make_unique<Probe>(*place_, crowd_, "probe", number);
  }
  template <class Done>
  void turn_until(const Done& done) {
    const std::uint64_t end = now_ns() + kWaitNs;
    while (!done() && loop_.fault().empty() && now_ns() < end)
      loop_.turn(now_ns() + 100 * kMillisecondNs);
  }

  Loop loop_;
  std::unique_ptr<Target> target_;
  std::unique_ptr<Place> place_;
  Crowd crowd_;
  const std::string connect_ = connect_packet({"probe", {}, {}, Version::v3_1_1, true});
  const std::string connack_ = "\x20\x02\x00\x00"s;
};

TEST_F(ClientTest, TriesEachAddress) {
  const Door shut(false);
  const Door door(true);
  aim_at({shut.address(), shut.address(), door.address()});
  // Both are on their way before the first one fails.
  const auto one = probe(1);
  const auto two = probe(2);
  one->begin(connect_);
  two->begin(connect_);
  EXPECT_EQ(crowd_.opening, 2U);
  turn_until([&] { return target_->address() == 2; });
  ASSERT_EQ(loop_.fault(), "");
  std::vector<net::FileDescriptor> sockets;
  for (int client = 0; client < 2; ++client) {
    turn_until([&] { return door.is_wanted(); });
    ASSERT_TRUE(door.is_wanted());
    sockets.push_back(door.accept());
    say(sockets.back(), connack_);
  }
  turn_until([&] { return crowd_.ready == 2; });
  for (const auto& socket : sockets)
    EXPECT_EQ(hear(socket, connect_.size()), connect_);
  EXPECT_EQ(crowd_.ready, 2U);
  EXPECT_EQ(crowd_.opening, 0U);
}

TEST_F(ClientTest, NobodyListensAnywhere) {
  const Door shut(false);
  aim_at({shut.address(), shut.address()});
  const auto client = probe();
  client->begin(connect_);
  turn_until([&] { return false; });
  EXPECT_EQ(loop_.fault(), "mqtt://test cannot be connected to: Connection refused");
}

TEST_F(ClientTest, PacketsInPieces) {
  const Door door(true);
  aim_at({door.address()});
  const auto client = probe();
  client->begin(connect_);
  const auto socket = door.accept();
  const std::string bytes = connack_ + "\x30\x05\x00\x01"s + "abc" + "\xD0\x00"s;
  for (const char byte : bytes) {
    say(socket, std::string(1, byte));
    loop_.turn(now_ns() + kWaitNs);
  }
  turn_until([&] { return client->packets.size() == 2; });
  EXPECT_EQ(client->packets, (std::vector<std::string>{"\x30\x05\x00\x01"s + "abc", "\xD0\x00"s}));
}

TEST_F(ClientTest, WhatIsBlockedIsSentLater) {
  const Door door(true);
  aim_at({door.address()});
  const auto client = probe();
  client->begin(connect_);
  const auto socket = door.accept();
  say(socket, connack_);
  turn_until([&] { return client->is_open(); });
  EXPECT_EQ(hear(socket, connect_.size()), connect_);
  std::string sent;
  for (char letter = 'a'; !client->is_blocked() && sent.size() < (64U << 20); ++letter) {
    const std::string bytes(100'000, letter == 'z' ? letter = 'a' : letter);
    client->send(bytes);
    sent += bytes;
  }
  ASSERT_TRUE(client->is_blocked());
  std::string heard;
  while (heard.size() < sent.size()) {
    const auto more = hear(socket, std::min<std::size_t>(sent.size() - heard.size(), 50'000));
    ASSERT_NE(more, "");
    heard += more;
    loop_.turn(0);
  }
  EXPECT_TRUE(heard == sent);
  EXPECT_FALSE(client->is_blocked());
}

TEST_F(ClientTest, ABrokerThatDoesNotRead) {
  const Door door(true);
  aim_at({door.address()});
  const auto client = probe();
  client->begin(connect_);
  const auto socket = door.accept();
  say(socket, connack_);
  turn_until([&] { return client->is_open(); });
  const std::string bytes(512 << 10, 'b');
  for (std::size_t sent = 0; sent < (64U << 20) && loop_.fault().empty(); sent += bytes.size())
    client->send(bytes);
  EXPECT_EQ(loop_.fault(), "probe 0: mqtt://test does not read what it is sent");
}

TEST_F(ClientTest, EndsInGoodOrder) {
  const Door door(true);
  aim_at({door.address()});
  const auto client = probe();
  client->begin(connect_);
  auto socket = door.accept();
  say(socket, connack_);
  turn_until([&] { return client->is_open(); });
  client->end();
  EXPECT_EQ(hear(socket, connect_.size() + 2), connect_ + "\xE0\x00"s);
  socket.close();
  turn_until([&] { return crowd_.ended == 1; });
  EXPECT_EQ(crowd_.ended, 1U);
  EXPECT_EQ(loop_.fault(), "");
}

TEST_F(ClientTest, ClosedBeforeConnack) {
  const Door door(true);
  aim_at({door.address()});
  const auto client = probe(7);
  client->begin(connect_);
  auto socket = door.accept();
  loop_.turn(now_ns() + kWaitNs);  // it is connected, and says CONNECT
  EXPECT_EQ(hear(socket, connect_.size()), connect_);
  socket.close();
  turn_until([&] { return false; });
  EXPECT_EQ(loop_.fault(), "probe 7: mqtt://test has closed the connection, before CONNACK");
}

}  // namespace
}  // namespace linnet::bench

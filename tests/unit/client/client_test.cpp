// Clients with real sockets of this machine, and a broker that is the test itself.
#include "client/client.hpp"

#include <arpa/inet.h>
#include <functional>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/cat.hpp"

namespace linnet::client {
namespace {

using namespace std::string_literals;

const std::string kConnack = "\x20\x03\x00\x00\x00"s;
const std::string kSuback = "\x90\x04\x00\x01\x00\x00"s;

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

struct Told final : ClientUser {
  void on_connected(const mqtt::Connack&) override { ++connected; }
  void on_message(const mqtt::ReceivedPublish& publish) override { payload += publish.payload; }
  void on_published(std::uint64_t, const Outcome&) override { ++published; }
  void on_lost(const std::string& why, std::uint64_t) override { lost.push_back(why); }
  int connected = 0;
  int published = 0;
  std::string payload;
  std::vector<std::string> lost;
};

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string error;
    ASSERT_TRUE(loop_.open(0, error)) << error;
  }
  void make(std::vector<net::SocketAddress> addresses, ClientOptions options = {}) {
    target_ = Target::of("mqtt://test", std::move(addresses));
    options.wait_min_ns = kMillisecondNs;
    client_.emplace(loop_, *target_, options, told_);
    client_->begin();
  }
  void turn_until(const std::function<bool()>& done) {
    const std::uint64_t until = now_ns() + 20 * kSecondNs;
    while (!done() && now_ns() < until)
      loop_.turn(std::min(client_->tend(), now_ns() + 10 * kMillisecondNs));
    EXPECT_TRUE(done());
  }
  /// The next packet of this size.
  std::string hear(const net::FileDescriptor& socket, std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t got = 0;
    turn_until([&] {
      const auto count = ::recv(socket.get(), bytes.data() + got, size - got, MSG_DONTWAIT);
      if (count > 0) got += static_cast<std::size_t>(count);
      return got == size || count == 0;
    });
    bytes.resize(got);
    return bytes;
  }
  static constexpr std::size_t kConnectSize = 15;
  net::FileDescriptor accept(const Door& door) {
    turn_until([&] { return door.is_wanted(); });
    net::FileDescriptor socket = door.accept();
    EXPECT_EQ(hear(socket, kConnectSize).size(), kConnectSize);
    say(socket, kConnack);
    return socket;
  }

  Told told_;
  Loop loop_;
  std::unique_ptr<Target> target_;
  std::optional<Client> client_;
};

TEST_F(ClientTest, ConnectsSpeaksAndEnds) {
  const Door door(true);
  make({door.address()});
  const auto socket = accept(door);
  turn_until([&] { return told_.connected == 1; });
  (void)client_->session().publish({"t", "p"});
  EXPECT_EQ(hear(socket, 7), "\x30\x05\x00\x01t\x00p"s);
  // A packet in pieces.
  say(socket, "\x30\x06\x00\x01"s);
  say(socket, "t\x00he"s);
  turn_until([&] { return told_.payload == "he"; });
  client_->end();
  EXPECT_EQ(hear(socket, 2), "\xE0\x00"s);
  EXPECT_EQ(hear(socket, 1), "");
  ::shutdown(socket.get(), SHUT_RDWR);
  turn_until([&] { return client_->is_over(); });
  EXPECT_EQ(client_->fault(), "");
}

TEST_F(ClientTest, TakesTheNextAddress) {
  const Door closed(false);
  const Door door(true);
  make({closed.address(), door.address()});
  const auto socket = accept(door);
  turn_until([&] { return told_.connected == 1; });
  EXPECT_TRUE(told_.lost.empty());
}

TEST_F(ClientTest, TheFirstConnectionIsTriedOnce) {
  const Door closed(false);
  make({closed.address()});
  turn_until([&] { return client_->is_over(); });
  EXPECT_EQ(client_->fault(), "mqtt://test cannot be connected to: Connection refused");
  EXPECT_FALSE(client_->was_open());
}

TEST_F(ClientTest, ConnectsAgain) {
  const Door door(true);
  make({door.address()});
  client_->session().subscribe({{.filter = "a"}});
  {
    const auto socket = accept(door);
    EXPECT_EQ(hear(socket, 9),
              "\x82\x07\x00\x01\x00\x00\x01"
              "a\x00"s);
    say(socket, kSuback + "\x30\x03\x00"s);
    turn_until([&] { return told_.connected == 1; });
  }
  turn_until([&] { return told_.lost.size() == 1; });
  EXPECT_TRUE(told_.lost[0].starts_with("mqtt://test has ")) << told_.lost[0];
  (void)client_->session().publish({"t", "p", Qos::at_least_once});
  const auto socket = accept(door);
  EXPECT_EQ(hear(socket, 9),
            "\x82\x07\x00\x02\x00\x00\x01"
            "a\x00"s);
  EXPECT_EQ(hear(socket, 9), "\x32\x07\x00\x01t\x00\x03\x00p"s);
  say(socket, "\x40\x02\x00\x03"s);
  turn_until([&] { return told_.published == 1; });
}

TEST_F(ClientTest, GivesUpWhereTheBrokerIsWrong) {
  const Door door(true);
  make({door.address()});
  const auto socket = accept(door);
  say(socket, "\x10\x00"s);
  turn_until([&] { return client_->is_over(); });
  EXPECT_EQ(client_->fault(), "mqtt://test sends CONNECT, which is not for a client of MQTT 5.0");
  EXPECT_EQ(hear(socket, 4), "\xE0\x01\x82"s);
}

TEST_F(ClientTest, WaitsForConnack) {
  const Door door(true);
  ClientOptions options;
  options.opening_max_ns = 50 * kMillisecondNs;
  make({door.address()}, options);
  turn_until([&] { return client_->is_over(); });
  EXPECT_EQ(client_->fault(), "mqtt://test has not answered CONNECT for 0 s");
}

TEST_F(ClientTest, ReadsNoMoreThanIsTaken) {
  const Door door(true);
  make({door.address()});
  const auto socket = accept(door);
  turn_until([&] { return told_.connected == 1; });
  client_->set_reading(false);
  (void)client_->tend();
  say(socket, "\x30\x05\x00\x01t\x00p"s);
  for (int turns = 0; turns < 3; ++turns)
    loop_.turn(std::min(client_->tend(), now_ns() + kMillisecondNs));
  EXPECT_EQ(told_.payload, "");
  client_->set_reading(true);
  turn_until([&] { return told_.payload == "p"; });
}

TEST_F(ClientTest, AnEndWhileNothingIsConnected) {
  const Door door(true);
  make({door.address()});
  {
    const auto socket = accept(door);
    turn_until([&] { return told_.connected == 1; });
  }
  turn_until([&] { return told_.lost.size() == 1; });
  client_->end();
  EXPECT_TRUE(client_->is_over());
  EXPECT_EQ(client_->fault(), "");
}

}  // namespace
}  // namespace linnet::client

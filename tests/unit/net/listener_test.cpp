#include "net/listener.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include "net/bind.hpp"

namespace linnet::net {
namespace {

struct Guests final : AcceptHandler {
  void on_accept(FileDescriptor socket, const Endpoint& peer) override {
    sockets.push_back(std::move(socket));
    peers.push_back(peer);
  }
  std::vector<FileDescriptor> sockets;
  std::vector<Endpoint> peers;
};

FileDescriptor connect_ipv4(std::uint16_t port) {
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  return socket;
}

int option(const FileDescriptor& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(socket.get(), level, name, &value, &size), 0);
  return value;
}

auto bind_text(std::string_view text, unsigned copies = 1) {
  return bind_sockets(*parse_url(text), copies);
}

class ListenerTest : public testing::Test {
 protected:
  void poll_until(std::size_t guests) {
    for (int turn = 0; turn < 1000 && guests_.sockets.size() < guests; ++turn)
      reactor_.poll(10);
    ASSERT_EQ(guests_.sockets.size(), guests);
  }

  TimerWheel timers_{1};
  LinkCounters counters_;
  Reactor reactor_{timers_, counters_};
  Guests guests_;
};

TEST_F(ListenerTest, accepts_many_at_once) {
  auto bound = bind_text("mqtt://127.0.0.1:0");
  ASSERT_TRUE(bound) << bound.error().text;
  ASSERT_NE(bound->url.port, 0);
  Listener listener(std::move(bound->copies[0][0]), reactor_, guests_);
  std::vector<FileDescriptor> clients;
  constexpr std::size_t kClients = Listener::kAcceptsPerTurn + 5;
  for (std::size_t at = 0; at < kClients; ++at)
    clients.push_back(connect_ipv4(bound->url.port));
  poll_until(kClients);
  EXPECT_TRUE(guests_.peers[0].is_loopback());
  EXPECT_NE(guests_.peers[0].port(), 0);
  EXPECT_NE(::fcntl(guests_.sockets[0].get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(option(guests_.sockets[0], IPPROTO_TCP, TCP_NODELAY), 0);
  EXPECT_NE(option(guests_.sockets[0], SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST_F(ListenerTest, pauses_and_resumes) {
  auto bound = bind_text("mqtt://127.0.0.1:0");
  ASSERT_TRUE(bound);
  Listener listener(std::move(bound->copies[0][0]), reactor_, guests_);
  listener.pause();
  const auto client = connect_ipv4(bound->url.port);
  EXPECT_EQ(reactor_.poll(0), 0U);
  listener.resume();
  poll_until(1);
}

/// Lets the process open no more descriptors, and gives them back.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const FileDescriptor next(::dup(0));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next.get());
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

 private:
  rlimit before_{};
};

TEST_F(ListenerTest, without_descriptors_it_sheds_and_backs_off_and_recovers) {
  auto bound = bind_text("mqtt://127.0.0.1:0");
  ASSERT_TRUE(bound);
  Listener listener(std::move(bound->copies[0][0]), reactor_, guests_);
  const auto first = connect_ipv4(bound->url.port);
  ASSERT_EQ(::send(first.get(), "CONNECT", 7, 0), 7);
  const auto second = connect_ipv4(bound->url.port);
  testing::internal::CaptureStderr();
  {
    const NoDescriptors none;
    EXPECT_EQ(reactor_.poll(1000), 1U);
    EXPECT_EQ(reactor_.poll(0), 0U) << "it does not spin";
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find("ulimit -n"), std::string::npos);
  EXPECT_TRUE(guests_.sockets.empty());
  char byte = 0;
  EXPECT_EQ(::recv(first.get(), &byte, 1, 0), 0) << "the first one sees an end and no reset";
  timers_.advance(reactor_.now_ms() + Listener::kBackOffMs);
  poll_until(1);
}

}  // namespace
}  // namespace linnet::net

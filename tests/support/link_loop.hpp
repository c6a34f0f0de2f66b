// A shard's loop without a shard, a user of links as told by the test, and pairs of sockets.
#pragma once

#include <arpa/inet.h>
#include <array>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>

#include "net/file_descriptor.hpp"
#include "net/link.hpp"
#include "net/reactor.hpp"

namespace linnet::test {

using net::FileDescriptor;

inline constexpr int kTurnsMax = 5000;

/// A shard's loop without a shard.
struct Loop {
  TimerWheel timers{1};
  net::LinkCounters counters;
  net::Reactor reactor{timers, counters};

  void turn(int timeout_ms = 0) {
    reactor.poll(timeout_ms);
    timers.advance(reactor.now_ms());
    reactor.flush();
  }
  /// Turns until the condition holds; false if it never does.
  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    for (int count = 0; count < kTurnsMax; ++count) {
      if (condition()) return true;
      turn(1);
    }
    return condition();
  }
  /// Nothing is left to do at once.
  void settle() {
    for (int count = 0; count < 50; ++count)
      turn();
  }
};

/// What a connection would do, as told by the test.
struct User final : net::LinkUser {
  std::size_t on_bytes(std::string_view bytes) override {
    ++shows;
    shown = bytes;
    const std::size_t done = take ? take(bytes) : bytes.size();
    taken += bytes.substr(0, done);
    return done;
  }
  void on_drained() override { ++drains; }
  void on_closed(std::error_code reason) override {
    ++closes;
    why = reason;
  }

  void on_refused(std::string_view text) override {
    ++refusals;
    if (text.empty()) ++closes;  // the wire is broken, and that is all there is to say
    fault = text;
    link->close(net::CloseMode::flush);
  }

  net::Link* link = nullptr;  // to be closed when it is refused
  std::function<std::size_t(std::string_view)> take;
  std::string taken;
  std::string shown;
  int shows = 0;
  int drains = 0;
  int closes = 0;
  int refusals = 0;
  std::error_code why;
  std::string fault;
};

struct Pair {
  FileDescriptor ours;
  FileDescriptor theirs;
};

inline Pair unix_pair() {
  std::array<int, 2> fds{};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
  return {FileDescriptor(fds[0]), FileDescriptor(fds[1])};
}

inline Pair tcp_pair() {
  const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* address = reinterpret_cast<sockaddr*>(&name);
  socklen_t size = sizeof name;
  EXPECT_EQ(::bind(listener.get(), address, size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), address, &size), 0);
  FileDescriptor theirs(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(::connect(theirs.get(), address, size), 0);
  EXPECT_EQ(::fcntl(theirs.get(), F_SETFL, O_NONBLOCK), 0);
  FileDescriptor ours(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return {std::move(ours), std::move(theirs)};
}

}  // namespace linnet::test

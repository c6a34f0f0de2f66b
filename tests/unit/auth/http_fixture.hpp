// A service for tests, in the same thread as the reactor that asks it: what it says and when is up
// to the test, and nothing waits for time to pass.
#pragma once

#include <arpa/inet.h>
#include <chrono>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "auth/http_callout.hpp"
#include "auth/http_service.hpp"
#include "base/cat.hpp"
#include "net/channel.hpp"
#include "net/file_descriptor.hpp"
#include "net/reactor.hpp"
#include "support/certificates.hpp"
#include "tls/server_context.hpp"

namespace linnet::auth::test {

/// A wall clock that stands, and the system's monotonic one.
class StandingClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ms() const noexcept override { return SystemClock().now_ms(); }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return wall_s * 1000; }
  std::int64_t wall_s = 1'700'000'000;
};

/// The service's end of a connection.
struct Peer {
  net::FileDescriptor socket;
  std::unique_ptr<net::Channel> channel;
  std::string received;
  bool closed = false;
  std::vector<char> room = std::vector<char>(64 << 10);

  void pump() {
    for (;;) {
      const auto got = net::read_from(channel.get(), socket.get(), room);
      if (got.state == net::ReadResult::State::again) return;
      if (got.state != net::ReadResult::State::bytes) {
        closed = true;
        return;
      }
      received.append(room.data(), got.count);
    }
  }
  /// A request, once it has come as a whole.
  std::optional<std::string> take_request() {
    pump();
    const auto head = received.find("\r\n\r\n");
    const auto length = received.find("Content-Length: ");
    if (head == received.npos || length == received.npos) return std::nullopt;
    const std::size_t size = head + 4 + std::stoul(received.substr(length + 16));
    if (received.size() < size) return std::nullopt;
    std::string request = received.substr(0, size);
    received.erase(0, size);
    return request;
  }
  void say(std::string_view text) {
    while (!text.empty()) {
      const iovec part{const_cast<char*>(text.data()), text.size()};
      const auto done = net::write_to(channel.get(), socket.get(), {&part, 1});
      if (done.failed || done.blocked) return;
      text.remove_prefix(done.count);
    }
  }
  void answer(std::string_view json, std::string_view status = "200 OK") {
    say(cat("HTTP/1.1 ", status, "\r\nContent-Length: ", json.size(), "\r\n\r\n", json));
  }
};

class HttpFixture : public testing::Test {
 protected:
  HttpFixture() {
    listener_ =
        net::FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(::listen(listener_.get(), 64), 0);
    port = net::SocketAddress::of(listener_.get()).port();
    config.http.url = cat("http://127.0.0.1:", port, "/auth?site=1");
    config.http.timeout = std::chrono::minutes(1);
  }

  void load() {
    std::vector<std::string> errors;
    service = HttpService::load(config, errors);
    ASSERT_TRUE(service) << (errors.empty() ? "" : errors.front());
  }

  static HttpQuestion question(std::string_view user = "anna", std::string_view password = "pw") {
    return {.client_id = "c1",
            .user_name = std::string(user),
            .password = Secret(password),
            .address = "192.0.2.7",
            .listener = "mqtt://*:1883",
            .certificate_cn = "",
            .protocol_version = 5};
  }
  HttpCallout::Ticket ask(const HttpQuestion& asked = question()) {
    if (!service) load();
    return callout.ask(service, asked,
                       [this](HttpAnswer answer) { answers.push_back(std::move(answer)); });
  }

  void turn(int wait_ms = 1) {
    reactor.poll(wait_ms);
    reactor.flush();
  }
  /// Turns until it is so, or for far too long.
  bool until(const std::function<bool()>& is_so) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end) return false;
      turn();
    }
    return true;
  }
  bool until_answers(std::size_t count) {
    return until([&] { return answers.size() >= count; });
  }
  std::unique_ptr<Peer> try_accept() {
    net::FileDescriptor socket(
        ::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) return nullptr;
    auto peer = std::make_unique<Peer>();
    if (tls) peer->channel = tls->accept(socket.get());
    peer->socket = std::move(socket);
    return peer;
  }
  std::unique_ptr<Peer> accept() {
    std::unique_ptr<Peer> peer;
    EXPECT_TRUE(until([&] { return (peer = try_accept()) != nullptr; }));
    return peer;
  }
  std::string request(Peer& peer) {
    std::optional<std::string> whole;
    EXPECT_TRUE(until([&] { return (whole = peer.take_request()).has_value(); }));
    return whole.value_or("");
  }
  /// Answers the next request; somebody who has asked is told.
  bool serve(Peer& peer, std::string_view json, std::string_view status = "200 OK") {
    const std::size_t before = answers.size();
    (void)request(peer);
    peer.answer(json, status);
    return until_answers(before + 1);
  }
  std::string body(Peer& peer) {
    const std::string whole = request(peer);
    return whole.substr(whole.find("\r\n\r\n") + 4);
  }
  bool until_closed(Peer& peer) {
    return until([&] {
      peer.pump();
      return peer.closed;
    });
  }
  /// One question, one connection, one answer.
  HttpAnswer exchange(std::string_view response) {
    answers.clear();
    (void)ask();
    const auto peer = accept();
    (void)request(*peer);
    peer->say(response);
    peer->socket.close();
    EXPECT_TRUE(until_answers(1));
    HttpAnswer answer = std::move(answers.at(0));
    answers.clear();
    return answer;
  }

  AuthConfig config;
  std::uint16_t port = 0;
  StandingClock clock;
  std::unique_ptr<tls::ServerContext> tls;
  HttpServicePtr service;
  std::vector<std::function<void()>> jobs;  // for the background
  std::vector<HttpAnswer> answers;
  TimerWheel timers{SystemClock().now_ms()};
  net::LinkCounters counters;
  net::Reactor reactor{timers, counters};
  HttpCallout callout{reactor, clock,
                      [this](std::function<void()> job) { jobs.push_back(std::move(job)); }};
  net::FileDescriptor listener_;
};

}  // namespace linnet::auth::test

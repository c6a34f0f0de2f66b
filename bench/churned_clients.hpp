// Clients that come and go, on a thread of their own: each connects, subscribes, unsubscribes and
// disconnects, and waits for the broker's answer before each step. None of their filters matches
// the steady traffic.
#pragma once

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

#include "wire.hpp"

namespace linnet::bench {

class ChurnedClients {
 public:
  /// Begins at once. `per_second` clients begin each second, fewer if the broker is too slow for
  /// them: at most kOpenMax are open at one time.
  ChurnedClients(std::uint32_t port, std::uint32_t per_second)
      : port_(port), per_second_(per_second), clients_(kOpenMax) {
    for (std::size_t index = 0; index < kOpenMax; ++index)
      free_.push_back(index);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  // Its end lets the open clients finish.

  /// How many have come and gone; any thread may ask.
  [[nodiscard]] std::uint64_t completed() const {
    return completed_.load(std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Stage : std::uint8_t { connecting, subscribing, unsubscribing, disconnecting };

  struct Client {
    Descriptor socket;
    Stage stage = Stage::connecting;
    std::string filter;
    std::string answer;
  };

  static constexpr std::size_t kOpenMax = 512;
  static constexpr std::chrono::milliseconds kWait{1};  // until more are due

  void run(const std::stop_token& stop) {
    const auto began = Clock::now();
    auto last_progress = began;
    while (!stop.stop_requested() || free_.size() < kOpenMax) {
      if (!stop.stop_requested()) start_due(Clock::now() - began);
      poll_.wait(kWait, [&](std::size_t index) {
        last_progress = Clock::now();
        on_readable(index);
      });
      if (free_.size() == kOpenMax) last_progress = Clock::now();
      if (Clock::now() - last_progress > kAnswerTimeout) fail("churned clients get no answer");
    }
  }

  void start_due(std::chrono::duration<double> elapsed) {
    const auto due = static_cast<std::uint64_t>(elapsed.count() * per_second_);
    for (; started_ < due && !free_.empty(); ++started_) {
      const auto index = free_.back();
      free_.pop_back();
      auto& client = clients_[index];
      client = {.socket = connect_to(port_),
                .stage = Stage::connecting,
                .filter = filter_of(started_),
                .answer = {}};
      poll_.add(client.socket, index);
      send_whole(client.socket, connect_packet("bench-churn-" + std::to_string(started_)));
    }
  }

  // Half are exact, a quarter has a wildcard elsewhere, and a quarter one that matches the parent
  // of the steady topics, so that the way to these leads past it.
  static std::string filter_of(std::uint64_t number) {
    const auto name = std::to_string(number);
    if (number % 2 == 0) return "churn/room/" + name;
    return number % 4 == 1 ? "churn/+/" + name : "bench/+/churn" + name;
  }

  void on_readable(std::size_t index) {
    auto& client = clients_[index];
    char bytes[64];
    const auto size = ::recv(client.socket.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size > 0) return on_answer(client, {bytes, static_cast<std::size_t>(size)});
    if (client.stage != Stage::disconnecting) fail("the broker closed a churned client");
    client.socket = Descriptor();
    free_.push_back(index);
    completed_.fetch_add(1, std::memory_order_relaxed);
  }

  static void on_answer(Client& client, std::string_view bytes) {
    client.answer += bytes;
    const auto expected = expected_in(client.stage);
    if (!expected.starts_with(client.answer)) fail("the broker refused a churned client");
    if (client.answer.size() < expected.size()) return;
    client.answer.clear();
    switch (client.stage) {
      case Stage::connecting:
        client.stage = Stage::subscribing;
        return send_whole(client.socket, subscribe_packet(client.filter));
      case Stage::subscribing:
        client.stage = Stage::unsubscribing;
        return send_whole(client.socket, unsubscribe_packet(client.filter));
      case Stage::unsubscribing:
        client.stage = Stage::disconnecting;
        return send_whole(client.socket, kDisconnect);
      case Stage::disconnecting: return;
    }
  }

  static std::string_view expected_in(Stage stage) {
    switch (stage) {
      case Stage::connecting: return kConnack;
      case Stage::subscribing: return kSuback;
      case Stage::unsubscribing: return kUnsuback;
      case Stage::disconnecting: break;
    }
    return {};
  }

  const std::uint32_t port_;
  const std::uint32_t per_second_;

  // The thread's own.
  Poll poll_;
  std::vector<Client> clients_;
  std::vector<std::size_t> free_;
  std::uint64_t started_ = 0;

  std::atomic<std::uint64_t> completed_ = 0;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace linnet::bench

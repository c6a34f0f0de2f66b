// Clients that keep arriving at a TLS listener, on a thread of their own: either each shakes hands,
// connects by MQTT and goes, or each says hello to the server and then nothing more.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "transports_client.hpp"
#include "wire.hpp"

namespace linnet::bench {

enum class Arrival : std::uint8_t { handshake, half_open };

class Arrivals {
 public:
  /// Begins at once. `per_second` arrive each second; fewer, if the broker is too slow for them.
  Arrivals(Arrival kind, std::uint32_t port, std::uint32_t per_second);
  // Its end lets open handshakes finish, and closes those that stall.

  /// How many handshakes were done and answered with CONNACK, or how many have said hello; any
  /// thread may ask.
  [[nodiscard]] std::uint64_t completed() const {
    return completed_.load(std::memory_order_relaxed);
  }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Stage : std::uint8_t { shaking_hands, connecting };

  struct Client {
    Descriptor socket;
    SslHandle ssl;
    Stage stage = Stage::shaking_hands;
    std::string answer;
  };

  struct Stalled {
    Descriptor socket;
    Clock::time_point since;
  };

  static constexpr std::size_t kOpenMax = 512;
  static constexpr std::chrono::seconds kStallTime{12};  // the broker gives up before that
  static constexpr std::chrono::milliseconds kWait{1};   // until more are due

  void run(const std::stop_token& stop);
  void start_due(std::chrono::duration<double> elapsed);
  void stall();
  void begin_handshake();
  void on_readable(std::size_t index);
  void read_answer(std::size_t index);
  void complete() { completed_.fetch_add(1, std::memory_order_relaxed); }

  const Arrival kind_;
  const std::uint32_t port_;
  const std::uint32_t per_second_;
  const SslContext context_;
  const std::string hello_;  // a ClientHello

  // The thread's own.
  Poll poll_;
  std::vector<Client> clients_;
  std::vector<std::size_t> free_;
  std::deque<Stalled> stalled_;
  std::uint64_t started_ = 0;

  std::atomic<std::uint64_t> completed_ = 0;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace linnet::bench

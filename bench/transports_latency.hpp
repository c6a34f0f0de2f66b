// Steady messages of established clients, in pairs, at an even pace whatever the broker does; how
// long each is on its way. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "transports_client.hpp"
#include "wire.hpp"

namespace linnet::bench {

struct Latencies {
  std::vector<double> ms;  // of the messages that came, from before the send to after the receive
  std::uint64_t lost = 0;
};

class PairTraffic {
 public:
  PairTraffic(Transport transport, std::uint32_t port, std::uint32_t pairs,
              std::uint32_t messages_per_s);

  /// Sends for that long, and waits for what is still on its way.
  [[nodiscard]] Latencies run(std::chrono::seconds duration);

 private:
  using Clock = std::chrono::steady_clock;

  struct Pair {
    TransportClient publisher;
    TransportClient subscriber;
    std::string head;        // of each PUBLISH
    std::string unfinished;  // of one that comes
  };

  static constexpr std::size_t kPayloadBytes = 16;  // it begins with its time, in ns
  static constexpr std::chrono::seconds kDrainTimeout{3};

  void add_pair(std::size_t index);
  void send_due(std::uint64_t due);
  void wait(Latencies& latencies);
  void receive(Pair& pair, Latencies& latencies);

  const Transport transport_;
  const std::uint32_t port_;
  const std::uint32_t messages_per_s_;
  SslContext context_;
  Descriptor timer_;  // ticks for each message
  Poll poll_;
  std::vector<Pair> pairs_;
  std::size_t next_pair_ = 0;
  std::uint64_t outstanding_ = 0;
};

}  // namespace linnet::bench

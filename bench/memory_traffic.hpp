// The clients of a scenario: they connect, subscribe, and send the same messages in each round,
// which they acknowledge as MQTT wants it. What they do is not counted. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "instructions_scenarios.hpp"
#include "memory_broker.hpp"

namespace linnet::bench {

/// A client that answers whatever has to be answered.
struct MemoryClient {
  MemoryPeer peer;
  std::string batch;    // what it publishes in a round
  std::string answers;  // what it sends next
};

class MemoryTraffic {
 public:
  /// All clients are connected and subscribed then.
  explicit MemoryTraffic(const Scenario& scenario);

  /// Every publisher sends its batch, and all that follows is done.
  void round();

  /// From now on the broker's work is counted.
  void count() noexcept { broker_.count(); }
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }
  /// Messages of a round.
  [[nodiscard]] std::uint64_t round_messages() const noexcept { return round_messages_; }

 private:
  MemoryClient& connect(const std::string& client_id, bool v5);
  void send(MemoryClient& client, std::string_view bytes);
  void subscribe(MemoryClient& client, const std::string& filter);
  void answer(MemoryClient& client);

  const Scenario scenario_;
  std::vector<std::unique_ptr<MemoryClient>> clients_;  // they outlive the broker
  MemoryBroker broker_;
  std::vector<MemoryPeer*> ready_;
  std::uint64_t delivered_ = 0;
  std::uint64_t round_messages_ = 0;
};

}  // namespace linnet::bench

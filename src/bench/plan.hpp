// Who publishes what to whom: the topics, filters and fan-outs of a scenario. Pure; the same seed
// gives the same plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/options.hpp"

namespace linnet::bench {

struct Plan {
  /// The messages of one publisher on one topic.
  struct Stream {
    std::uint32_t publisher = 0;
    std::string topic;
    std::uint32_t fanout = 0;  // how many receivers get each of them
  };
  struct Receiver {
    std::string filter;
    std::vector<std::uint32_t> streams;  // ascending
  };

  std::vector<Stream> streams;
  std::vector<std::vector<std::uint32_t>> streams_of;  // by publisher
  std::vector<Receiver> receivers;
  bool shared = false;  // each message goes to one of the receivers
  bool random = false;  // publishers choose among their streams by chance; else in turns

  [[nodiscard]] std::uint32_t fanout_max() const noexcept;
};

/// `run` tells this run's topics from those of others: "bench/RUN/...".
[[nodiscard]] Plan make_plan(const Settings& settings, const std::string& run);

}  // namespace linnet::bench

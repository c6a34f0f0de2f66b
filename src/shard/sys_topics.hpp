// $SYS/broker/…, with Mosquitto's names: what the counters of all shards say together. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/counters.hpp"
#include "base/memory_budget.hpp"
#include "store/store.hpp"

namespace linnet::shard {

/// How many times a minute something happens, averaged over the last 1, 5 and 15 minutes.
class LoadAverage {
 public:
  /// `total` is a sum since the start.
  void add(std::uint64_t total, double elapsed_s);
  [[nodiscard]] double per_minute(std::size_t span) const noexcept { return averages_[span]; }

 private:
  std::array<double, 3> averages_{};
  std::uint64_t last_ = 0;
};

struct SysTopic {
  std::string topic;
  std::string value;
};

/// Someone who has topics of its own under $SYS. Asked on the thread of shard 0.
class SysSource {
 public:
  virtual void append_to(std::vector<SysTopic>& topics) const = 0;

 protected:
  ~SysSource() = default;
};

/// What is said of the memory budget.
void append_memory(std::vector<SysTopic>& topics, const MemoryBudget& memory);

class SysTopics {
 public:
  explicit SysTopics(std::uint64_t now_ms) : started_ms_(now_ms), last_ms_(now_ms) {}

  /// Takes the shards' counters, and renews the averages.
  void update(const Counters& counters, const store::StoreFigures& store, std::uint64_t now_ms);
  /// All topics with their values.
  [[nodiscard]] std::vector<SysTopic> list() const;

 private:
  static constexpr std::size_t kLoads = 9;

  std::uint64_t started_ms_;
  std::uint64_t last_ms_;
  // The largest that were seen while somebody looked
  std::uint64_t clients_maximum_ = 0;
  std::uint64_t heap_maximum_ = 0;
  std::uint64_t heap_ = 0;
  Counters counters_;
  store::StoreFigures store_;
  std::array<LoadAverage, kLoads> loads_;
};

}  // namespace linnet::shard

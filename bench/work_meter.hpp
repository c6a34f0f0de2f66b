// Counts work: calls of malloc by itself, and instructions where the program runs under callgrind.
// It runs between start() and stop(), but for pauses. One thread. Who uses it has to wrap malloc
// and its kin: see CMakeLists.txt.
//
//   WorkMeter::prepare();
//   WorkMeter::start();
//   broker.turn(peers);
//   WorkMeter::stop();
//   std::cout << WorkMeter::allocations();
#pragma once

#include <cstdint>

namespace linnet::bench {

class WorkMeter {
 public:
  /// Whether callgrind can be told; false without Valgrind's headers.
  [[nodiscard]] static bool counts_instructions() noexcept;
  /// Once, before the first start(): until then callgrind only runs the program.
  static void prepare() noexcept;
  static void start() noexcept;
  static void stop() noexcept;

  [[nodiscard]] static std::uint64_t allocations() noexcept { return allocations_; }
  static void count_allocation() noexcept {
    if (runs_) ++allocations_;
  }

  /// Nothing is counted while it lives.
  class Pause {
   public:
    Pause() noexcept : ran_(runs_) {
      if (ran_) stop();
    }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() {
      if (ran_) start();
    }

   private:
    const bool ran_;
  };

 private:
  inline static bool runs_ = false;
  inline static std::uint64_t allocations_ = 0;
};

}  // namespace linnet::bench

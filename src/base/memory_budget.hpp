// The memory that the whole process may take, and how near it is to that: the pressure, on which
// everything that takes memory for others looks before it does.
//
// What counts as used is the greater of two figures: what the kernel says that the process has for
// itself (RssAnon; looked at now and then), and what the heap has given (HeapMeter; known at once)
// together with what the first has shown beyond it: stacks, OpenSSL, LMDB's unwritten pages, the
// allocator's waste. So a burst within one turn is seen while it happens, and nothing is left out.
// Until the kernel is asked again, it is taken for granted that what the heap gives is new to it:
// what was freed before may lie where it is of no use.
//
// Any thread; level() is one relaxed load.
//
//   MemoryBudget budget(memory_limit(config.memory_max), probe);
//   if (budget.level() >= Pressure::drop_qos0 && !keeps_up) return drop();
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/heap_meter.hpp"

namespace linnet {

/// What is done about it, in this order; each step includes those before it.
enum class Pressure : std::uint8_t {
  none,
  shrink_caches,         // caches, and what waits in outboxes of clients that do not read
  spill_backlogs,        // what the store has leaves memory; windows and transient backlogs shrink
  drop_qos0,             // for receivers that do not keep up
  pause_publishers,      // the heaviest ones, and packets that are large and half received
  refuse_connections,    // new ones
  refuse_subscriptions,  // new ones
};

/// A word for $SYS and logs: "none", "caches", "backlogs", "qos0", "publishers", "connections",
/// "subscriptions".
[[nodiscard]] std::string_view name_of(Pressure pressure) noexcept;

/// What the kernel says of the process.
class MemoryProbe {
 public:
  /// Bytes that the process has for itself, mapped files not counted; 0 if that is not known.
  [[nodiscard]] virtual std::uint64_t resident_bytes() noexcept = 0;
  /// Returns what the heap has free to the kernel. May take some ms.
  virtual void give_back() noexcept = 0;

 protected:
  ~MemoryProbe() = default;
};

class MemoryBudget final : public HeapWatcher {
 public:
  /// From which part of the limit on each step holds, in thousandths, `none` included.
  static constexpr std::array<std::uint32_t, 7> kEnter = {0, 700, 750, 800, 880, 940, 970};
  /// It is left so much below, in thousandths.
  static constexpr std::uint32_t kHysteresis = 20;
  /// How often the kernel is asked at most, without pressure and with it, in ms.
  static constexpr std::uint64_t kLookEveryMs = 100;
  static constexpr std::uint64_t kLookShortMs = 10;
  /// How often free memory is given back at most, in ms; and not for more than this part of the
  /// time.
  static constexpr std::uint64_t kGiveBackEveryMs = 200;
  static constexpr std::uint64_t kGiveBackPart = 20;

  /// `limit` in bytes. The probe must outlive the budget.
  MemoryBudget(std::uint64_t limit, MemoryProbe& probe);
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;
  ~MemoryBudget();

  [[nodiscard]] Pressure level() const noexcept { return level_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool any() const noexcept { return level() != Pressure::none; }
  [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
  [[nodiscard]] std::uint64_t used() const noexcept;

  /// At the end of each turn: asks the kernel if that is due. Costs a load and a comparison if not.
  void look(std::uint64_t now_ms) noexcept {
    if (now_ms >= next_look_ms_.load(std::memory_order_relaxed)) look_now(now_ms);
  }
  /// Whether this caller is the first to see that the level has changed: it tells the others.
  [[nodiscard]] bool announce(Pressure level) noexcept {
    return announced_.exchange(level, std::memory_order_relaxed) != level;
  }
  /// For tests: the level is this one, whatever is used; nothing: what is used decides again.
  void force(std::optional<Pressure> level) noexcept;

  /// The level after `before` when `used` bytes of `limit` are used. Pure.
  [[nodiscard]] static Pressure next_level(Pressure before, std::uint64_t used,
                                           std::uint64_t limit) noexcept;

  void on_heap_change() noexcept override { update(); }

 private:
  void look_now(std::uint64_t now_ms) noexcept;
  void update() noexcept;

  // Constant after construction
  const std::uint64_t limit_;
  MemoryProbe& probe_;

  std::atomic<Pressure> level_{Pressure::none};
  std::atomic<Pressure> announced_{Pressure::none};
  std::atomic<bool> forced_{false};
  std::atomic<std::uint64_t> next_look_ms_{0};
  // When the kernel was asked last
  std::atomic<std::uint64_t> resident_{0};
  std::atomic<std::uint64_t> heap_{0};
  /// What is resident beyond the heap's count, and not just free in the heap.
  std::atomic<std::uint64_t> overhead_{UINT64_MAX};
  std::atomic<std::uint64_t> next_give_back_ms_{0};
};

/// "24.1 of 32.0 MiB"
[[nodiscard]] std::string used_text(const MemoryBudget& budget);

}  // namespace linnet

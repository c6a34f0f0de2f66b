// Many timers at a small and constant price: keep-alive, expiry, will delay, linger. One wheel per
// shard, its thread only.
//
//   Timer keep_alive_ = Timer::calling<&Connection::on_silence>(*this);
//   wheel.arm(keep_alive_, now_ms + 90'000);
//   ...
//   wheel.advance(now_ms);                     // calls on_silence() if it is due
//
// A timer never fires early. advance() fires what is due at the time that it is given, so a timer
// is late only as far as advance() is called late; one tick is 1 ms.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace linnet {

class TimerWheel;

/// A place in a ring of timers; a list's head is one whose neighbours are itself when it is empty.
struct TimerNode {
  TimerNode* previous = nullptr;
  TimerNode* next = nullptr;
};

/// One deadline, a member of what it is for: 40 bytes. It must not move; its destruction cancels
/// it.
class Timer : private TimerNode {
 public:
  using Callback = void (*)(void* owner);

  Timer(Callback callback, void* owner) noexcept : callback_(callback), owner_(owner) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  /// A timer that calls a member function of its owner.
  template <auto kMethod, class Owner>
  [[nodiscard]] static Timer calling(Owner& owner) noexcept {
    return Timer([](void* self) { (static_cast<Owner*>(self)->*kMethod)(); }, &owner);
  }

  [[nodiscard]] bool armed() const noexcept { return next != nullptr; }
  /// What it was last armed for; has a meaning only while it is armed.
  [[nodiscard]] std::uint64_t deadline_ms() const noexcept { return deadline_ms_; }
  void cancel() noexcept;

 private:
  friend class TimerWheel;

  std::uint64_t deadline_ms_ = 0;
  Callback callback_;
  void* owner_;
};

class TimerWheel {
 public:
  explicit TimerWheel(std::uint64_t now_ms) noexcept;
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  /// Timers that are still armed become unarmed.
  ~TimerWheel();

  /// Arms a timer, or moves it if it is armed. A deadline that is not after the wheel's time fires
  /// with the next advance(). Deadlines end 8,900 years after the clock's zero.
  void arm(Timer& timer, std::uint64_t deadline_ms) noexcept;

  /// Fires all that is due at `now_ms`, in the order of their deadlines. A callback may arm, cancel
  /// or destroy any timer, its own too, but must not call advance(). A time that is before an
  /// earlier one counts as that one.
  void advance(std::uint64_t now_ms);

  /// When advance() must be called next: the first deadline, or earlier to sort timers that were
  /// far away. Nothing if no timer is armed.
  [[nodiscard]] std::optional<std::uint64_t> next_ms() const noexcept;

  /// The time of the last advance(); within a callback, the time for which it fires.
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return now_ms_; }

 private:
  static constexpr unsigned kLevels = 8;
  static constexpr unsigned kBits = 6;
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr std::uint64_t kEnd = std::uint64_t{1} << (kLevels * kBits);

  // A slot of level n spans 64^n ms. A timer stands at the level of the highest digit (base 64) in
  // which its deadline differs from now_ms_, so every occupied slot is after the present one of its
  // level, and the first occupied slot of the lowest occupied level is the next to do.
  struct Level {
    std::array<TimerNode, kSlots> slots;
    std::uint64_t occupied = 0;  // a bit may be set for a slot whose timers were all cancelled
  };
  struct Place {
    unsigned level;
    unsigned slot;
    std::uint64_t start_ms;
  };

  void place(Timer& timer) noexcept;
  [[nodiscard]] std::optional<Place> first() const noexcept;
  void open(const Place& place, TimerNode& due) noexcept;
  static void fire(TimerNode& due);

  std::uint64_t now_ms_;
  bool advancing_ = false;
  TimerNode overdue_;
  mutable std::array<Level, kLevels> levels_;  // next_ms() forgets bits of empty slots
};

}  // namespace linnet

#include "base/timer_wheel.hpp"

#include <bit>

#include "base/assert.hpp"

namespace linnet {

namespace {

void make_empty(TimerNode& head) noexcept {
  head.previous = head.next = &head;
}

bool is_empty(const TimerNode& head) noexcept {
  return head.next == &head;
}

void unlink(TimerNode& node) noexcept {
  LINNET_ASSERT(node.previous != nullptr && node.next != nullptr);
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.previous = node.next = nullptr;
}

void append(TimerNode& head, TimerNode& node) noexcept {
  node.previous = head.previous;
  node.next = &head;
  head.previous->next = &node;
  head.previous = &node;
}

/// Moves all of `from` to the end of `to`.
void splice(TimerNode& from, TimerNode& to) noexcept {
  if (is_empty(from)) return;
  from.next->previous = to.previous;
  from.previous->next = &to;
  to.previous->next = from.next;
  to.previous = from.previous;
  make_empty(from);
}

void unlink_all(TimerNode& head) noexcept {
  while (!is_empty(head))
    unlink(*head.next);
}

}  // namespace

void Timer::cancel() noexcept {
  if (armed()) unlink(*this);
}

TimerWheel::TimerWheel(std::uint64_t now_ms) noexcept : now_ms_(now_ms) {
  LINNET_ASSERT(now_ms < kEnd);
  make_empty(overdue_);
  for (Level& level : levels_) {
    for (TimerNode& slot : level.slots)
      make_empty(slot);
  }
}

TimerWheel::~TimerWheel() {
  unlink_all(overdue_);
  for (Level& level : levels_) {
    for (TimerNode& slot : level.slots)
      unlink_all(slot);
  }
}

void TimerWheel::arm(Timer& timer, std::uint64_t deadline_ms) noexcept {
  timer.cancel();
  timer.deadline_ms_ = deadline_ms < kEnd ? deadline_ms : kEnd - 1;
  if (timer.deadline_ms_ <= now_ms_) {
    append(overdue_, timer);
  } else {
    place(timer);
  }
}

void TimerWheel::place(Timer& timer) noexcept {
  const std::uint64_t differs = timer.deadline_ms_ ^ now_ms_;
  LINNET_ASSERT(differs != 0);
  const auto digit = (static_cast<unsigned>(std::bit_width(differs)) - 1) / kBits;
  const auto slot = static_cast<unsigned>(timer.deadline_ms_ >> (digit * kBits)) % kSlots;
  Level& level = levels_[digit];
  append(level.slots[slot], timer);
  level.occupied |= std::uint64_t{1} << slot;
}

std::optional<TimerWheel::Place> TimerWheel::first() const noexcept {
  for (unsigned digit = 0; digit < kLevels; ++digit) {
    Level& level = levels_[digit];
    while (level.occupied != 0) {
      const auto slot = static_cast<unsigned>(std::countr_zero(level.occupied));
      if (is_empty(level.slots[slot])) {
        level.occupied &= level.occupied - 1;
        continue;
      }
      const unsigned shift = digit * kBits;
      const std::uint64_t above = now_ms_ >> shift >> kBits << kBits;
      return Place{digit, slot, (above | slot) << shift};
    }
  }
  return std::nullopt;
}

void TimerWheel::open(const Place& place_to_open, TimerNode& due) noexcept {
  Level& level = levels_[place_to_open.level];
  level.occupied &= ~(std::uint64_t{1} << place_to_open.slot);
  TimerNode taken;
  make_empty(taken);
  splice(level.slots[place_to_open.slot], taken);
  while (!is_empty(taken)) {
    auto& timer = static_cast<Timer&>(*taken.next);
    unlink(timer);
    if (timer.deadline_ms_ <= now_ms_) {
      append(due, timer);
    } else {
      place(timer);
    }
  }
}

void TimerWheel::fire(TimerNode& due) {
  // One by one from the list itself: a callback may cancel or destroy the next one.
  while (!is_empty(due)) {
    auto& timer = static_cast<Timer&>(*due.next);
    unlink(timer);
    timer.callback_(timer.owner_);
  }
}

void TimerWheel::advance(std::uint64_t now_ms) {
  LINNET_ASSERT(!advancing_ && now_ms < kEnd);
  advancing_ = true;
  TimerNode due;
  make_empty(due);
  splice(overdue_, due);
  fire(due);
  for (auto next = first(); next && next->start_ms <= now_ms; next = first()) {
    now_ms_ = next->start_ms;
    open(*next, due);
    fire(due);
  }
  if (now_ms > now_ms_) now_ms_ = now_ms;
  advancing_ = false;
}

std::optional<std::uint64_t> TimerWheel::next_ms() const noexcept {
  if (!is_empty(overdue_)) return now_ms_;
  const auto next = first();
  if (!next) return std::nullopt;
  return next->start_ms;
}

}  // namespace linnet

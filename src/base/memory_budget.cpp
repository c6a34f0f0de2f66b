#include "base/memory_budget.hpp"

#include <algorithm>
#include <chrono>

#include "base/cat.hpp"

namespace linnet {

namespace {

/// So much of the limit may lie free in the heap before it is given back.
constexpr std::uint64_t kFreePart = 16;
/// From this part of the limit on, in thousandths, free memory is worth the time of giving it back.
constexpr std::uint64_t kGiveBackFrom = 600;

constexpr std::size_t place_of(Pressure level) noexcept {
  return static_cast<std::size_t>(level);
}

std::uint64_t part(std::uint64_t limit, std::uint64_t thousandths) noexcept {
  return limit / 1000 * thousandths;
}

std::string mebibytes(std::uint64_t bytes) {
  const std::uint64_t tenths = bytes * 10 >> 20;
  return cat(tenths / 10, ".", tenths % 10);
}

}  // namespace

std::string_view name_of(Pressure pressure) noexcept {
  switch (pressure) {
    case Pressure::none: break;
    case Pressure::shrink_caches: return "caches";
    case Pressure::spill_backlogs: return "backlogs";
    case Pressure::drop_qos0: return "qos0";
    case Pressure::pause_publishers: return "publishers";
    case Pressure::refuse_connections: return "connections";
    case Pressure::refuse_subscriptions: return "subscriptions";
  }
  return "none";
}

MemoryBudget::MemoryBudget(std::uint64_t limit, MemoryProbe& probe) : limit_(limit), probe_(probe) {
  look_now(0);
  next_look_ms_.store(0, std::memory_order_relaxed);
  HeapMeter::watch(this);
}

MemoryBudget::~MemoryBudget() {
  HeapMeter::forget(*this);
}

std::uint64_t MemoryBudget::used() const noexcept {
  const std::uint64_t heap = HeapMeter::bytes();
  const std::uint64_t before = heap_.load(std::memory_order_relaxed);
  const std::uint64_t grown = heap > before ? heap - before : 0;
  return std::max(heap + overhead_.load(std::memory_order_relaxed),
                  resident_.load(std::memory_order_relaxed) + grown);
}

Pressure MemoryBudget::next_level(Pressure before, std::uint64_t used,
                                  std::uint64_t limit) noexcept {
  std::size_t level = place_of(before);
  while (level + 1 < kEnter.size() && used >= part(limit, kEnter[level + 1]))
    ++level;
  while (level > 0 && used < part(limit, kEnter[level] - kHysteresis))
    --level;
  return static_cast<Pressure>(level);
}

void MemoryBudget::update() noexcept {
  if (forced_.load(std::memory_order_relaxed)) return;
  const Pressure before = level();
  const Pressure after = next_level(before, used(), limit_);
  // Two threads may differ about the last few KiB; the next report settles it.
  if (after != before) level_.store(after, std::memory_order_relaxed);
}

void MemoryBudget::look_now(std::uint64_t now_ms) noexcept {
  std::uint64_t due = next_look_ms_.load(std::memory_order_relaxed);
  if (now_ms < due ||
      !next_look_ms_.compare_exchange_strong(due, now_ms + (any() ? kLookShortMs : kLookEveryMs))) {
    return;
  }
  std::uint64_t resident = probe_.resident_bytes();
  std::uint64_t heap = HeapMeter::bytes();
  std::uint64_t beyond = resident > heap ? resident - heap : 0;
  // The least that was ever seen is no heap memory at all; the rest may be free and used again.
  std::uint64_t overhead = std::min(beyond, overhead_.load(std::memory_order_relaxed));
  const bool much_free = beyond - overhead > limit_ / kFreePart;
  if (much_free && resident >= part(limit_, kGiveBackFrom) &&
      now_ms >= next_give_back_ms_.load(std::memory_order_relaxed)) {
    const auto began = std::chrono::steady_clock::now();
    probe_.give_back();
    const auto took = std::chrono::steady_clock::now() - began;
    const auto took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    const auto rest_ms = static_cast<std::uint64_t>(took_ms) * kGiveBackPart;
    next_give_back_ms_.store(now_ms + std::max(kGiveBackEveryMs, rest_ms),
                             std::memory_order_relaxed);
    resident = probe_.resident_bytes();
    heap = HeapMeter::bytes();
    overhead = resident > heap ? resident - heap : 0;
  }
  overhead_.store(overhead, std::memory_order_relaxed);
  resident_.store(resident, std::memory_order_relaxed);
  heap_.store(heap, std::memory_order_relaxed);
  update();
}

void MemoryBudget::force(std::optional<Pressure> level) noexcept {
  forced_.store(level.has_value(), std::memory_order_relaxed);
  if (level) return level_.store(*level, std::memory_order_relaxed);
  update();
}

std::string used_text(const MemoryBudget& budget) {
  return cat(mebibytes(budget.used()), " of ", mebibytes(budget.limit()), " MiB");
}

}  // namespace linnet

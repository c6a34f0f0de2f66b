// The shard's part in the memory budget: what it does when the pressure changes, and whose links
// are not read for it.
#include <algorithm>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "shard/shard.hpp"

namespace linnet::shard {

namespace {

/// How long a client is held back before it may try again, in ms.
constexpr std::uint64_t kHoldMs = 250;
/// How often shard 0 looks by itself whether the pressure is over, and all shards at backlogs that
/// could lie in the store, in ms.
constexpr std::uint64_t kLookMs = 1000;
/// A cache of routes takes this part of the budget at most, and much less under pressure.
constexpr std::uint64_t kCachePart = 64;
constexpr std::uint64_t kShortCachePart = 1024;
/// The caches stay short for so long after the pressure, in ms: they may be what brings it back.
constexpr std::uint64_t kCalmMs = 10'000;
/// How many sessions one turn looks at.
constexpr std::size_t kSpillsPerTurn = 512;

}  // namespace

/// At the end of each turn.
void Shard::look_at_memory() {
  common_.memory.look(timers_.now_ms());
  const Pressure level = common_.memory.level();
  if (level != pressure_) on_pressure(level);
}

void Shard::on_pressure(Pressure level) {
  const Pressure before = std::exchange(pressure_, level);
  // What is handed on from one backlog to another has waited for that.
  if (before >= Pressure::spill_backlogs && level < Pressure::spill_backlogs) room_ = true;
  if (level != Pressure::none) {
    calm_timer_.cancel();
    limit_caches(true);
  } else if (caches_are_short_ && !calm_timer_.armed()) {
    timers_.arm(calm_timer_, timers_.now_ms() + kCalmMs);
  }
  if (level < Pressure::pause_publishers) relieve(true);
  arm_pressure_timer();
  if (common_.memory.announce(level)) tell_of_pressure(level);
}

void Shard::limit_caches(bool is_short) {
  if (std::exchange(caches_are_short_, is_short) == is_short) return;
  const std::uint64_t part = common_.memory.limit() / (is_short ? kShortCachePart : kCachePart);
  router_.limit_cache(static_cast<std::size_t>(
      std::min<std::uint64_t>(router::RouterOptions{}.cache_bytes_max, part)));
  reactor_.pool().shrink();
  gate_.squeeze(is_short);
}

void Shard::on_calm() {
  limit_caches(false);
}

/// The others may be asleep.
void Shard::tell_of_pressure(Pressure level) {
  for (ShardId shard = 0; shard < shards_; ++shard) {
    if (shard != id_) post(shard, PressureLetter{});
  }
  const auto verdict = pressure_limiter_.ask(timers_.now_ms());
  if (!verdict.allowed) return;
  const std::string used = cat("memory_max: ", used_text(common_.memory), " are used");
  if (level == Pressure::none) {
    return log::info("memory", cat(used, "; the pressure is over", more_like_it(verdict)));
  }
  log::warn("memory",
            cat(used, "; the step is now \"", name_of(level), "\"", more_like_it(verdict)));
}

void Shard::hold(session::Connection& connection) {
  // The timer may be armed already, for a later time.
  if (held_.empty()) timers_.arm(pressure_timer_, timers_.now_ms() + kHoldMs);
  held_.emplace_back(&connection);
}

/// Lets those who are held back try again: all of them, or the one that has waited longest.
void Shard::relieve(bool all) {
  // Who has gone meanwhile must not keep the others waiting.
  std::erase_if(held_, [](const session::ConnectionPtr& one) { return one->closed(); });
  if (held_.empty()) return;
  std::vector<session::ConnectionPtr> relieved;
  if (all) {
    relieved.swap(held_);
  } else {
    relieved.push_back(std::move(held_.front()));
    held_.erase(held_.begin());
  }
  for (const auto& connection : relieved)
    connection->on_relief();
}

void Shard::arm_pressure_timer() {
  if (pressure_timer_.armed()) return;
  const std::uint64_t now = timers_.now_ms();
  if (!held_.empty()) return timers_.arm(pressure_timer_, now + kHoldMs);
  const bool looks = id_ == 0 && pressure_ != Pressure::none;
  if (looks || pressure_ >= Pressure::spill_backlogs) timers_.arm(pressure_timer_, now + kLookMs);
}

void Shard::on_pressure_timer() {
  // Nobody waits for ever: what stands still would not free its memory.
  relieve(common_.memory.level() < Pressure::refuse_connections);
  // Who is held back is looked at more often than the backlogs.
  const bool looks = held_.empty() || timers_.now_ms() / kHoldMs % (kLookMs / kHoldMs) == 0;
  if (looks && pressure_ >= Pressure::spill_backlogs) spilling_ = true;
  arm_pressure_timer();
}

/// Goes on with the walk over all sessions. Those that come or go meanwhile may change the order:
/// who is left out by that is seen by the next walk.
void Shard::spill_some() {
  if (!spilling_) return;
  auto at = sessions_.begin();
  if (const auto last = std::exchange(last_spilled_, nullptr); last && !last->ended()) {
    const auto found = sessions_.find(last->client_id());
    if (found != sessions_.end()) at = std::next(found);
  }
  for (std::size_t left = kSpillsPerTurn; at != sessions_.end(); ++at) {
    (*at)->spill();
    if (--left > 0) continue;
    last_spilled_ = *at;
    return;
  }
  spilling_ = false;
}

}  // namespace linnet::shard

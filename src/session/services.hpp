// What a shard lends to its sessions and connections. Lives as long as the shard.
#pragma once

#include "auth/gate.hpp"
#include "base/counters.hpp"
#include "base/memory_budget.hpp"
#include "base/random.hpp"
#include "base/rate_limit.hpp"
#include "base/timer_wheel.hpp"
#include "router/router.hpp"
#include "session/peers.hpp"
#include "session/settings.hpp"
#include "session/watch.hpp"
#include "session/wire_forms.hpp"
#include "store/store.hpp"
#include <linnet/config.hpp>

namespace linnet::session {

struct Services {
  SettingsPtr settings;
  auth::Gate& gate;
  router::Router& router;
  TimerWheel& timers;
  Counters& counters;
  WireForms& forms;
  Random& random;
  LogLimiter& log_limiter;
  LogLimiter& denial_limiter;
  Peers& peers;
  const MemoryBudget& memory;
  const store::Store& store;  // to read from it; changes go through `peers`
  Watch* watch = nullptr;     // null: nobody looks

  /// The time of this turn, in ms of the monotonic clock.
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return timers.now_ms(); }
  [[nodiscard]] const Config& config() const noexcept { return settings->config; }
  [[nodiscard]] const Limits& limits() const noexcept { return settings->config.limits; }
  [[nodiscard]] const auth::PolicyPtr& policy() const noexcept { return settings->policy; }
};

}  // namespace linnet::session

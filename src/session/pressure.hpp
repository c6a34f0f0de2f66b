// What one client may have of the broker's memory, by the pressure (base/memory_budget.hpp): how
// its outbox, its in-flight window and its backlog shrink while memory is short. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/memory_budget.hpp"
#include "session/backlog.hpp"
#include <linnet/config.hpp>

namespace linnet::session {

/// One client's fair share of what may wait in outboxes, by the pressure and by how many clients
/// its shard has; in bytes.
[[nodiscard]] inline std::size_t fair_share(const MemoryBudget& memory,
                                            std::uint64_t clients) noexcept {
  constexpr std::uint64_t kLeast = 4096;
  const auto part = [&](std::uint64_t divisor) {
    const std::uint64_t share = memory.limit() / divisor / std::max<std::uint64_t>(clients, 1);
    return static_cast<std::size_t>(std::clamp(share, kLeast, 64 * kLeast));
  };
  switch (memory.level()) {
    case Pressure::none: break;
    case Pressure::shrink_caches: return part(8);
    case Pressure::spill_backlogs: return part(16);
    case Pressure::drop_qos0: return part(32);
    case Pressure::pause_publishers: return kLeast;
    case Pressure::refuse_connections:
    case Pressure::refuse_subscriptions: return 1;  // what is empty may always be filled
  }
  return SIZE_MAX;
}

/// What may wait in an outbox before it takes no more, in bytes. A link is `blocked` if its client
/// has not taken all of what was sent in an earlier turn.
[[nodiscard]] inline std::size_t outbox_max(const MemoryBudget& memory, std::uint64_t clients,
                                            bool blocked, const Limits& limits) noexcept {
  // One client alone must not be what brings the pressure about.
  constexpr std::uint64_t kOneClient = 16;
  const auto most = static_cast<std::size_t>(
      std::min<std::uint64_t>(limits.outbox_bytes_max, memory.limit() / kOneClient));
  if (!memory.any()) return most;
  const std::size_t share = fair_share(memory, clients);
  if (!blocked) return std::min(most, share);
  // It does not keep up: a part of it will do.
  return std::min(most, memory.level() < Pressure::pause_publishers ? share / 2 : 1);
}

/// How many messages a client may have in flight.
[[nodiscard]] inline std::uint32_t window_max(Pressure pressure, std::uint32_t usual) noexcept {
  if (pressure < Pressure::spill_backlogs) return usual;
  return std::min<std::uint32_t>(usual, pressure < Pressure::pause_publishers ? 16 : 4);
}

/// The backlog of a session that ends with its connection, and so lies in memory alone.
[[nodiscard]] inline BacklogLimits transient_max(Pressure pressure,
                                                 const BacklogLimits& usual) noexcept {
  const auto at_most = [&usual](std::uint64_t messages, std::uint64_t bytes) {
    return BacklogLimits{std::min(usual.messages_max, messages), std::min(usual.bytes_max, bytes)};
  };
  if (pressure < Pressure::shrink_caches) return usual;
  if (pressure < Pressure::spill_backlogs) return at_most(64, std::uint64_t{64} << 10);
  if (pressure < Pressure::drop_qos0) return at_most(16, std::uint64_t{16} << 10);
  return at_most(4, std::uint64_t{4} << 10);
}

/// What is served of a client's packets before what they caused is sent, in bytes: not more than
/// what those who keep up have room for.
[[nodiscard]] inline std::size_t shown_max(const MemoryBudget& memory,
                                           std::uint64_t clients) noexcept {
  constexpr std::size_t kMost = 16 << 10;
  return std::min(kMost, fair_share(memory, clients));
}

}  // namespace linnet::session

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

/// What may wait in an outbox before it takes no more, in bytes. A link is `blocked` if its client
/// has not taken all of what was sent in an earlier turn.
[[nodiscard]] inline std::size_t outbox_max(const MemoryBudget& memory, bool blocked,
                                            const Limits& limits) noexcept {
  // One client alone must not be what brings the pressure about.
  constexpr std::uint64_t kOneClient = 16;
  const auto most = static_cast<std::size_t>(
      std::min<std::uint64_t>(limits.outbox_bytes_max, memory.limit() / kOneClient));
  const auto share = [&]() -> std::size_t {
    constexpr std::size_t kKiB = 1024;
    switch (memory.level()) {
      case Pressure::none: break;
      case Pressure::shrink_caches: return blocked ? 64 * kKiB : 256 * kKiB;
      case Pressure::spill_backlogs: return blocked ? 16 * kKiB : 128 * kKiB;
      case Pressure::drop_qos0: return blocked ? 4 * kKiB : 64 * kKiB;
      case Pressure::pause_publishers: return blocked ? 1 : 16 * kKiB;
      case Pressure::refuse_connections: return blocked ? 1 : 4 * kKiB;
      case Pressure::refuse_subscriptions: return 1;  // what is empty may always be filled
    }
    return SIZE_MAX;
  };
  return std::min(most, share());
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

/// What is read at once from a client, and then served, before what it caused is sent; in bytes.
[[nodiscard]] inline std::size_t shown_max(Pressure pressure) noexcept {
  if (pressure == Pressure::none) return SIZE_MAX;
  return std::size_t{pressure < Pressure::drop_qos0 ? 16U : 4U} << 10;
}

}  // namespace linnet::session

// How the store's tables are read, within one read transaction of the caller. Damaged records are
// passed over. Any thread; what is visited is valid within the call that shows it.
#pragma once

#include <atomic>
#include <cstdint>

#include "store/environment.hpp"
#include "store/keys.hpp"
#include "store/store.hpp"
#include "store/store_clock.hpp"

namespace linnet::store {

/// What a read works on.
struct Reading {
  Transaction& transaction;
  const MapGuard& guard;  // older than the transaction
  const HashSeeds& seeds;
  const StoreClock& clock;
  std::atomic<std::uint64_t>& damaged;
};

/// Whether a read that ended with `status` saw all that there is: no error, no hole in the map.
[[nodiscard]] bool ended_well(const Reading& reading, Status status) noexcept;

// As in Store; not `done` and without `last`, or false, if the tables could not be read.
[[nodiscard]] RetainedWalk walk_retained(const Reading& reading, const RetainedQuery& query,
                                         FunctionRef<bool(const MessageView&)> visit);
struct OutgoingRange {
  SessionNumber session = 0;
  std::uint64_t after = 0;
  std::uint64_t up_to = 0;
};
[[nodiscard]] bool visit_outgoing(const Reading& reading, const OutgoingRange& range,
                                  FunctionRef<bool(const StoredOutgoing&)> visit);
[[nodiscard]] bool visit_inflight(const Reading& reading, SessionNumber session,
                                  FunctionRef<void(const StoredInflight&)> visit);
[[nodiscard]] bool visit_received(const Reading& reading, SessionNumber session,
                                  FunctionRef<void(std::uint16_t)> visit);
[[nodiscard]] bool visit_sessions(const Reading& reading,
                                  FunctionRef<void(const StoredSession&)> visit);

}  // namespace linnet::store

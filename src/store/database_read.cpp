#include <shared_mutex>

#include "base/log.hpp"
#include "store/database.hpp"
#include "store/reading.hpp"

namespace linnet::store {

namespace {

/// Calls `read` within a read transaction. False if there can be none now.
template <class Read>
bool with_transaction(std::shared_mutex& readers, const std::unique_ptr<Environment>& environment,
                      Read read) {
  const std::shared_lock lock(readers, std::try_to_lock);
  if (!lock || environment == nullptr) return false;
  const MapGuard guard;
  Transaction transaction;
  if (environment->begin_read(transaction) != Status::ok) return false;
  return read(transaction, guard);
}

}  // namespace

bool ended_well(const Reading& reading, Status status) noexcept {
  return !reading.guard.hit() && (status == Status::ok || status == Status::not_found);
}

RetainedWalk Database::read_retained(const RetainedQuery& query,
                                     FunctionRef<bool(const MessageView&)> visit) const {
  RetainedWalk walk;
  with_transaction(readers_, environment_, [&](Transaction& transaction, const MapGuard& guard) {
    walk = walk_retained({transaction, guard, meta_.seeds, clock_, damaged_}, query, visit);
    return true;
  });
  return walk;
}

bool Database::read_outgoing(SessionNumber session, std::uint64_t after, std::uint64_t up_to,
                             FunctionRef<bool(const StoredOutgoing&)> visit) const {
  const auto read = [&](Transaction& transaction, const MapGuard& guard) {
    return visit_outgoing({transaction, guard, meta_.seeds, clock_, damaged_},
                          {session, after, up_to}, visit);
  };
  return with_transaction(readers_, environment_, read);
}

bool Database::read_inflight(SessionNumber session,
                             FunctionRef<void(const StoredInflight&)> visit) const {
  const auto read = [&](Transaction& transaction, const MapGuard& guard) {
    return visit_inflight({transaction, guard, meta_.seeds, clock_, damaged_}, session, visit);
  };
  return with_transaction(readers_, environment_, read);
}

bool Database::read_received(SessionNumber session, FunctionRef<void(std::uint16_t)> visit) const {
  const auto read = [&](Transaction& transaction, const MapGuard& guard) {
    return visit_received({transaction, guard, meta_.seeds, clock_, damaged_}, session, visit);
  };
  return with_transaction(readers_, environment_, read);
}

void Database::load_sessions(FunctionRef<void(const StoredSession&)> visit) const {
  const auto read = [&](Transaction& transaction, const MapGuard& guard) {
    return visit_sessions({transaction, guard, meta_.seeds, clock_, damaged_}, visit);
  };
  if (with_transaction(readers_, environment_, read)) return;
  log::error("store", "the sessions could not all be read; the rest of them is lost for this run");
}

}  // namespace linnet::store

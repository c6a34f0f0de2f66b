// What a connection does when the broker's memory is short: the order of it stands in
// base/memory_budget.hpp.
#include <algorithm>

#include "session/connection.hpp"
#include "session/pressure.hpp"

namespace linnet::session {

namespace {

/// Who sends no more than this in a second is never held back, in bytes.
constexpr std::uint32_t kLight = 256 << 10;
/// A packet of which more than this is here already, but not all, can wait for the rest.
constexpr std::size_t kLargePart = 4096;

}  // namespace

bool Connection::has_outbox_room() {
  if (link_ == nullptr) return false;
  const std::size_t waiting = link_->outbox().size();
  const MemoryBudget& memory = services_.memory;
  const bool blocked = memory.any() && link_->blocked();
  const std::uint64_t clients = services_.counters.clients_connected;
  if (waiting == 0 || waiting < outbox_max(memory, clients, blocked, services_.limits())) {
    return true;
  }
  link_->want_drained();
  return false;
}

/// After each packet, while memory is short: whether what came before it is to be sent first, which
/// frees its memory. `shown` bytes have been served since bytes were shown.
bool Connection::pauses_for_breath(std::size_t shown) {
  if (!reading_ || link_ == nullptr) return false;
  if (shown < shown_max(services_.memory, services_.counters.clients_connected)) return false;
  link_->pause();  // resumed at once, it shows the rest again behind what is being flushed
  link_->resume();
  return true;
}

/// Holds back one of the heaviest publishers, and who is in the midst of a large packet: `used`
/// bytes have been served, `unread` ones wait for more.
void Connection::feel_pressure(std::size_t used, std::size_t unread) {
  if (state_ == State::closed || held_) return;
  const auto second = static_cast<std::uint32_t>(services_.now_ms() / 1000);
  if (second != heard_in_) heard_bytes_ = 0;
  heard_in_ = second;
  heard_bytes_ += static_cast<std::uint32_t>(std::min<std::size_t>(used, kLight));
  if (heard_bytes_ < kLight && unread <= kLargePart) return;
  held_ = true;
  ++services_.counters.memory_paused;
  services_.peers.hold(*this);
  update_reading();
}

/// It may send again, at least a little.
void Connection::on_relief() {
  if (!held_) return;
  held_ = false;
  heard_bytes_ = 0;
  if (state_ == State::closed) return;
  const boost::intrusive_ptr<Connection> self(this);
  update_reading();
}

/// Whether memory is too short for a new connection.
bool Connection::refused_for_memory() {
  if (services_.memory.level() < Pressure::refuse_connections) return false;
  ++services_.counters.memory_connections_refused;
  refuse_connect(ReasonCode::quota_exceeded,
                 "the broker's memory is used up (memory_max); try again later");
  return true;
}

}  // namespace linnet::session

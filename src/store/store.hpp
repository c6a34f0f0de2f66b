// The store's seam: what must survive, in the words of the domain. Shards send requests to the one
// writer and are answered by letter, later; they read for themselves. The store knows bytes and
// keys, not MQTT. Nothing that a request says is true for the outside world before its answer.
//
// All records of one PUBLISH are one unit: each shard that owes the message to a kept session sends
// its part, the shard where it was published seals the unit with the number of parts, and the
// writer commits all of them in one transaction, or none. Only then are the seal and the parts
// answered. What concerns one shard alone is one request, and needs no seal.
//
// An outgoing message that its receiver acknowledges before the writer has begun with it is taken
// back: it is never written, and a request of which nothing is left is answered at once.
//
// Times in these structures are in ms of the monotonic clock, as everywhere in a shard; the store
// turns them into times that outlive the process.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "base/function_ref.hpp"
#include "base/message.hpp"

namespace linnet::store {

/// Names a unit over all shards: origin shard and a count. 0: the request belongs to no unit.
using UnitId = std::uint64_t;
/// Chosen by the asking shard, and returned in the answer. 0: no answer is wanted.
using Ticket = std::uint64_t;
/// A kept session, from its first record to its last; never used again. 0: none.
using SessionNumber = std::uint64_t;

/// How far an outgoing message has come with its receiver.
enum class OutgoingState : std::uint8_t {
  queued,    // not sent, no packet identifier
  sent,      // PUBLISH sent, PUBACK or PUBREC awaited
  released,  // PUBREC received, PUBCOMP awaited; the message itself is not needed any more
};

/// A session as such. Its first record makes the session.
struct PutSession {
  SessionNumber session = 0;
  std::string client_id;
  std::string user_name{};  // whom it belongs to; empty: anybody
  std::uint32_t expiry_s = 0;
  std::uint8_t protocol_version = 0;
  bool connected = false;
  std::uint64_t ends_at_ms = kNever;   // while it is not connected
  std::uint64_t will_due_ms = kNever;  // while it is not connected
};
/// Ends the session: everything of it goes, its outgoing messages step by step.
struct EraseSession {
  SessionNumber session = 0;
};
struct PutWill {
  SessionNumber session = 0;
  MessagePtr message;  // a copy that only the store holds from now on
  std::uint32_t delay_s = 0;
  std::optional<std::uint32_t> expiry_s;
};
struct EraseWill {
  SessionNumber session = 0;
};
struct PutSubscription {
  SessionNumber session = 0;
  std::string filter;  // as the client named it: `$share/...` for a shared one
  std::uint32_t subscription_id = 0;
  std::uint8_t options = 0;  // as on the wire
};
struct EraseSubscription {
  SessionNumber session = 0;
  std::string filter;
};
/// An outgoing message gets its place in the in-flight window, or moves on in it.
struct PutInflight {
  SessionNumber session = 0;
  std::uint64_t number = 0;    // counts what the session sends; its packet identifier follows
  std::uint64_t sequence = 0;  // of the message
  OutgoingState state = OutgoingState::sent;
};
/// A QoS 2 packet identifier that a client has sent and not yet released.
struct PutReceived {
  SessionNumber session = 0;
  std::uint16_t packet_id = 0;
};
struct EraseReceived {
  SessionNumber session = 0;
  std::uint16_t packet_id = 0;
};
/// Sets a retained message; one without payload clears it.
struct PutRetained {
  MessagePtr message;  // a copy that only the store holds from now on
};

using Change =
    std::variant<PutSession, EraseSession, PutWill, EraseWill, PutSubscription, EraseSubscription,
                 PutInflight, PutReceived, EraseReceived, PutRetained>;

/// A session is owed the message of the request. With a `number` it is in the in-flight window at
/// once, in the state `sent`.
struct PutOutgoing {
  SessionNumber session = 0;
  std::uint64_t sequence = 0;  // orders the messages of a session, and never comes twice
  std::uint64_t number = 0;    // as in PutInflight; 0: queued
  Qos qos = Qos::at_most_once;
  bool retain = false;
  bool taken_back = false;  // its receiver was faster than the writer; the store's own mark
  boost::container::small_vector<std::uint32_t, 1> subscription_ids;
  std::string group;  // of a shared subscription, as in its `$share/` filter: "group/filter"
};

/// Changes that become true together. Without any it is a barrier: its answer comes when all that
/// its shard has submitted before is durable.
struct Request {
  std::uint32_t shard = 0;  // who asks
  Ticket ticket = 0;
  UnitId unit = 0;
  bool lazy = false;   // no client waits for the answer: it may wait for company
  MessagePtr message;  // of `outgoing`; a copy that only the store holds from now on
  boost::container::small_vector<PutOutgoing, 1> outgoing;
  boost::container::small_vector<Change, 1> changes;
};

/// Ends a unit: the writer has all of it when `parts` requests have come.
struct Seal {
  std::uint32_t shard = 0;
  Ticket ticket = 0;
  UnitId unit = 0;
  std::uint32_t parts = 0;
  bool give_up = false;  // commit nothing of it, and answer the parts as refused
};

/// Where a PutOutgoing stands on its way to the writer.
struct Place {
  std::uint64_t request = 0;  // the number of its request, see Store::next_request(); 0: none
  std::uint32_t index = 0;    // in Request::outgoing
};

/// An outgoing message that is done with, or was given up.
struct EraseOutgoing {
  SessionNumber session = 0;
  std::uint64_t sequence = 0;
  std::uint64_t number = 0;  // in the in-flight window; 0: it was still queued
};

enum class Outcome : std::uint8_t {
  committed,  // it is durable, and can be read
  full,       // a limit or the disk; it may work later
  refused,    // the unit was given up
  accepted,   // with `durability = "interval"` only: it may be acknowledged, `committed` follows
};

struct Answer {
  Ticket ticket = 0;
  Outcome outcome = Outcome::committed;
};

/// Where answers go; called on the writer's thread, or within a call of a shard.
class AnswerSink {
 public:
  virtual void answer(std::uint32_t shard, std::span<const Answer> answers) = 0;
  /// has_room() or accepts() was false and is true now: every shard may have links that wait.
  virtual void has_room_again() = 0;

 protected:
  ~AnswerSink() = default;
};

/// Which retained messages: those whose topic matches `filter`, in the store's own order, behind
/// `after` (empty: from the first on). At most `looks_max` topics are looked at, matching or not.
struct RetainedQuery {
  std::string_view filter;
  std::string_view after;
  std::size_t looks_max = 0;
};
/// How far a walk has come: `done`, or to be continued behind `last`, the last topic looked at that
/// needs no second look.
struct RetainedWalk {
  bool done = false;
  std::string last;
  std::size_t looks = 0;
};

/// An outgoing message as it was stored. The views are valid within the call that shows it.
struct StoredOutgoing {
  std::uint64_t sequence = 0;
  MessageView message;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::span<const std::uint32_t> subscription_ids;
  std::string_view group;
};
/// One place of the in-flight window. `message` has no meaning once it is released.
struct StoredInflight {
  std::uint64_t number = 0;
  std::uint64_t sequence = 0;
  OutgoingState state = OutgoingState::sent;
  StoredOutgoing message;
};

struct StoredSubscription {
  std::string_view filter;
  std::uint32_t subscription_id = 0;
  std::uint8_t options = 0;
};
struct StoredWill {
  MessageView message;
  std::uint32_t delay_s = 0;
  std::optional<std::uint32_t> expiry_s;
};
/// All that a broker has to know of a session before its client comes back.
struct StoredSession {
  SessionNumber number = 0;
  std::string_view client_id;
  std::string_view user_name;  // whom it belongs to; empty: anybody, or nobody had noted it
  std::uint32_t expiry_s = 0;
  std::uint8_t protocol_version = 0;
  bool connected = false;  // when the broker ended, which then was not in order
  std::uint64_t ends_at_ms = kNever;
  std::uint64_t will_due_ms = kNever;
  std::optional<StoredWill> will;
  std::span<const StoredSubscription> subscriptions;
  std::uint64_t outgoing_messages = 0;  // in flight and queued
  std::uint64_t outgoing_bytes = 0;     // owed_bytes() of them
  std::uint64_t last_sequence = 0;
};

/// What an owed message counts for in the limits of a backlog.
[[nodiscard]] inline std::size_t owed_bytes(const MessageView& message) noexcept {
  constexpr std::size_t kOverhead = 64;
  return kOverhead + message.topic.size() + message.publisher.size() + message.properties.size() +
         message.payload.size();
}

/// What a store holds and has done, for $SYS.
struct StoreFigures {
  std::uint64_t retained_messages = 0;
  std::uint64_t retained_bytes = 0;
  std::uint64_t file_bytes = 0;      // the size of the data file
  std::uint64_t used_bytes = 0;      // of it, in use
  std::uint64_t commits = 0;         // since the start
  std::uint64_t bytes_written = 0;   // to the data file, since the start
  std::uint64_t commit_us = 0;       // what a commit takes now: a moving average
  std::uint64_t outgoing_saved = 0;  // messages for sessions that were written
  std::uint64_t taken_back = 0;      // ... and that did not have to be
  std::string alarm;                 // why durable work is refused; empty: it is not
};

/// Every function may be called from any shard's thread; those with a `shard` on its own only.
class Store {
 public:
  virtual ~Store() = default;

  [[nodiscard]] virtual SessionNumber new_session() noexcept = 0;

  /// The number of the request that this shard submits next.
  [[nodiscard]] virtual std::uint64_t next_request(std::uint32_t shard) const noexcept = 0;
  virtual void submit(Request request) = 0;
  virtual void submit(const Seal& seal) = 0;
  /// Takes the PutOutgoing at `place` back if the writer has not begun with it, else erases it. A
  /// loss of this call by a crash leads to a second delivery and nothing worse, so that it may wait
  /// for company.
  virtual void erase_outgoing(std::uint32_t shard, const EraseOutgoing& erase, Place place) = 0;
  /// The shard has submitted all of this turn: the writer may begin.
  virtual void end_turn(std::uint32_t shard) noexcept = 0;

  /// False while the way to the writer is full: links with durable work are then not read.
  [[nodiscard]] virtual bool has_room() const noexcept = 0;
  /// False while durable work is refused: the disk is full or fails.
  [[nodiscard]] virtual bool accepts() const noexcept = 0;

  /// Visits committed retained messages that the query asks for, until `visit` returns false. The
  /// views are valid within the call only.
  virtual RetainedWalk read_retained(const RetainedQuery& query,
                                     FunctionRef<bool(const MessageView&)> visit) const = 0;
  /// Visits committed messages of a session with `after` < sequence <= `up_to`, in order, until
  /// `visit` returns false. False if the store can't be read now.
  virtual bool read_outgoing(SessionNumber session, std::uint64_t after, std::uint64_t up_to,
                             FunctionRef<bool(const StoredOutgoing&)> visit) const = 0;
  /// Visits the committed in-flight window in the order of sending.
  virtual bool read_inflight(SessionNumber session,
                             FunctionRef<void(const StoredInflight&)> visit) const = 0;
  virtual bool read_received(SessionNumber session,
                             FunctionRef<void(std::uint16_t)> visit) const = 0;
  /// Visits all sessions; before the first shard runs.
  virtual void load_sessions(FunctionRef<void(const StoredSession&)> visit) const = 0;

  [[nodiscard]] virtual StoreFigures figures() const = 0;
};

}  // namespace linnet::store

// The store's seam: what must survive, in the words of the domain. Shards send requests to the one
// writer and are answered by letter, later; they read for themselves. The store knows bytes and
// keys, not MQTT. Nothing that a request says is true for the outside world before its answer.
//
// All records of one PUBLISH are one unit: each shard that owes the message to a kept session sends
// its part, the shard where it was published seals the unit with the number of parts, and the
// writer commits all of them in one transaction, or none. Only then are the seal and the parts
// answered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/function_ref.hpp"
#include "base/message.hpp"

namespace linnet::store {

/// Names a unit over all shards: origin shard and a count. 0: the request belongs to no unit.
using UnitId = std::uint64_t;
/// Chosen by the asking shard, and returned in the answer. 0: no answer is wanted.
using Ticket = std::uint64_t;

/// How far an outgoing message has come with its receiver.
enum class OutgoingState : std::uint8_t {
  queued,    // not sent, no packet identifier
  sent,      // PUBLISH sent, PUBACK or PUBREC awaited
  released,  // PUBREC received, PUBCOMP awaited
};

struct PutSession {
  std::string client_id;
  std::uint8_t protocol_version = 0;
  std::uint32_t expiry_s = 0;
  bool connected = false;
};
struct EraseSession {
  std::string client_id;
};
struct PutSubscription {
  std::string client_id;
  std::string filter;
  std::uint32_t subscription_id = 0;
  std::uint8_t options = 0;  // as on the wire
};
struct EraseSubscription {
  std::string client_id;
  std::string filter;
};
/// Adds a message to a session's backlog, or moves it on: `sequence` orders the messages of a
/// session and never comes twice.
struct PutOutgoing {
  std::string client_id;
  std::uint64_t sequence = 0;
  OutgoingState state = OutgoingState::queued;
  std::uint16_t packet_id = 0;
};
struct EraseOutgoing {
  std::string client_id;
  std::uint64_t sequence = 0;
};
/// A QoS 2 packet identifier that a client has sent and not yet released.
struct PutReceived {
  std::string client_id;
  std::uint16_t packet_id = 0;
};
struct EraseReceived {
  std::string client_id;
  std::uint16_t packet_id = 0;
};
/// Sets a retained message; one without payload clears it.
struct PutRetained {
  MessagePtr message;  // a copy that only the store holds from now on
};

using Change = std::variant<PutSession, EraseSession, PutSubscription, EraseSubscription,
                            PutOutgoing, EraseOutgoing, PutReceived, EraseReceived, PutRetained>;

/// Changes that become true together.
struct Request {
  std::uint32_t shard = 0;  // who asks
  Ticket ticket = 0;
  UnitId unit = 0;
  std::vector<Change> changes;
};

/// Ends a unit: the writer has all of it when `parts` requests have come.
struct Seal {
  std::uint32_t shard = 0;
  Ticket ticket = 0;
  UnitId unit = 0;
  std::uint32_t parts = 0;
  bool give_up = false;  // commit nothing of it, and answer the parts as refused
};

enum class Outcome : std::uint8_t {
  committed,
  full,     // a limit or the disk; it may work later
  refused,  // the unit was given up
};

struct Answer {
  Ticket ticket = 0;
  Outcome outcome = Outcome::committed;
};

/// Where answers go; called on the writer's thread, or within submit().
class AnswerSink {
 public:
  virtual void answer(std::uint32_t shard, const Answer& answer) = 0;
  /// has_room() was false and is true now: every shard may have links that wait for it.
  virtual void has_room_again() = 0;

 protected:
  ~AnswerSink() = default;
};

/// Which retained messages: those whose topic matches `filter`, in the order of their topics,
/// behind `after` (empty: from the first on). At most `looks_max` topics are looked at, matching or
/// not.
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

/// What a store holds, for $SYS.
struct StoreFigures {
  std::uint64_t retained_messages = 0;
  std::uint64_t retained_bytes = 0;
};

/// Every function may be called from any shard's thread.
class Store {
 public:
  virtual ~Store() = default;

  virtual void submit(Request request) = 0;
  virtual void submit(const Seal& seal) = 0;
  /// False while the way to the writer is full: links with durable work are then not read.
  [[nodiscard]] virtual bool has_room() const noexcept = 0;

  /// Visits committed retained messages that the query asks for, until `visit` returns false. The
  /// views are valid within the call only.
  virtual RetainedWalk read_retained(const RetainedQuery& query,
                                     FunctionRef<bool(const MessageView&)> visit) const = 0;

  [[nodiscard]] virtual StoreFigures figures() const noexcept = 0;
};

}  // namespace linnet::store

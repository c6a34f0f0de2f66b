// All that a session knows of the rest of its shard. One of the four seams; the shard implements
// it. Called on the shard's thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/message.hpp"
#include "router/router.hpp"
#include "store/store.hpp"

namespace linnet::session {

class Connection;
class Session;
struct Membership;
struct OwedMessage;

/// An operation that waits for other shards or for the store's writer. 0: none.
using OperationId = std::uint64_t;

/// What became of a publication. `reason` has a meaning once it is done, `operation` while it
/// waits.
struct Published {
  enum class State : std::uint8_t {
    done,
    waiting,  // the waiter will be told
    no_room,  // nothing has happened; publish it again when there is room
  };
  State state = State::done;
  ReasonCode reason = ReasonCode::success;
  OperationId operation = 0;
};

/// Who waits for a publication's end.
struct PublishWaiter {
  Connection* connection = nullptr;
  /// For QoS 2: the operation ends with Session::on_received, connection or none.
  Session* session = nullptr;
  std::uint16_t packet_id = 0;
};

class Peers {
 public:
  /// The one door for messages. Without a waiter (QoS 0, Wills) nobody is told the end of it.
  virtual Published publish(Publication& publication, const PublishWaiter& waiter) = 0;
  /// A message that has no link which could wait for room: a Will. It waits in a bounded list.
  virtual void publish_later(MessagePtr message) = 0;
  /// Asks to be resumed when there is room again: Connection::on_room().
  virtual void park(Connection& connection) = 0;
  /// Connection::on_relief() follows soon: memory is short, and it is not read until then.
  virtual void hold(Connection& connection) = 0;
  /// Session::on_turn() follows at the end of this turn: others get theirs first.
  virtual void pump_later(Session& session) = 0;
  /// Session::review() follows, in this turn or later, until it has looked at everything.
  virtual void review_later(Session& session) = 0;

  /// Opens an operation for a connection. Parts are added while it is open; it ends when it has
  /// been sealed and all parts have been answered, and then tells Connection::on_done(). seal()
  /// returns the reason if that is so at once, and then tells nobody.
  [[nodiscard]] virtual OperationId open_operation(Connection& waiter) = 0;
  [[nodiscard]] virtual std::optional<ReasonCode> seal(OperationId operation) = 0;

  /// Sends a change to the store as a part of `operation` (0: nobody waits for it).
  virtual void save(store::Change change, OperationId operation) = 0;
  /// All that this shard has sent to the store so far becomes a part of `operation`.
  virtual void wait_for_store(OperationId operation) = 0;
  /// Sends a session's new outgoing message to the store, together with the publication that is
  /// being delivered, if there is one; notes its place in `owed`. Session::on_saved() follows.
  virtual void save_outgoing(Session& session, OwedMessage& owed) = 0;
  /// A message of an in-flight window that was saved as queued has got its place there;
  /// Session::on_saved() follows if somebody has to wait for that.
  virtual void save_inflight(Session& session, const OwedMessage& owed, bool wait) = 0;
  /// Session::on_saved(0) follows when all that this shard has sent to the store is durable.
  virtual void tell_when_saved(Session& session) = 0;
  /// Takes an outgoing message back from the store, or out of it.
  virtual void erase_outgoing(const store::EraseOutgoing& erase, store::Place place) = 0;
  [[nodiscard]] virtual store::SessionNumber new_session_number() noexcept = 0;
  /// Session::on_turn() follows when the store has room again, or can be read again.
  virtual void pump_with_room(Session& session) = 0;

  /// Makes sure that all other shards know of a filter, which may be new here.
  virtual void spread_interest(std::string_view filter, bool is_new, OperationId operation) = 0;
  virtual void withdraw_interest(std::string_view filter) = 0;
  /// Before the operation ends, and once all shards know its filters, asks them for retained
  /// messages that are not in the store yet: Session::on_overlay(). What was published before a
  /// shard knew of the filter is then at its home.
  virtual void ask_overlays(Session& session, std::string_view filter, std::uint32_t replay,
                            OperationId operation) = 0;
  /// Reads committed retained messages; see store::Store::read_retained.
  virtual store::RetainedWalk read_retained(const store::RetainedQuery& query,
                                            FunctionRef<bool(const MessageView&)> visit) = 0;

  virtual void join_group(Session& session, const Membership& membership,
                          OperationId operation) = 0;
  virtual void leave_group(Session& session, const Membership& membership) = 0;
  /// Its client has come or gone.
  virtual void update_group(Session& session, const Membership& membership) = 0;
  /// Offers a message that its member could not deliver to another member. With a `sequence`,
  /// Session::on_handed_back() tells whether another connected one has it; with 0 any member will
  /// do, and nobody is told.
  virtual void hand_back(Session& session, const Membership& membership, MessagePtr message,
                         std::uint64_t sequence) = 0;
  /// Whether there is room for handing back some `bytes` of messages that could as well stay where
  /// they are; if not, Session::on_turn() follows when there may be.
  [[nodiscard]] virtual bool may_hand_back(Session& session, std::size_t bytes) = 0;
  /// One message of the group less is on its way to this member.
  virtual void group_acknowledged(Session& session, const Membership& membership) = 0;

  [[nodiscard]] virtual bool is_home(std::string_view client_id) const noexcept = 0;
  /// Moves the connection's link to the home shard of `client_id` at the end of this turn.
  virtual void move_home(Connection& connection, std::string_view client_id) = 0;
  [[nodiscard]] virtual Session* find_session(std::string_view client_id) = 0;
  [[nodiscard]] virtual Session& create_session(std::string_view client_id) = 0;
  /// The session has ended: it is forgotten, and deleted when nothing refers to it any more.
  virtual void forget_session(Session& session) = 0;
  /// The connection has ended.
  virtual void forget_connection(Connection& connection) = 0;
  /// Whether a link that ends may take its time; links that do are bounded, too.
  [[nodiscard]] virtual bool may_linger() const noexcept = 0;
  /// Room for one more kept session in the whole broker, and giving it back.
  [[nodiscard]] virtual bool take_kept_session() noexcept = 0;
  virtual void give_back_kept_session() noexcept = 0;
  /// One that was kept before the broker was started, whatever the limit is now.
  virtual void force_kept_session() noexcept = 0;

 protected:
  ~Peers() = default;
};

}  // namespace linnet::session

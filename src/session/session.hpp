// What one client is owed (MQTT 5.0, section 4.1): its subscriptions, the messages in flight in
// both directions, its backlog, its Will and its end. It stays in its home shard from its creation
// to its end, with or without a connection. One shard's thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/accounts.hpp"
#include "base/fixed_text.hpp"
#include "base/ref_counted.hpp"
#include "base/timer_wheel.hpp"
#include "session/access.hpp"
#include "session/backlog.hpp"
#include "session/inflight.hpp"
#include "session/memberships.hpp"
#include "session/received_ids.hpp"
#include "session/replay.hpp"
#include "session/services.hpp"
#include "session/session_facts.hpp"
#include "session/will.hpp"

namespace linnet::session {

class Connection;

/// How a connection ended, as far as the Will is concerned.
enum class Farewell : std::uint8_t {
  lost,          // the Will is due
  with_will,     // DISCONNECT 0x04: the Will is due
  without_will,  // DISCONNECT 0x00: the Will is void (MQTT-3.1.2-10)
};

/// What the store says of an outgoing message.
enum class Saved : std::uint8_t {
  accepted,   // what depends on it may go on, but it can't be read from the store yet
  committed,  // it lies in the store
  refused,    // it is not owed any more: its publisher was told so
};

/// MQTT 5's "does not expire".
inline constexpr std::uint32_t kNeverExpires = 0xFFFFFFFF;

class Session final : public router::Subscriber, public RefCounted<Session> {
 public:
  Session(std::string_view client_id, Services& services);
  ~Session();

  [[nodiscard]] std::string_view client_id() const noexcept { return client_id_.view(); }
  [[nodiscard]] Connection* connection() const noexcept { return connection_; }
  /// It outlives its connection.
  [[nodiscard]] bool kept() const noexcept { return expiry_s_ != 0; }
  [[nodiscard]] std::uint32_t expiry_s() const noexcept { return expiry_s_; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] std::uint32_t inflight() const noexcept { return inflight_.active(); }
  /// Its name in the store; 0: the store has never heard of it.
  [[nodiscard]] store::SessionNumber number() const noexcept { return number_; }

  // Who the client is, and what it may do: session_access.cpp

  /// From now on, and as long as the session lives, it belongs to this user; null: to nobody. It
  /// answers for the places that were taken. What the user may not do ends: see review().
  void belong_to(std::unique_ptr<auth::Identity> identity, auth::AccountPtr account,
                 auth::UserPlaces& places);
  /// Empty if the session belongs to nobody.
  [[nodiscard]] std::string_view user_name() const noexcept {
    return identity_ ? std::string_view(identity_->user_name) : std::string_view();
  }
  /// Null for a client without a user name; after a restart of the broker, only the name is known
  /// until the client is back.
  [[nodiscard]] const auth::Identity* identity() const noexcept { return identity_.get(); }
  [[nodiscard]] const auth::AccountPtr& account() const noexcept { return account_; }
  /// When what has proven the user name expires, in seconds of the wall clock; 0: never.
  [[nodiscard]] std::uint64_t expires_at_s() const noexcept {
    return identity_ && identity_->grants ? identity_->grants->expires_at_s : 0;
  }
  /// What the client may do; null: everything.
  [[nodiscard]] Access* access();
  /// Whether it may subscribe; from now on, if some of the filter's topics must not be received,
  /// each message is asked about.
  [[nodiscard]] auth::Decision judge_filter(Access& access, std::string_view filter, Qos qos);
  /// The rules, or the user, have changed: ends the subscriptions that are no longer allowed, and
  /// lowers the QoS of those that are allowed with less. Looks at `budget` of them at most, which
  /// are taken off it; false if there are more: to be called again. Nothing that must not be
  /// received is sent meanwhile. What has to wait for room comes back by itself.
  [[nodiscard]] bool review(std::size_t& budget);
  /// The first part of that, for the memberships in shared groups: what a member is given can't be
  /// withheld from it later.
  [[nodiscard]] bool review_memberships(std::size_t& budget);
  [[nodiscard]] bool has_memberships() const noexcept { return !memberships_.empty(); }

  // For the administrator: session_facts.cpp

  [[nodiscard]] SessionFacts facts() const;
  /// `max` of its subscriptions.
  [[nodiscard]] std::vector<SubscriptionFacts> filters(std::size_t max) const;
  /// How much it lags behind: what waits for it in bytes, and what it has missed.
  [[nodiscard]] std::uint64_t burden() const noexcept;

  // Between two runs of the broker: session_restore.cpp

  /// Makes a new session what it was when the broker ended. Its client is away.
  void restore(const store::StoredSession& stored);
  /// Reads what only a client that is back needs: the in-flight window and the received
  /// identifiers. False if the store can't be read now.
  [[nodiscard]] bool load();
  /// At the broker's end: nobody is told, and the store keeps what it has.
  void abandon();

  // Coming and going: session_life.cpp

  /// A new connection takes the session over; nothing is sent before go_online().
  void attach(Connection& connection, std::uint32_t expiry_s, std::unique_ptr<StoredWill> will);
  /// Makes what attach() has changed durable, as a part of `operation`.
  void save_connect(Version version, OperationId operation);
  /// CONNACK has left: sends again what was in flight, then what has come since.
  void go_online();
  /// The connection is gone.
  void detach(Farewell farewell);
  /// Ends the session now; its Will, if one is pending, is published.
  void end();
  /// For DISCONNECT, which may change it.
  void set_expiry(std::uint32_t expiry_s) noexcept { expiry_s_ = expiry_s; }
  /// At the broker's end: publishes a Will that has no delay.
  void publish_undelayed_will();

  // What comes in for the client: session_deliver.cpp

  void deliver(Publication& publication, const router::Target& target,
               std::span<const std::uint32_t> subscription_ids,
               router::Delivering& delivering) override;
  [[nodiscard]] bool durable() const noexcept override { return kept(); }
  /// A message that a shared group has chosen this session for.
  void deliver_shared(Publication& publication, Membership& membership,
                      router::Delivering& delivering);
  /// The store's answer for the message with this sequence.
  void on_saved(std::uint64_t sequence, Saved saved);
  /// The answer to Peers::hand_back: another member has taken the message, or it stays here.
  void on_handed_back(std::uint64_t sequence, bool taken);
  /// Memory is short: what the store has leaves it.
  void spill();
  /// Sends what may be sent: replays, what is in flight and not sent, the backlog.
  void pump();

  // Acknowledgements from the client: session_ack.cpp

  void on_puback(PacketId packet_id, ReasonCode reason);
  /// The answer to a PUBREC: what PUBREL must say, and what it has to wait for.
  struct Released {
    bool send = true;
    ReasonCode reason = ReasonCode::success;
  };
  [[nodiscard]] Released on_pubrec(PacketId packet_id, ReasonCode reason, OperationId operation);
  void on_pubcomp(PacketId packet_id);

  // QoS 2 from the client

  [[nodiscard]] ReceivedIds& received() noexcept { return received_; }
  /// The operation of a received QoS 2 PUBLISH has ended.
  void on_received(PacketId packet_id, OperationId operation, ReasonCode reason);

  // Subscriptions: session_subscribe.cpp

  /// Adds or replaces a subscription; its parts (interest, store, group) are added to `operation`.
  [[nodiscard]] ReasonCode subscribe(std::string_view filter,
                                     const router::SubscriptionTerms& terms, OperationId operation);
  [[nodiscard]] ReasonCode unsubscribe(std::string_view filter, OperationId operation);
  /// This SUBSCRIBE is acknowledged: its replays may begin, or are given up if it was refused.
  void on_subscribed(OperationId operation, bool accepted);
  /// A shard's answer to Peers::ask_overlays: retained messages that the store does not have yet.
  void on_overlay(std::uint32_t replay, std::vector<MessagePtr> messages);
  [[nodiscard]] Membership* find_membership(std::string_view group, std::string_view filter);
  /// Whether there is a subscription with just this filter, `$share/` included.
  [[nodiscard]] bool has_subscription(std::string_view text);
  /// After an UNSUBSCRIBE: forgets the memberships that it ended.
  void sweep_memberships();
  /// What pump_later() asked for: the replays go on.
  void on_turn();

 private:
  /// A subscription that the store has not confirmed yet, and what was there before.
  struct Unconfirmed {
    OperationId operation = 0;
    std::string filter;
    std::optional<router::SubscriptionTerms> before;
    std::uint32_t number = 0;
  };

  /// What happens by time alone. Made when it is needed: most clients are connected, and their
  /// sessions end with the connection.
  struct Deadlines {
    explicit Deadlines(Session& session) noexcept
        : timer(Timer::calling<&Session::on_timer>(session)) {}
    Timer timer;
    std::uint64_t will_due_ms = kNever;  // the connection is gone and the Will's delay runs
    std::uint64_t ends_at_ms = kNever;   // the connection is gone and the session's expiry runs
  };

  // To those who look: watch.cpp
  void tell(Step step, const MessageView& message, Qos qos, std::string_view why = {}) const;
  void tell_denied(const MessageView& message, Qos qos);
  void tell_acknowledged(Step step, const OwedMessage& owed, ReasonCode reason) const;

  [[nodiscard]] bool online() const noexcept { return online_; }
  [[nodiscard]] Deadlines& deadlines() {
    if (!deadlines_) deadlines_ = std::make_unique<Deadlines>(*this);
    return *deadlines_;
  }
  [[nodiscard]] bool window_open() const noexcept;
  [[nodiscard]] BacklogLimits backlog_limits() const noexcept;
  [[nodiscard]] std::uint64_t next_sequence() noexcept { return ++last_sequence_; }
  /// What a message goes with; limits.qos_max may have sunk since the client has subscribed.
  [[nodiscard]] Qos outgoing_qos(Qos published, Qos subscribed) const noexcept {
    return min(min(published, subscribed), services_.limits().qos_max);
  }

  void renew_access();
  [[nodiscard]] bool may_receive(std::string_view topic);
  [[nodiscard]] bool may_publish(const Message& will) const;
  void review_first();
  void review_soon();
  void review_filter(const std::string& filter, router::SubscriptionTerms terms);
  void end_subscription(const std::string& filter, const auth::Decision& decision);
  void count_session(int change) noexcept;
  [[nodiscard]] std::string name() const;
  void log_removal(std::string_view filter, const auth::Decision& decision) const;
  void log_denied_will(std::string_view topic, std::string_view rule) const;
  [[nodiscard]] bool owes() const noexcept;

  void take(Publication& publication, const Terms& terms, router::Delivering& delivering);
  void take_qos0(Publication& publication, const Terms& terms, router::Delivering& delivering);
  [[nodiscard]] bool must_wait(const MessageView& message);
  void push_inflight(OwedMessage&& message);
  void push_backlog(Publication& publication, const Terms& terms, router::Delivering& delivering);
  [[nodiscard]] bool make_room(std::size_t bytes, router::Delivering& delivering);
  void save_owed(OwedMessage& owed);
  void erase_owed(const OwedMessage& owed);
  void give_up_waiting(std::uint64_t sequence);
  bool load_backlog();
  [[nodiscard]] OwedMessage owe_stored(const store::StoredOutgoing& stored);
  void rest_backlog();
  void drop_transient();
  void mark_inflight();
  void unload_later();
  void unload();
  void drop(const OwedMessage& owed);
  void count_dropped(std::uint32_t messages);
  void count_squeezed(const MessageView& message);
  void lose(const MessageView& message, std::string_view why);
  bool send_inflight();
  [[nodiscard]] bool awaits_commit() noexcept;
  void send_owed(OwedMessage& owed);
  void move_backlog();
  void finish(OwedMessage& owed);
  void tell_group(const OwedMessage& owed);

  void pump_soon();
  bool run_replays();
  bool run_replay(Replay& replay, std::size_t& looks_left);
  bool run_overlay(Replay& replay);
  bool send_retained(Replay& replay, const MessageView& message);

  void lend_shared();
  void give_away_shared(const Membership* only = nullptr);
  void give_away_denied(const OwedMessage& owed);
  void hand_on_later(const Membership& ended);
  /// How far hand_on_some() has come.
  enum class HandedOn : std::uint8_t {
    all,
    some,
    waits,  // for room, or for the store; on_turn() follows
  };
  [[nodiscard]] HandedOn hand_on_some(std::size_t& budget);
  [[nodiscard]] bool hands_on() const noexcept {
    return access_ && access_->review().handing_on != nullptr;
  }
  ReasonCode subscribe_shared(std::string_view group, std::string_view filter,
                              const router::SubscriptionTerms& terms, OperationId operation);
  ReasonCode unsubscribe_shared(std::string_view group, std::string_view filter);
  ReasonCode remove_subscription(std::string_view text, OperationId operation);
  void change_terms(std::string_view text, const router::SubscriptionTerms& terms);
  void lower(const std::string& text, const router::SubscriptionTerms& terms);
  void save_subscription(std::string_view filter, const router::SubscriptionTerms& terms,
                         OperationId operation);
  void note_unconfirmed(std::string_view filter, const router::SubscriptionTerms* before,
                        OperationId operation);
  void confirm(OperationId operation, bool accepted);
  void undo(const Unconfirmed& change);
  void restore_owner(std::string_view user_name);
  void restore_subscription(const store::StoredSubscription& stored);
  void save_life();
  void start_replay(std::string_view filter, const router::SubscriptionTerms& terms,
                    OperationId operation);
  void unsubscribe_all();
  void arm_timer();
  void on_timer();
  void publish_will();

  std::uint32_t expiry_s_ = 0;  // here it fits in front of what follows

  // Constant after construction
  Services& services_;
  FixedText client_id_;

  // Owned by the shard
  Connection* connection_ = nullptr;
  std::unique_ptr<const auth::Identity> identity_;
  std::unique_ptr<Access> access_;
  auth::AccountPtr account_;
  router::SubscriptionList subscriptions_;
  Memberships memberships_;
  Inflight inflight_;
  Backlog backlog_;
  ReceivedIds received_;
  std::unique_ptr<Replays> replays_;
  std::unique_ptr<StoredWill> will_;
  std::unique_ptr<std::vector<Unconfirmed>> unconfirmed_;
  std::unique_ptr<Deadlines> deadlines_;
  store::SessionNumber number_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint32_t dropped_ = 0;  // messages missed since the client was last told
  std::uint32_t last_replay_ = 0;
  std::uint32_t last_unconfirmed_ = 0;
  bool online_ : 1 = false;
  bool rests_ : 1 = false;     // its replays go on at the end of the turn
  bool kept_counted_ = false;  // stands in the broker's number of kept sessions
  bool ended_ : 1 = false;
  bool unloaded_ : 1 = false;        // what load() reads is in the store alone
  bool restored_ : 1 = false;        // ... and the backlog counts it, too
  bool identity_known_ : 1 = false;  // not after a restart, before the client is back
  bool review_waits_ : 1 = false;    // it goes on when the shard has time for it
  bool unmarked_ : 1 = false;  // something in flight has an identifier that the store does not know
  bool will_saved_ = false;    // the store has a Will of this session
};

static_assert(sizeof(void*) != 8 || sizeof(Session) <= 176);

using SessionPtr = boost::intrusive_ptr<Session>;

}  // namespace linnet::session

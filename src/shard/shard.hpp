// A shard: one complete single-threaded broker. It owns its sessions, subscriptions, connections
// and timers, and nobody else touches them: everything outside reaches it by letter. Several shards
// are one broker, since each knows what the others are interested in.
//
// A turn of its loop:  reactor().poll()  bytes and time come in
//                      work()            letters, and what was put off to the end of the turn
//                      reactor().flush() bytes go out
//
// All of it belongs to the thread that called own(), which every public door asserts. One file per
// concern: shard_publish.cpp, shard_interest.cpp, shard_groups.cpp, shard_operations.cpp,
// shard_settings.cpp, shard_pressure.cpp, shard_inquiry.cpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include "base/budget.hpp"
#include "base/hash.hpp"
#include "net/reactor.hpp"
#include "session/connection.hpp"
#include "shard/group.hpp"
#include "shard/operations.hpp"
#include "shard/pending_inquiry.hpp"
#include "shard/post_office.hpp"
#include "shard/retained_overlay.hpp"
#include "shard/sys_topics.hpp"

namespace linnet::shard {

/// Sessions in a table by their client identifiers, which clients choose: so with a seed.
struct ClientIdHash {
  using is_transparent = void;
  std::uint64_t seed = 0;
  std::size_t operator()(std::string_view client_id) const noexcept {
    return static_cast<std::size_t>(hash64(client_id, seed));
  }
  std::size_t operator()(const session::SessionPtr& session) const noexcept {
    return (*this)(session->client_id());
  }
};
struct ClientIdEqual {
  using is_transparent = void;
  bool operator()(std::string_view id, const session::SessionPtr& session) const noexcept {
    return id == session->client_id();
  }
  bool operator()(const session::SessionPtr& session, std::string_view id) const noexcept {
    return id == session->client_id();
  }
  bool operator()(const session::SessionPtr& one, const session::SessionPtr& other) const noexcept {
    return one == other;
  }
};

/// What all shards of a broker share. Outlives them.
struct Common {
  session::SettingsPtr settings;  // to begin with
  PostOffice& post;
  store::Store& store;
  Budget& connections;
  Budget& kept_sessions;
  MemoryBudget& memory;
  auth::GateParts gate;
  const SysSource* sys_source = nullptr;  // beside our own topics
};

class Shard final : public session::Peers {
 public:
  /// `now_ms` is the monotonic clock's reading.
  Shard(ShardId id, ShardId shards, const Common& common, std::uint64_t now_ms);
  ~Shard();

  [[nodiscard]] ShardId id() const noexcept { return id_; }
  [[nodiscard]] net::Reactor& reactor() noexcept { return reactor_; }
  [[nodiscard]] TimerWheel& timers() noexcept { return timers_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  /// Ends all connections and forgets all sessions; the store keeps what it has. What it still
  /// answers may come until the shard is deleted. Idempotent; the calling thread then owns it.
  void end();
  /// From now on the calling thread owns the shard.
  void own() noexcept { owner_ = std::this_thread::get_id(); }

  /// A session of an earlier run whose home is here; before the first link comes. work() then lets
  /// the other shards know what it wants.
  void restore(const store::StoredSession& stored);
  /// A new link: the shard serves it from here on, or refuses it.
  void accept(std::unique_ptr<net::Link> link);
  /// Reads letters and ends the turn. True if something was done.
  bool work();
  /// How long the loop may wait for the next event, in ms; -1: for ever.
  [[nodiscard]] int wait_ms() const noexcept;
  /// Everything has been said and sent after a StopLetter.
  [[nodiscard]] bool stopped() const noexcept { return stop_ == Stop::done; }

  // session::Peers
  session::Published publish(Publication& publication,
                             const session::PublishWaiter& waiter) override;
  void publish_later(MessagePtr message) override;
  void park(session::Connection& connection) override;
  void hold(session::Connection& connection) override;
  void pump_later(session::Session& session) override;
  void review_later(session::Session& session) override;
  [[nodiscard]] OperationId open_operation(session::Connection& waiter) override;
  [[nodiscard]] std::optional<ReasonCode> seal(OperationId operation) override;
  void save(store::Change change, OperationId operation) override;
  void wait_for_store(OperationId operation) override;
  void save_outgoing(session::Session& session, session::OwedMessage& owed) override;
  void save_inflight(session::Session& session, const session::OwedMessage& owed,
                     bool wait) override;
  void tell_when_saved(session::Session& session) override;
  void erase_outgoing(const store::EraseOutgoing& erase, store::Place place) override;
  [[nodiscard]] store::SessionNumber new_session_number() noexcept override {
    return store_.new_session();
  }
  void pump_with_room(session::Session& session) override;
  void spread_interest(std::string_view filter, bool is_new, OperationId operation) override;
  void ask_overlays(session::Session& session, std::string_view filter, std::uint32_t replay,
                    OperationId operation) override;
  void withdraw_interest(std::string_view filter) override;
  store::RetainedWalk read_retained(const store::RetainedQuery& query,
                                    FunctionRef<bool(const MessageView&)> visit) override;
  void join_group(session::Session& session, const session::Membership& membership,
                  OperationId operation) override;
  void leave_group(session::Session& session, const session::Membership& membership) override;
  void update_group(session::Session& session, const session::Membership& membership) override;
  void hand_back(session::Session& session, const session::Membership& membership,
                 MessagePtr message, std::uint64_t sequence) override;
  [[nodiscard]] bool may_hand_back(session::Session& session, std::size_t bytes) override;
  void group_acknowledged(session::Session& session,
                          const session::Membership& membership) override;
  [[nodiscard]] bool is_home(std::string_view client_id) const noexcept override;
  void move_home(session::Connection& connection, std::string_view client_id) override;
  [[nodiscard]] session::Session* find_session(std::string_view client_id) override;
  [[nodiscard]] session::Session& create_session(std::string_view client_id) override;
  void forget_session(session::Session& session) override;
  void forget_connection(session::Connection& connection) override;
  [[nodiscard]] bool may_linger() const noexcept override;
  [[nodiscard]] bool take_kept_session() noexcept override { return common_.kept_sessions.take(); }
  void give_back_kept_session() noexcept override { common_.kept_sessions.give_back(); }
  void force_kept_session() noexcept override { common_.kept_sessions.force(); }

 private:
  friend class Group;

  enum class Stop : std::uint8_t {
    running,
    saying,   // Wills are published, acknowledgements are awaited
    closing,  // the connections are being closed
    done,
  };
  struct Move {
    session::ConnectionPtr connection;
    ShardId home;
  };
  /// What the publication that is being delivered sends to the store from this shard, and who is
  /// told what became of it.
  struct Saving {
    store::Request request;
    std::vector<OutgoingSave> saves;
    MessagePtr retained;
    /// Given up before the request has left: too large for the client, or dropped.
    std::vector<std::pair<store::EraseOutgoing, store::Place>> erased;

    [[nodiscard]] bool empty() const noexcept {
      return request.outgoing.empty() && request.changes.empty();
    }
  };

  void assert_owner() const noexcept;
  [[nodiscard]] const Config& config() const noexcept { return services_.config(); }
  void post(ShardId shard, Letter letter, std::size_t bytes = 0);
  void post_outgoing();
  void serve(std::unique_ptr<net::Link> link, session::Arrival arrival);
  [[nodiscard]] bool alone() const noexcept { return shards_ == 1; }

  // Letters
  void on(PublishLetter letter);
  void on(const AnswerLetter& letter);
  void on(const StoreLetter& letter);
  void on(const InterestLetter& letter);
  void on(OverlayRequestLetter letter);
  void on(OverlayLetter letter);
  void on(LinkLetter letter);
  void on(GroupJoinLetter letter);
  void on(const GroupLeaveLetter& letter);
  void on(const GroupUpdateLetter& letter);
  void on(GroupDeliverLetter letter);
  void on(const GroupBackLetter& letter);
  void on(const GroupAcknowledgedLetter& letter);
  void on(const RoomLetter& letter);
  void on(VerdictLetter letter);
  void on(SettingsLetter letter);
  void on(const PressureLetter&) {}
  void on(InquiryLetter letter);
  void on(const ObserverLetter& letter);
  void on(const CountersRequestLetter& letter);
  void on(const CountersLetter& letter);
  void on(const RollCallLetter& letter);
  void on(const StopLetter& letter);
  void on(const StoppedLetter& letter);

  // Publishing
  [[nodiscard]] bool has_room(router::ShardMask shards, std::size_t bytes);
  [[nodiscard]] ShardId retained_home(std::string_view topic) const noexcept;
  void deliver(const router::Route& route, Publication& publication,
               router::Delivering& delivering);
  void send_publish(router::ShardMask shards, const router::Route& route, Publication& publication,
                    const router::Delivering& delivering);
  session::Published finish_publish(const session::PublishWaiter& waiter,
                                    const router::Delivering& delivering, bool sent);
  void save_received(const session::PublishWaiter& waiter);
  void retain(Publication& publication);
  [[nodiscard]] bool concerns_store(const MessageView& message, const router::Route& route,
                                    const session::PublishWaiter& waiter) const;
  void publish_parked();

  // What goes to the store: shard_store.cpp
  void submit(store::Request request);
  void submit(Saving& saving);
  void begin_saving();
  void submit_saving(const Publication& publication, router::Delivering& delivering);
  session::Published submit_alone(const Publication& publication,
                                  const session::PublishWaiter& waiter,
                                  const router::Delivering& delivering);
  void give_up_saving();
  void submit_offered(const Publication& publication, const ReturnAddress& lender);
  void settle(const Operation& operation, session::Saved saved);
  void on_answer(const store::Answer& answer);
  void on_accepted(OperationId id);

  // Operations
  OperationId open(Operation::Kind kind);
  /// The operation of the publication that is being delivered; opened when first needed.
  OperationId current_operation();
  void add_part(OperationId operation);
  void arrive(OperationId operation, const AnswerLetter& answer);
  /// Ends the operation if nothing is missing any more; then its reason.
  std::optional<ReasonCode> complete(OperationId operation, bool tell);
  bool seal_unit(OperationId id, Operation& operation);
  void tell(OperationId id, Operation& operation);
  void reply(const ReturnAddress& address, AnswerLetter answer);

  // Interest
  void confirm_interest(OperationId operation);
  [[nodiscard]] bool ask_questions(OperationId operation);
  void answer_questions(const OverlayRequestLetter& letter, std::span<const SysTopic> topics);

  // Shared groups
  [[nodiscard]] Group* find_group(const GroupName& name);
  Group& group(const GroupName& name, OperationId operation);
  void join(const GroupName& name, router::ShareMember member, OperationId operation);
  void leave(const GroupName& name, std::string_view client_id);
  void choose_member(Group& group, Publication& publication, router::Delivering& delivering);
  void choose_another(const GroupBackLetter& letter);
  [[nodiscard]] bool deliver_to_member(const GroupName& name, std::string_view client_id,
                                       Publication& publication, router::Delivering& delivering);
  [[nodiscard]] bool counts_acknowledgements(std::string_view group) const noexcept;
  [[nodiscard]] ShardId home_of_group(const GroupName& name) const noexcept;
  [[nodiscard]] bool is_acknowledged(Qos published, const router::ShareMember& member) const;

  // $SYS, on shard 0
  [[nodiscard]] bool asks_for_sys(std::string_view filter) const noexcept;
  void count_sys_filter(std::string_view filter, int change);
  void gather_counters();
  void on_counters_complete();
  void on_sys_timer();
  void arm_sys_timer();
  void update_sys_timer();
  [[nodiscard]] Counters counters_now() const noexcept;

  // Reload: shard_settings.cpp
  void begin_review();
  void review_some();

  // Memory: shard_pressure.cpp
  void look_at_memory();
  void on_pressure(Pressure level);
  void tell_of_pressure(Pressure level);
  void relieve(bool all);
  void arm_pressure_timer();
  void on_pressure_timer();
  void limit_caches(bool is_short);
  void on_calm();
  void spill_some();

  // The administrator: shard_inquiry.cpp
  void kick(const Question& question, Findings& found);
  void describe(const Question& question, Findings& found);
  [[nodiscard]] bool inquires() const noexcept;
  void answer_some();
  [[nodiscard]] bool look_at_some(PendingInquiry& one, std::size_t looks);
  [[nodiscard]] bool erase_some(PendingInquiry& one);
  void on_erased(OperationId operation, ReasonCode reason);
  void erase_again();

  // Stopping
  void check_stop();
  void close_connections();
  void on_stop_timer();

  // Constant after construction
  const ShardId id_;
  const ShardId shards_;
  const Common common_;
  store::Store& store_;
  std::thread::id owner_;

  // Owned by this shard
  TimerWheel timers_;
  net::LinkCounters link_counters_;
  net::Reactor reactor_;
  router::Router router_;
  Operations operations_;
  session::WireForms forms_;
  Random random_;
  LogLimiter log_limiter_;
  LogLimiter denial_limiter_;
  auth::Gate gate_;
  Counters counters_;
  session::Services services_;
  boost::unordered_flat_set<session::SessionPtr, ClientIdHash, ClientIdEqual> sessions_;
  std::vector<session::Connection*> connections_;  // each knows its index
  std::vector<std::vector<Letter>> outgoing_;      // by shard: posted at the end of the turn
  std::vector<std::vector<Letter>> answers_;
  std::vector<std::size_t> outgoing_bytes_;
  bool has_outgoing_ = false;
  std::map<std::string, std::unique_ptr<Group>, std::less<>> groups_;
  RetainedOverlay overlay_;

  // Of the turn
  std::vector<Move> moves_;
  std::vector<session::ConnectionPtr> parked_;
  std::vector<MessagePtr> later_;
  std::vector<session::SessionPtr> pumps_;
  std::vector<session::SessionPtr> pumps_with_room_;
  Saving saving_;
  bool publishing_ = false;
  bool saving_open_ = false;
  bool submitted_ = false;           // something has gone to the store in this turn
  bool room_ = false;                // parked ones may try again
  std::uint32_t without_place_ = 0;  // connections that are refused at their CONNECT
  OperationId current_ = 0;
  std::uint64_t last_unit_ = 0;

  // What has still to be looked at under new settings, or for a client that has come back
  std::deque<session::SessionPtr> reviewed_members_;   // from the front, before all others
  std::deque<session::SessionPtr> reviewed_sessions_;  // from the front
  std::vector<session::ConnectionPtr> reviewed_connections_;
  std::vector<ReloadProgressPtr> reloads_;

  // Memory
  Pressure pressure_ = Pressure::none;        // what was last acted upon
  std::vector<session::ConnectionPtr> held_;  // not read for it, oldest first
  Timer pressure_timer_;
  Timer calm_timer_;  // the pressure is over, but the caches are still short
  bool caches_are_short_ = true;
  bool spilling_ = false;             // the sessions are looked at, some in each turn ...
  session::SessionPtr last_spilled_;  // ... behind this one
  LogLimiter pressure_limiter_;

  // $SYS
  SysTopics sys_topics_;
  Timer sys_timer_;
  std::uint32_t sys_filters_ = 0;
  std::uint32_t counters_missing_ = 0;
  Counters counters_sum_;
  bool sys_publish_due_ = false;
  std::vector<OverlayRequestLetter> sys_questions_;  // wait for the counters of all shards

  // The administrator
  std::deque<PendingInquiry> inquiries_;
  Observers observers_;

  // Stopping
  Stop stop_ = Stop::running;
  Timer stop_timer_;
  std::uint32_t stopped_others_ = 0;
};

}  // namespace linnet::shard

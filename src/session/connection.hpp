// One client's connection: MQTT on a link, from the first byte to the last. It finds the packets,
// speaks CONNECT, and drives the session; what must outlive the link is in the session.
//
// One file per verb: on_connect.cpp, on_auth.cpp, on_publish.cpp, on_subscribe.cpp, on_ack.cpp,
// on_disconnect.cpp; connection_send.cpp holds what goes out; connection_rates.cpp slows down who
// sends too much, connection_pressure.cpp while memory is short. One shard's thread only.
#pragma once

#include <memory>
#include <string>

#include "auth/gate.hpp"
#include "auth/spending.hpp"
#include "base/ref_counted.hpp"
#include "base/timer_wheel.hpp"
#include "mqtt/decode.hpp"
#include "mqtt/encode.hpp"
#include "net/link.hpp"
#include "session/ack_queue.hpp"
#include "session/login.hpp"
#include "session/services.hpp"
#include "session/session.hpp"
#include "session/topic_aliases.hpp"

namespace linnet::session {

/// One copy of a message for one client.
struct OutgoingCopy {
  const MessageView* message = nullptr;
  /// The kept message behind the view; needed if the payload is large, so that it can be shared.
  MessagePtr owner;
  std::span<const std::uint32_t> subscription_ids;
  PacketId packet_id = 0;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  bool dup = false;
};

/// A CONNACK that waits to be sent, with the strings that it refers to.
struct PendingConnack {
  mqtt::Connack packet;
  std::string assigned_id;
  std::string response_information;
  std::string authentication_data;
  bool concerns_store = false;  // it creates, resumes or discards a kept session
};

/// How a link comes to a shard.
struct Arrival {
  /// Of a client that another shard has let in already; else null.
  std::unique_ptr<Login> login;
  /// It has a place among limits.connections_max; one without is refused when it says CONNECT.
  bool has_place = true;
};

class Connection final : public net::LinkUser,
                         public auth::Applicant,
                         public RefCounted<Connection> {
 public:
  Connection(net::Link& link, Services& services, Arrival arrival);
  ~Connection();

  // From the link
  std::size_t on_bytes(std::string_view bytes) override;
  void on_drained() override;
  void on_closed(std::error_code reason) override;
  void on_refused(std::string_view fault) override;

  // From the gate
  void on_admission(auth::Admission admission) override;

  // From the shard

  /// Goes on where another shard has left off with the client's CONNECT.
  void go_on_connecting();

  /// An operation that this connection waits for has ended.
  void on_done(OperationId operation, ReasonCode reason);
  /// There is room for the message that it was parked with.
  void on_room();
  /// What Peers::hold() asked for: memory is there again, or its turn has come to try.
  void on_relief();
  /// The broker stops: v5 clients are told (0x8B), and the link is closed when all is sent.
  void shut_down();
  /// Nothing more is read: the broker is about to stop.
  void stop_reading();
  /// Takes the link away, to move it to another shard; the connection ends here.
  [[nodiscard]] std::unique_ptr<net::Link> give_link();
  [[nodiscard]] std::unique_ptr<Login> give_login() noexcept { return std::move(login_); }
  /// The users, or what they may do, have changed: ends the connection of a user that there is none
  /// of any more, and asks again of an anonymous one.
  void review();
  /// An administrator ends it: v5 clients are told (0x98), and its Will is due.
  void kick();
  void add_facts(SessionFacts& facts) const;
  [[nodiscard]] std::uint64_t outbox_bytes() const noexcept;
  [[nodiscard]] bool moved() const noexcept { return moved_; }
  /// Where its shard finds it; the shard's alone.
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
  void set_index(std::uint32_t index) noexcept { index_ = index; }
  [[nodiscard]] bool has_place() const noexcept { return has_place_; }
  [[nodiscard]] Session* session() const noexcept { return session_.get(); }

  // From the session

  [[nodiscard]] Version version() const noexcept { return version_; }
  [[nodiscard]] bool closed() const noexcept { return state_ == State::closed; }
  /// How many unacknowledged messages the client takes (MQTT 5.0, section 4.9).
  [[nodiscard]] std::uint32_t send_quota() const noexcept { return send_quota_; }
  /// Whether the outbox takes more; if not, Session::pump() is called when it has been sent.
  [[nodiscard]] bool has_outbox_room();

  enum class Sent : std::uint8_t { sent, too_large, no_room };
  /// Puts a PUBLISH into the outbox. `dropped` is reported and set to 0 where the client can be
  /// told.
  [[nodiscard]] Sent send(const OutgoingCopy& copy, std::uint32_t& dropped);
  void send_ack(mqtt::PacketType type, PacketId packet_id, ReasonCode reason);
  /// Another connection has taken the session over (0x8E).
  void take_over();
  /// "client "id" (192.0.2.7:51234) of user "name"", for logs.
  [[nodiscard]] std::string name() const;

 private:
  enum class State : std::uint8_t {
    greeting,        // CONNECT is awaited
    verifying,       // CONNECT is here; nothing is read until the gate has decided
    authenticating,  // CONNECT is here; AUTH is awaited
    moving,          // CONNECT is here; the link goes to another shard
    open,            // CONNACK is owed or sent
    refusing,        // an MQTT 3 message was refused: nothing is read until the link is closed
    closed,
  };

  /// What to do with the frame that was looked at.
  enum class Frame : std::uint8_t { taken, left };

  Frame on_frame(const mqtt::Frame& frame);
  Frame on_connected_frame(const mqtt::Frame& frame);
  Frame on_exchange_frame(const mqtt::Frame& frame);
  void on_pingreq(const mqtt::Frame& frame);

  // on_connect.cpp
  Frame on_connect(const mqtt::Frame& frame);
  [[nodiscard]] bool accept_connect(mqtt::Connect& connect);
  [[nodiscard]] bool accept_client_id(mqtt::Connect& connect);
  [[nodiscard]] bool accept_will(const mqtt::Connect& connect);
  [[nodiscard]] bool may_publish_will(const mqtt::Connect& connect);
  void log_in(const mqtt::Connect& connect);
  void take_admission(auth::Admission admission);
  void enter(mqtt::Connect& connect, std::string_view packet);
  void take_terms(const mqtt::Connect& connect);
  [[nodiscard]] bool take_over_session(Session*& session, std::string_view client_id);
  bool join_session(const mqtt::Connect& connect, std::uint32_t expiry_s);
  [[nodiscard]] bool accept_address(const Session* session);
  [[nodiscard]] bool accept_user(const Session* session, const auth::AccountPtr& account,
                                 auth::Place& place);
  [[nodiscard]] bool accept_kept_session(const Session* session, bool clean_start,
                                         const auth::AccountPtr& account, auth::Place& place);
  [[nodiscard]] std::uint32_t expiry_of(const mqtt::Connect& connect) const noexcept;
  void answer_connect(const mqtt::Connect& connect);
  /// With a `fault`, that is what the log says instead of what the client is told.
  void refuse_connect(ReasonCode reason, std::string_view text, std::string_view fault = {});

  // on_auth.cpp
  void begin_exchange(const mqtt::Connect& connect);
  void begin_exchange_again(const mqtt::Auth& auth);
  void step(std::string_view data);
  void finish_exchange(const auth::ScramServer::Step& step);
  void send_auth(ReasonCode reason, std::string_view data);
  void on_auth(const mqtt::Frame& frame);
  void fail_exchange(const auth::ScramServer::Step& step);

  // connection_rates.cpp
  enum class Pace : std::uint8_t { go_on, refused, ended };
  [[nodiscard]] Pace pace_publish(const mqtt::Publish& publish, std::size_t bytes);
  [[nodiscard]] bool pace_subscribe(std::uint32_t filters);
  void slow_down(std::uint64_t wait_ms);
  void note_rates();

  // connection_pressure.cpp
  [[nodiscard]] bool pauses_for_breath(std::size_t shown);
  void feel_pressure(std::size_t used, std::size_t unread);
  [[nodiscard]] bool refused_for_memory();

  // on_publish.cpp
  Frame on_publish(const mqtt::Frame& frame);
  [[nodiscard]] bool resolve_topic(mqtt::Publish& publish);
  [[nodiscard]] bool allowed(const mqtt::Publish& publish);
  [[nodiscard]] ReasonCode judge(const mqtt::Publish& publish);
  [[nodiscard]] ReasonCode judge_and_tell(const mqtt::Publish& publish);
  Frame publish_qos2(const mqtt::Publish& publish);
  [[nodiscard]] Published publish_now(const mqtt::Publish& publish, const PublishWaiter& waiter);
  Frame wait_for_room();
  void owe_published(mqtt::PacketType type, PacketId packet_id, const Published& published);
  void repeat_pubrec(PacketId packet_id, OperationId operation);

  // watch.cpp
  void tell_received(const mqtt::Publish& publish, ReasonCode reason);
  void tell_sent(const OutgoingCopy& copy) const;
  void tell_of_packet(Step step, PacketId packet_id, std::string_view why) const;

  // on_ack.cpp
  void on_puback(const mqtt::Frame& frame);
  void on_pubrec(const mqtt::Frame& frame);
  void on_pubrel(const mqtt::Frame& frame);
  void on_pubcomp(const mqtt::Frame& frame);

  // on_subscribe.cpp
  void on_subscribe(const mqtt::Frame& frame);
  [[nodiscard]] ReasonCode subscribe_one(const mqtt::TopicFilter& filter, std::uint32_t id,
                                         OperationId operation);
  void on_unsubscribe(const mqtt::Frame& frame);
  void owe_list(mqtt::PacketType type, PacketId packet_id, std::vector<ReasonCode> reasons,
                OperationId operation);

  // on_disconnect.cpp
  void on_disconnect(const mqtt::Frame& frame);

  // connection_send.cpp
  void owe(OwedAck ack);
  void flush_acks();
  void write_ack(const OwedAck& ack);
  void write_pingresp();
  void write_connack(const OwedAck& ack);
  void write_list(const OwedAck& ack);
  void send_bytes(std::string_view bytes);
  /// Whether the client takes a packet of this size.
  [[nodiscard]] bool fits(std::size_t size) const noexcept {
    return packet_size_max_ == 0 || size <= packet_size_max_;
  }
  void fail_too_small();
  void send_disconnect(ReasonCode reason, std::string_view text);
  void write_publish(const OutgoingCopy& copy, const mqtt::OutgoingPublish& publish,
                     const mqtt::PublishLayout& layout);
  void write_form(const OutgoingCopy& copy, const WireForms::Form& form);
  void count_publish(const OutgoingCopy& copy);

  /// Ends the connection for the client's fault: log line, CONNACK or DISCONNECT, close.
  void fail(const ProtocolError& error);
  /// An MQTT 3 client can't be told of a refusal: its link is not read and then closed.
  void refuse_silently();
  void finish(net::CloseMode mode, Farewell farewell);
  void log_fault(std::string_view text);
  void log_denial(std::string_view what, std::string_view topic, const auth::Decision& decision);
  [[nodiscard]] std::uint64_t keep_alive_due_ms() const noexcept;
  void arm_keep_alive();
  void on_timer();
  void on_greeting_timeout();
  [[nodiscard]] std::uint64_t left_to_expiry_ms() const noexcept;
  [[nodiscard]] const char* no_longer_welcome(const auth::Identity* identity) const;
  void update_reading();
  [[nodiscard]] bool answers_blocked();

  std::uint32_t packet_size_max_ = 0;  // the client's; 0: no limit; here it fits in

  // Constant after construction
  Services& services_;

  // Owned by the shard
  net::Link* link_;
  SessionPtr session_;
  AckQueue acks_;
  std::unique_ptr<IncomingAliases> aliases_;
  std::unique_ptr<OutgoingAliases> outgoing_aliases_;
  std::unique_ptr<PendingConnack> connack_;
  std::unique_ptr<Login> login_;              // until the client is in its session
  auth::AccountPtr address_;                  // where connections of an address are limited
  std::unique_ptr<auth::Spending> spending_;  // where rates are limited
  Timer timer_;
  std::uint64_t last_heard_ms_;
  std::uint32_t heard_bytes_ = 0;  // in the second heard_in_; counted only under pressure
  std::uint32_t heard_in_ = 0;
  // What CONNACK has told the client: it may rely on that, whatever a reload changes. MQTT 3 has no
  // words for it; what held when the client came holds for it, too
  std::uint32_t told_packet_size_max_ = 0;
  std::uint16_t told_receive_maximum_ = 0;
  std::uint16_t told_topic_alias_max_ = 0;
  std::uint16_t unconfirmed_subscribes_ = 0;
  std::uint16_t send_quota_ = 0;
  std::uint16_t keep_alive_s_ = 0;
  std::uint16_t received_ = 0;  // QoS 1 and 2 messages of the client that are not acknowledged
  std::uint32_t index_ = 0;     // see index()
  Version version_ = Version::v3_1_1;
  State state_ = State::greeting;
  Qos told_qos_max_ : 2 = Qos::exactly_once;  // as told_receive_maximum_
  bool slowed_ : 1 = false;       // nothing is read until the timer says so: it has sent too much
  bool refuse_next_ : 1 = false;  // it has waited long enough
  bool told_retain_available_ : 1 = true;  // the same
  bool paced_ : 1 = false;                 // the message that waits for room has been paid for
  bool problem_information_ : 1 = true;
  bool parked_ : 1 = false;  // the next frame waits for room
  bool held_ : 1 = false;    // nothing is read for a while: memory is short
  bool reading_ : 1 = true;
  bool stopping_ : 1 = false;
  bool has_place_ : 1;
  bool moved_ : 1 = false;
};

static_assert(sizeof(void*) != 8 || sizeof(Connection) <= 184);

using ConnectionPtr = boost::intrusive_ptr<Connection>;

}  // namespace linnet::session

// A client's side of MQTT, without any wire: bytes and time go in, bytes and events come out. It
// outlives connections: what is not acknowledged when one is lost is sent again on the next.
// MQTT 3.1, 3.1.1 and 5.0; what the server sends is as hostile as what anybody sends. Times are
// nanoseconds of the monotonic clock. One thread.
//
//   Session session(options, user);
//   session.subscribe({{.filter = "a/#"}});             // as soon as there is a connection
//   session.begin(now);                                 // there is one: says CONNECT
//   taken = session.on_bytes(bytes, now);               // whole packets off their head
//   write(session.output());                            // what is to be sent; the caller erases it
//   session.on_lost();                                  // the connection has gone
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mqtt/decode_client.hpp"
#include "mqtt/packet.hpp"

namespace linnet::client {

/// A message to be sent. Properties are in their wire form (mqtt/property_writer.hpp), without a
/// Topic Alias.
struct Message {
  std::string topic;
  std::string payload;
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::string properties{};
  /// In MQTT 5 the topic is sent once on each connection, and then this number instead of it; 0:
  /// always the topic.
  std::uint16_t topic_alias = 0;
};

struct Subscription {
  std::string filter;
  mqtt::SubscriptionOptions options{};
};

struct SessionOptions {
  Version version = Version::v5;
  std::string client_id;
  bool clean_start = true;
  std::uint16_t keep_alive_s = 60;  // 0: none
  std::optional<std::string> user_name{};
  std::optional<std::string> password{};
  std::optional<Message> will{};
  /// How many messages of ours are under way at most; the server may want fewer.
  std::uint16_t inflight_max = 20;
  /// Properties of each packet in their wire form. What CONNECT says is obeyed: Receive Maximum,
  /// Maximum Packet Size, Topic Alias Maximum, Session Expiry Interval.
  std::string connect_properties{};
  std::string subscribe_properties{};
  std::string unsubscribe_properties{};
  std::string disconnect_properties{};
};

/// What has become of a message, a SUBSCRIBE or an UNSUBSCRIBE.
struct Outcome {
  ReasonCode reason = ReasonCode::success;
  std::string_view text{};  // the server's Reason String, or our own words; may be empty
};

/// Why a session must give its connection up, or has been told to.
struct Fault {
  std::string text;       // "has ended the connection: ..."; goes on from the broker's URL
  bool is_final = false;  // another connection would end the same way
  ReasonCode reason = ReasonCode::unspecified_error;
};

enum class Direction : std::uint8_t { sent, received };

/// Who is told what happens. From within these calls the user may call publish(), subscribe(),
/// unsubscribe() and end().
class SessionUser {
 public:
  virtual void on_connected(const mqtt::Connack&) {}
  /// Its topic is there, whether or not an alias has named it. It is acknowledged after the call.
  virtual void on_message(const mqtt::ReceivedPublish&) {}
  /// One answer for each subscription.
  virtual void on_subscribed(std::span<const Subscription>, std::span<const Outcome>) {}
  virtual void on_unsubscribed(std::span<const std::string>, std::span<const Outcome>) {}
  /// The message of this number has been sent (QoS 0), is acknowledged, or was refused: by the
  /// server, or because of what the server has said that it takes.
  virtual void on_published(std::uint64_t, const Outcome&) {}
  /// Every packet, for people who look for a fault.
  virtual void on_packet(Direction, mqtt::PacketType, std::size_t) {}

 protected:
  ~SessionUser() = default;
};

class Session {
 public:
  Session(SessionOptions options, SessionUser& user);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// There is a connection: CONNECT is in the output.
  void begin(std::uint64_t now_ns);
  /// Says how many bytes of whole packets it has taken off the head. Look at fault() then.
  [[nodiscard]] std::size_t on_bytes(std::string_view bytes, std::uint64_t now_ns);
  /// Keeps the connection alive. Returns when to call it next, or earlier.
  [[nodiscard]] std::uint64_t on_time(std::uint64_t now_ns);
  /// The wire has taken bytes: so there is somebody, even if nothing can be answered yet.
  void note_alive(std::uint64_t now_ns) noexcept { received_ns_ = now_ns; }
  /// The connection has gone.
  void on_lost();

  /// What is to be sent; its owner is the session, and whoever sends erases it.
  [[nodiscard]] std::string& output() noexcept { return output_; }
  /// Why the connection has to be closed, after the output has been sent as far as it goes.
  [[nodiscard]] const std::optional<Fault>& fault() const noexcept { return fault_; }

  /// Sent when there is a connection, and again whenever the server has forgotten.
  void subscribe(std::vector<Subscription> subscriptions);
  /// Sent once.
  void unsubscribe(std::vector<std::string> filters);
  /// Its topic has at most 65,535 bytes, and its properties are valid. Returns its number; numbers
  /// begin with 1.
  std::uint64_t publish(Message message);
  /// Whether more messages may come; else much waits already.
  [[nodiscard]] bool wants_messages() const noexcept;
  /// Messages that wait or are under way.
  [[nodiscard]] std::size_t unanswered() const noexcept {
    return waiting_.size() + flights_.size();
  }

  /// Says DISCONNECT; nothing more is sent or heard on this connection. From within on_message():
  /// as soon as that message is acknowledged.
  void end(ReasonCode reason = ReasonCode::success);

  [[nodiscard]] bool is_open() const noexcept { return stage_ == Stage::open; }
  [[nodiscard]] bool has_ended() const noexcept { return stage_ == Stage::ended; }
  [[nodiscard]] const SessionOptions& options() const noexcept { return options_; }
  /// What we say that the server may send.
  [[nodiscard]] std::size_t packet_size_max() const noexcept { return limits_.packet_size_max; }

 private:
  enum class Stage : std::uint8_t { closed, opening, open, ended };
  /// What the CONNECT's properties say.
  struct Limits {
    std::size_t packet_size_max;
    std::uint32_t session_expiry_s = 0;
    std::uint16_t receive_max = 65'535;
    std::uint16_t topic_alias_max = 0;
  };
  /// What the CONNACK says.
  struct Server {
    std::size_t packet_size_max;
    std::uint16_t receive_max = 65'535;
    std::uint16_t topic_alias_max = 0;
    std::uint16_t keep_alive_s = 0;
    Qos qos_max = Qos::exactly_once;
    bool retain_available = true;
  };
  struct Waiting {
    std::uint64_t number = 0;
    Message message;
  };
  /// A message of QoS 1 or 2 that the server has not answered yet.
  struct Flight {
    mqtt::PacketId packet_id = 0;
    bool released = false;  // PUBREC has come: the message itself is not sent again
    Message message;        // empty once it is released
  };
  struct Asked {
    std::vector<Subscription> subscriptions;  // of a SUBSCRIBE
    std::vector<std::string> filters;         // of an UNSUBSCRIBE
  };

  void refuse(ReasonCode reason, std::string text);
  void refuse_packet(mqtt::PacketType type, const ProtocolError& error);
  void on_frame(const mqtt::Frame& frame);
  void on_connack(const mqtt::Frame& frame);
  void take_connack(const mqtt::Connack& connack);
  void on_publish(const mqtt::Frame& frame);
  [[nodiscard]] bool resolve_alias(mqtt::ReceivedPublish& publish);
  [[nodiscard]] bool note_received(const mqtt::ReceivedPublish& publish);
  void on_pubrel(const mqtt::Frame& frame);
  void on_ack(const mqtt::Frame& frame);
  void on_pubrec(const mqtt::Ack& ack);
  void finish(std::uint64_t number, const Outcome& outcome);
  void on_suback(const mqtt::Frame& frame);
  void on_disconnect(const mqtt::Frame& frame);

  void send_waiting();
  [[nodiscard]] bool has_room_for(const Message& message) const noexcept;
  [[nodiscard]] Outcome check(const Message& message) const;
  void send_publish(const Message& message, mqtt::PacketId packet_id, bool dup);
  void send_ack(mqtt::PacketType type, const mqtt::Ack& ack);
  void send_subscribe(std::vector<Subscription> subscriptions);
  void send_unsubscribe(std::vector<std::string> filters);
  void resend(bool session_present);
  [[nodiscard]] mqtt::PacketId next_packet_id();
  /// Tells the user about what has been appended to the output since.
  void note_sent(mqtt::PacketType type, std::size_t output_before);

  SessionOptions options_;
  SessionUser& user_;
  Limits limits_;

  Stage stage_ = Stage::closed;
  Server server_;
  std::string output_;
  std::optional<Fault> fault_;
  bool was_connected_ = false;  // ever
  bool is_resuming_ = false;    // nothing new is sent
  std::uint64_t now_ns_ = 0;
  std::uint64_t sent_ns_ = 0;      // the last packet
  std::uint64_t received_ns_ = 0;  // the last bytes
  std::uint64_t pinged_ns_ = 0;    // 0: no PINGREQ waits for its answer

  bool in_message_ = false;
  std::optional<ReasonCode> end_after_;  // the message has been acknowledged

  std::vector<Subscription> subscriptions_;
  std::deque<std::vector<std::string>> unsubscribes_;  // not sent yet
  std::unordered_map<mqtt::PacketId, Asked> asked_;

  std::uint64_t last_number_ = 0;
  mqtt::PacketId last_packet_id_ = 0;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::map<std::uint64_t, Flight> flights_;  // by number: in the order in which they were sent
  std::unordered_map<mqtt::PacketId, std::uint64_t> flight_of_;
  std::size_t flight_bytes_ = 0;
  std::vector<std::string> sent_aliases_;  // topic by alias, of this connection

  std::vector<bool> received_;  // QoS 2 identifiers between PUBLISH and PUBREL; empty: none yet
  std::size_t received_count_ = 0;
  std::vector<std::string> aliases_;  // topic by alias, of this connection
  std::size_t alias_bytes_ = 0;
};

/// "Not authorized (0x87)".
[[nodiscard]] std::string reason_text(ReasonCode reason);
/// The same, with what the server says about it: "Quota exceeded (0x97): slow down".
[[nodiscard]] std::string reason_text(const Outcome& outcome);

}  // namespace linnet::client

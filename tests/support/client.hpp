// One client of the shard tests: it says what it does, and checks what it gets. See cluster.hpp.
//
// What comes from the broker waits in the inbox until the test asks for it. By itself a client
// answers PUBLISH, PUBREC and PUBREL as it must (not after manual()), replaces topic aliases by
// topics, and fails the test for packets that can't be read and for more than its Receive Maximum.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "support/fake_link.hpp"
#include "support/where.hpp"
#include "support/wire.hpp"

namespace linnet::test {

class Cluster;

inline constexpr SubscribeOptions qos0{.qos = 0};
inline constexpr SubscribeOptions qos1{.qos = 1};
inline constexpr SubscribeOptions qos2{.qos = 2};

class Client {
 public:
  using Where = test::Where;

  Client(Cluster& cluster, std::string_view client_id);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Before it connects
  Client& version(unsigned level);
  Client& v3() { return version(4); }
  Client& v5() { return version(5); }
  /// The shard that accepts its links.
  Client& at(std::uint32_t shard);
  /// Where its links come from: "192.0.2.7".
  Client& from(std::string_view address);
  /// The user name and password of its CONNECTs, unless their options have others.
  Client& logs_in_as(std::string_view user, std::string_view password);
  /// From now on it acknowledges only what the test says: acks(), sends_ack().
  Client& manual(bool manual = true);

  // Coming and going

  /// A new link, CONNECT, and a CONNACK that says yes.
  Client& connects(const ConnectOptions& options = {}, Where where = Where::current());
  /// A new link and CONNECT; nothing is expected.
  Client& sends_connect(const ConnectOptions& options = {}, Where where = Where::current());
  /// A new link, and nothing else.
  Client& opens(Where where = Where::current());
  /// The same, without letting the broker run.
  Client& dials(const ConnectOptions& options = {});
  /// CONNACK with this reason, and the end of the link. MQTT 3's return codes stand as they are.
  Client& is_refused(ReasonCode reason, Where where = Where::current());
  /// The wire is cut.
  Client& drops(Where where = Where::current());
  /// The same, without letting the broker run.
  void cuts();
  /// DISCONNECT, and the broker closes.
  Client& disconnects(ReasonCode reason = ReasonCode::success,
                      std::optional<std::uint32_t> expiry_s = {}, Where where = Where::current());
  Client& is_closed(Where where = Where::current());
  Client& is_open(Where where = Where::current());
  /// DISCONNECT with this reason, and the end of the link.
  Client& gets_disconnect(ReasonCode reason, Where where = Where::current());
  [[nodiscard]] const Packet& connack() const noexcept { return connack_; }
  [[nodiscard]] bool closed() const noexcept { return cable_ == nullptr || cable_->broker_closed; }

  // Enhanced authentication (MQTT 5.0, section 4.12): access.hpp has whole exchanges

  /// A new link and CONNECT with this method and data; nothing is expected.
  Client& authenticates(std::string_view method, std::string_view data,
                        const ConnectOptions& options = {}, Where where = Where::current());
  Client& sends_auth(ReasonCode reason, std::string_view method, std::string_view data,
                     Where where = Where::current());
  /// AUTH with this reason and method; returns its data.
  std::string gets_auth(ReasonCode reason, std::string_view method, Where where = Where::current());
  /// A CONNACK that says yes.
  Client& gets_in(Where where = Where::current());

  // Subscribing

  /// SUBSCRIBE, and a SUBACK that grants all.
  Client& subscribes(const std::string& filter, const SubscribeOptions& options = {},
                     Where where = Where::current());
  Client& unsubscribes(const std::string& filter, Where where = Where::current());
  /// Returns the packet identifier.
  std::uint16_t sends_subscribe(const std::vector<std::string>& filters,
                                const SubscribeOptions& options = {},
                                Where where = Where::current());
  std::uint16_t sends_unsubscribe(const std::vector<std::string>& filters,
                                  Where where = Where::current());
  Client& gets_suback(const std::vector<ReasonCode>& reasons, Where where = Where::current());

  // Publishing

  /// PUBLISH; above QoS 0 with all acknowledgements, which must not refuse it.
  Client& publishes(std::string_view topic, std::string_view payload,
                    const PublishOptions& options = {}, Where where = Where::current());
  /// PUBLISH alone. Returns the packet identifier.
  std::uint16_t sends_publish(std::string_view topic, std::string_view payload,
                              const PublishOptions& options = {}, Where where = Where::current());

  // Any packets

  Client& sends(std::string_view bytes, Where where = Where::current());
  Client& sends_hex(std::string_view hex, Where where = Where::current());
  Client& sends_ack(PacketType type, unsigned packet_id, ReasonCode reason = ReasonCode::success,
                    Where where = Where::current());
  /// PUBACK or PUBREC for a message that it has received.
  Client& acks(const Packet& message, Where where = Where::current());
  Client& pings(Where where = Where::current());
  /// Queues bytes without letting the broker run.
  Client& writes(std::string_view bytes);
  Client& writes_ack(PacketType type, unsigned packet_id);

  // Receiving

  /// The first PUBLISH of the inbox, which must be this one.
  Packet receives(std::string_view topic, std::string_view payload, Where where = Where::current());
  /// No PUBLISH is in the inbox.
  Client& receives_nothing(Where where = Where::current());
  /// The inbox is empty.
  Client& gets_nothing(Where where = Where::current());
  /// Takes the first packet of this type, and fails if there is none.
  Packet gets(PacketType type, Where where = Where::current());
  /// The first packet of this type has this identifier and reason.
  Client& gets_ack(PacketType type, unsigned packet_id, ReasonCode reason = ReasonCode::success,
                   Where where = Where::current());
  /// Takes the first packet, of whatever type.
  Packet next(Where where = Where::current());
  /// All that came on this link since the last gets_bytes(), byte for byte.
  Client& gets_hex(std::string_view hex, Where where = Where::current());
  [[nodiscard]] std::deque<Packet>& inbox() noexcept { return inbox_; }
  /// All PUBLISH packets of the inbox, taken out.
  std::vector<Packet> takes_messages();

  /// Does not read any more; the broker can send so many bytes that nobody reads.
  Client& stops_reading(std::size_t window_bytes = 0);
  Client& reads_again(Where where = Where::current());
  /// Whether the broker reads from this client now.
  [[nodiscard]] bool is_read() const noexcept;

  [[nodiscard]] const std::string& id() const noexcept { return client_id_; }
  [[nodiscard]] Version level() const noexcept { return version_; }
  [[nodiscard]] std::string dump() const;
  [[nodiscard]] Cable* cable() noexcept { return cable_; }

  // For Cluster

  /// Takes what has come, and answers it; true if there was something.
  bool read();

 private:
  void on_packet(Packet packet);
  void on_publish(Packet& packet);
  std::optional<Packet> take(PacketType type);
  std::optional<Packet> take(PacketType type, unsigned packet_id);
  void open();
  [[nodiscard]] std::string connect_bytes(ConnectOptions options);
  void settle(Where where);
  [[nodiscard]] std::uint16_t next_id();
  void fails(Where where, std::string_view text) const;

  Cluster& cluster_;
  std::string client_id_;
  Version version_ = Version::v5;
  std::optional<std::uint32_t> shard_;
  net::Endpoint address_;
  std::optional<std::string> user_name_;
  std::optional<std::string> password_;
  bool manual_ = false;
  bool reading_ = true;
  Cable* cable_ = nullptr;
  std::string partial_;  // of a packet that has not come whole
  std::string raw_;
  std::deque<Packet> inbox_;
  std::vector<std::string> seen_;  // of this link, for reports
  Packet connack_;
  std::map<std::uint32_t, std::string> aliases_;
  std::set<unsigned> unacknowledged_;
  std::size_t receive_maximum_ = 65'535;
  std::uint16_t last_id_ = 0;
};

}  // namespace linnet::test

// The configuration of a broker: a plain struct in which every field has its default, so that
// `Config{}` is a complete configuration. src/config fills it from TOML by one table of keys; that
// table, and not this file, is where the documentation of each key stands.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <linnet/types.hpp>

namespace linnet {

/// When an acknowledgement may leave.
enum class Durability : std::uint8_t { commit, interval, none };

/// What happens to a session's backlog when a message comes that it has no room for.
enum class BacklogPolicy : std::uint8_t { drop_oldest, drop_newest, reject };

/// How the member of a shared group that receives the next message is chosen.
enum class ShareStrategy : std::uint8_t {
  round_robin,
  random,
  sticky,
  least_inflight,
  hash_clientid,
  hash_topic,
  hash_property,
};

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };
enum class LogFormat : std::uint8_t { text, json };

/// The oldest version of TLS that is spoken.
enum class TlsVersion : std::uint8_t { v1_0, v1_1, v1_2, v1_3 };
/// Whether a client has to show a certificate, where client_ca is set.
enum class ClientCertificate : std::uint8_t { required, optional };
/// What of a client's certificate becomes its user name.
enum class CertificateName : std::uint8_t { cn, subject, san, none };

/// What a TLS listener shows and demands. All texts but the ciphers are paths of PEM files.
struct TlsConfig {
  std::vector<std::string> cert;  // with its chain each; SNI chooses among several
  std::vector<std::string> key;   // as many, in the same order
  std::string client_ca;          // who signs clients' certificates; empty: none is asked for
  ClientCertificate client_certificate = ClientCertificate::required;
  CertificateName identity = CertificateName::cn;
  std::string crl;       // certificates of clients that were revoked
  std::string psk_file;  // "identity:hexadecimal key" a line, as Mosquitto has it
  TlsVersion version_min = TlsVersion::v1_2;
  std::string ciphers;       // up to TLS 1.2, as OpenSSL names them; empty: safe ones
  std::string ciphersuites;  // of TLS 1.3
  bool session_tickets = true;
  bool ktls = true;         // where the kernel has it
  std::string ocsp_staple;  // a DER file: the first certificate's OCSP response

  friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

struct ListenerConfig {
  std::string url{};
  bool allow_anonymous = false;  // beyond loopback; on loopback anonymous clients may connect
  bool free_bind = false;        // the address may come later than the broker
  bool proxy_protocol = false;   // each connection begins with a PROXY header
  /// Networks whose PROXY header or X-Forwarded-For is believed.
  std::vector<std::string> trusted_proxies{};
  std::vector<std::string> origins{};  // of web pages that may connect by WebSocket
  bool deflate = false;                // permessage-deflate for WebSocket
  std::string mode{};                  // of a Unix socket, octal: "0660"
  std::string owner{};                 // a user's name or number; empty: ours
  std::string group{};
  TlsConfig tls{};
};

/// A rule for the shared groups whose name matches.
struct ShareGroupConfig {
  std::string group;  // a group's name, or "*" for all that no other rule names
  ShareStrategy strategy = ShareStrategy::round_robin;
  std::string property;  // for hash_property: the User Property whose value is hashed
};

/// Bounds; docs/limits.md says what happens at each. Bytes and seconds as the names say.
struct Limits {
  std::uint32_t packet_size_max = 1 << 20;
  std::chrono::milliseconds connect_timeout{10'000};
  std::uint32_t connections_max = 100'000;
  std::uint16_t keep_alive_max_s = 0;   // 0: as long as the client asks for
  std::uint16_t receive_maximum = 100;  // unacknowledged QoS 1 and 2 messages from one client
  std::uint16_t inflight_max = 100;     // the same towards one client
  Qos qos_max = Qos::exactly_once;
  bool retain_available = true;
  std::uint16_t topic_alias_max = 32;           // from a client
  std::uint16_t topic_alias_max_outgoing = 16;  // towards a client that allows them
  std::uint16_t topic_levels_max = 128;
  std::uint16_t topic_length_max = 65'535;

  std::uint32_t sessions_max = 100'000;                 // kept sessions, connected or not
  std::uint32_t session_expiry_max_s = 30 * 24 * 3600;  // also the life of MQTT 3 sessions
  std::uint32_t subscriptions_max = 10'000;             // per session

  std::uint32_t backlog_messages_max = 100'000;  // per kept session
  std::uint64_t backlog_bytes_max = 64 << 20;
  std::uint32_t transient_backlog_messages_max = 1'000;  // per session that ends with its link
  std::uint64_t transient_backlog_bytes_max = 1 << 20;
  BacklogPolicy backlog_policy = BacklogPolicy::drop_oldest;
  bool queue_qos0 = false;                   // keep QoS 0 messages for kept sessions that are away
  bool report_dropped = true;                // the linnet-dropped User Property
  std::uint32_t outbox_bytes_max = 4 << 20;  // per link

  std::uint64_t websocket_message_max = 16 << 20;  // at least a packet of packet_size_max fits

  std::uint32_t retained_messages_max = 1'000'000;
  std::uint64_t retained_bytes_max = std::uint64_t{1} << 30;

  std::uint32_t mailbox_messages_max = 16'384;  // letters with a PUBLISH that wait at a shard
  std::uint64_t mailbox_bytes_max = 16 << 20;

  /// How large the data file may become. A 32-bit process has no room for more.
  std::uint64_t store_size_max =
      sizeof(void*) > 4 ? std::uint64_t{16} << 30 : std::uint64_t{512} << 20;
  std::uint32_t store_queue_messages_max = 65'536;  // changes that wait for the store's writer
  std::uint64_t store_queue_bytes_max = 16 << 20;
  std::uint64_t commit_bytes_max = 4 << 20;  // what one transaction takes of them

  std::chrono::milliseconds refuse_timeout{10'000};
  std::chrono::milliseconds shutdown_timeout{5'000};
};

struct Config {
  std::string data_dir;       // empty: chosen at start, see docs/configuration.md
  std::uint32_t threads = 0;  // 0: the number of cores, at most 4
  bool persistence = true;
  Durability durability = Durability::commit;
  std::chrono::milliseconds durability_interval{1'000};
  bool check_payload_format = false;
  std::chrono::milliseconds sys_interval{10'000};

  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;

  /// Listeners use the sockets that systemd has passed to this process. For the program's own
  /// start, not for its file.
  bool socket_activation = false;
  bool allow_anonymous = false;           // what a listener without its own setting begins with
  TlsConfig tls;                          // the same
  std::vector<ListenerConfig> listeners;  // empty: mqtt and ws on loopback, see docs
  std::vector<ShareGroupConfig> share_groups;
  Limits limits;
};

}  // namespace linnet

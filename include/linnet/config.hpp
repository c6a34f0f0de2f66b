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
enum class RoomLogLevel : std::uint8_t { trace, debug, info, warn, error, off, as_all };

/// Of the parts of a broker, by the names that stand in the log's lines.
struct LogLevels {
  RoomLogLevel auth = RoomLogLevel::as_all;
  RoomLogLevel broker = RoomLogLevel::as_all;
  RoomLogLevel cli = RoomLogLevel::as_all;
  RoomLogLevel control = RoomLogLevel::as_all;
  RoomLogLevel memory = RoomLogLevel::as_all;
  RoomLogLevel net = RoomLogLevel::as_all;
  RoomLogLevel reload = RoomLogLevel::as_all;
  RoomLogLevel session = RoomLogLevel::as_all;
  RoomLogLevel shard = RoomLogLevel::as_all;
  RoomLogLevel store = RoomLogLevel::as_all;
  RoomLogLevel tls = RoomLogLevel::as_all;
  RoomLogLevel transport = RoomLogLevel::as_all;
};
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
  std::vector<std::string> allow{};    // networks that clients may come from; empty: all
  std::vector<std::string> deny{};     // networks that they must not come from
  std::string mode{};                  // of a Unix socket, octal: "0660"
  std::string owner{};                 // a user's name or number; empty: ours
  std::string group{};
  TlsConfig tls{};

  friend bool operator==(const ListenerConfig&, const ListenerConfig&) = default;
};

/// Tokens (RFC 7519) that clients show as their password.
struct JwtConfig {
  std::vector<std::string> keys;        // files: PEM public keys, a JWK Set, or shared secrets
  std::vector<std::string> algorithms;  // HS256, RS256, ES256, EdDSA; empty: what the keys can
  std::string issuer;                   // what `iss` must be; empty: anything
  std::string audience;                 // what `aud` must hold; empty: anything
  std::string user_claim = "sub";
  std::string groups_claim = "groups";
  std::string acl_claim = "acl";
  std::chrono::milliseconds leeway{30'000};  // by which clocks may differ

  friend bool operator==(const JwtConfig&, const JwtConfig&) = default;
};

/// A service that is asked who may connect.
struct HttpAuthConfig {
  std::string url;                 // http:// or https://; empty: nobody is asked
  std::string ca;                  // for https: whose certificates are trusted; empty: the system's
  std::string authorization_file;  // its first line becomes the Authorization header
  std::chrono::milliseconds timeout{5'000};
  std::chrono::milliseconds cache{60'000};  // how long a yes is remembered, without its own expiry

  friend bool operator==(const HttpAuthConfig&, const HttpAuthConfig&) = default;
};

/// What follows repeated wrong logins from one address.
struct BanConfig {
  std::uint32_t after = 10;  // wrong logins within `window`; 0: never
  std::chrono::milliseconds window{600'000};
  std::chrono::milliseconds time{60'000};  // of the first ban; each further one is twice as long
  std::chrono::milliseconds time_max{86'400'000};

  friend bool operator==(const BanConfig&, const BanConfig&) = default;
};

/// Who a process is that connects through a Unix socket.
struct UnixUserConfig {
  std::string uid;   // a name or number; empty: any
  std::string gid;   // the same, of a group that the process belongs to
  std::string user;  // the user name that it gets

  friend bool operator==(const UnixUserConfig&, const UnixUserConfig&) = default;
};

struct UserConfig {
  std::string name;
  std::vector<std::string> groups;
  std::vector<std::string> roles;

  friend bool operator==(const UserConfig&, const UserConfig&) = default;
};

struct GroupConfig {
  std::string name;
  std::vector<std::string> roles;

  friend bool operator==(const GroupConfig&, const GroupConfig&) = default;
};

enum class RuleEffect : std::uint8_t { allow, deny };
/// Whether a rule is about messages or subscriptions of a kind, of the others, or of both.
enum class RuleKind : std::uint8_t { any, only, never };

/// One rule of who may do what. It is about everybody if it names nobody, and about publishing and
/// subscribing to `topics`.
struct RuleConfig {
  RuleEffect effect = RuleEffect::allow;
  std::vector<std::string> users;  // "*": all that have a name; "$anonymous": all that have none
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  std::vector<std::string> clients;    // client identifiers
  std::vector<std::string> publish;    // topic filters
  std::vector<std::string> subscribe;  // the same
  std::vector<std::string> topics;     // for both
  RuleKind retain = RuleKind::any;     // when publishing
  RuleKind shared = RuleKind::any;     // when subscribing
  Qos qos_max = Qos::exactly_once;     // what is allowed; of no meaning to a denial
  std::string place;                   // "linnet.toml:12", for people

  friend bool operator==(const RuleConfig&, const RuleConfig&) = default;
};

/// Who may connect, and what they may do.
struct AuthConfig {
  /// The order in which the methods are tried; those that are not configured are left out.
  std::vector<std::string> order{"certificate", "psk", "unix", "password", "jwt", "http"};
  std::string password_file;
  std::string acl_file;
  std::uint32_t login_queue_max = 1'000;     // logins that wait to be verified
  std::uint32_t logins_remembered = 10'000;  // verified passwords that need no second look
  JwtConfig jwt;
  HttpAuthConfig http;
  BanConfig ban;
  std::vector<UnixUserConfig> unix_users;
  std::vector<UserConfig> users;
  std::vector<GroupConfig> groups;
  std::vector<RuleConfig> rules;

  friend bool operator==(const AuthConfig&, const AuthConfig&) = default;
};

/// What may come per second, on average; 0: any number.
struct RateLimits {
  std::uint32_t connections = 0;  // of no meaning to one client
  std::uint32_t publishes = 0;
  std::uint64_t bytes = 0;          // of PUBLISH packets
  std::uint32_t subscriptions = 0;  // filters

  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

struct Rates {
  RateLimits client;                           // each connection
  RateLimits user;                             // all connections of a user name together
  RateLimits address;                          // all connections from an address together
  std::chrono::milliseconds burst{2'000};      // what may be saved up, in time
  std::chrono::milliseconds patience{10'000};  // who would have to wait longer is refused

  friend bool operator==(const Rates&, const Rates&) = default;
};

/// A rule for the shared groups whose name matches.
struct ShareGroupConfig {
  std::string group;  // a group's name, or "*" for all that no other rule names
  ShareStrategy strategy = ShareStrategy::round_robin;
  std::string property;  // for hash_property: the User Property whose value is hashed

  friend bool operator==(const ShareGroupConfig&, const ShareGroupConfig&) = default;
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

  // 0: no limit but that of all together
  std::uint32_t connections_per_user_max = 0;
  std::uint32_t connections_per_address_max = 0;
  std::uint32_t half_open_max = 5'000;  // connections that have not yet sent CONNECT
  std::uint32_t half_open_per_address_max = 1'000;

  std::uint32_t sessions_max = 100'000;                 // kept sessions, connected or not
  std::uint32_t sessions_per_user_max = 0;              // the same of one user name; 0: no limit
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

  /// What the process may take of memory, in bytes; 0: half of what the machine or its control
  /// group has.
  std::uint64_t memory_max = 0;
  std::string user;         // whom to become after start as root; empty: stay who we are
  bool seccomp = false;     // no system calls but those that a broker needs
  bool core_dumps = false;  // a core dump holds keys and passwords

  LogLevel log_level = LogLevel::info;
  LogLevels log_levels;
  LogFormat log_format = LogFormat::text;

  /// Listeners use the sockets that systemd has passed to this process. For the program's own
  /// start, not for its file.
  bool socket_activation = false;
  bool allow_anonymous = false;           // what a listener without its own setting begins with
  TlsConfig tls;                          // the same
  std::vector<ListenerConfig> listeners;  // empty: mqtt and ws on loopback, see docs
  std::vector<ShareGroupConfig> share_groups;
  AuthConfig auth;
  Rates rates;
  Limits limits;
};

}  // namespace linnet

// What `linnet pub`, `linnet sub` and `linnet rr` are to do: as the command line says it, and with
// all that it leaves open filled in. Reads a password's file, and nothing else.
//
//   Options options;
//   options.topics = {"a/b"};
//   options.message = "hello";
//   std::string error;
//   const auto settings = resolve(Command::pub, options, error);   // nothing: `error` says why
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/client.hpp"
#include "client/target.hpp"
#include "pubsub/format.hpp"

namespace linnet::pubsub {

enum class Command : std::uint8_t { pub, sub, rr };

/// As the command line says it; names as Mosquitto's tools have them.
struct Options {
  // The broker
  std::string url;
  std::string host;
  std::optional<std::uint32_t> port;
  std::string unix_path;
  bool websocket = false;
  std::string bind;
  // Security
  std::string user;
  std::optional<std::string> password;
  std::string password_file;
  std::string cafile;
  std::string capath;
  bool os_certs = false;
  std::string cert;
  std::string key;
  bool insecure = false;
  std::string psk;
  std::string psk_identity;
  std::string ciphers;
  std::string tls_version;
  std::string alpn;
  // The session
  std::string id;
  std::string id_prefix;
  std::string version;
  std::uint32_t keep_alive_s = 60;
  bool keeps_session = false;
  std::string session_expiry;
  std::string will_topic;
  std::string will_payload;
  std::uint32_t will_qos = 0;
  bool will_retain = false;
  std::vector<std::string> properties;  // see properties.hpp
  // Messages
  std::vector<std::string> topics;
  std::uint32_t qos = 0;
  bool retain = false;
  std::optional<std::string> message;
  std::string file;
  bool null_message = false;
  bool whole_input = false;  // -s
  bool lines = false;        // -l
  std::uint64_t repeat = 1;
  double repeat_delay_s = 0;
  std::uint32_t inflight_max = 20;
  std::string response_topic;
  // What is received
  std::vector<std::string> filters_out;
  std::vector<std::string> unsubscribe;
  std::uint64_t count = 0;
  bool exits_when_subscribed = false;
  bool no_retained = false;
  bool retained_only = false;
  bool remove_retained = false;
  bool retain_as_published = false;
  bool no_local = false;
  std::uint32_t retain_handling = 0;
  double random_percent = 100;
  double timeout_s = 0;
  // Output
  std::string format;
  bool json = false;
  bool pretty = false;
  bool no_end_of_line = false;
  bool verbose = false;
  bool debug = false;
  bool quiet = false;
  std::string color = "auto";  // auto, always or never
  /// What `auto` means.
  bool output_is_terminal = false;
  /// Somebody's terminal reads the output, colours or not: what it might obey is escaped.
  bool escapes = false;
};

/// Where a message comes from.
enum class Input : std::uint8_t { text, file, whole_input, lines };

/// Everything is decided.
struct Settings {
  client::TargetOptions target;
  client::ClientOptions client;
  /// Nobody has said which version: MQTT 3.1.1 will do, if the broker knows no other.
  bool may_fall_back = false;

  // Sending
  client::Message message;  // the payload is empty unless the input is `text`
  Input input = Input::text;
  std::string file;
  std::uint64_t repeat = 1;
  std::uint64_t repeat_delay_ns = 0;
  bool has_own_correlation = false;  // rr: given by -D

  // Receiving
  std::vector<client::Subscription> subscriptions;
  std::vector<std::string> unsubscribe;
  std::vector<std::string> filters_out;
  std::uint64_t count = 0;  // 0: without end
  bool exits_when_subscribed = false;
  bool no_retained = false;
  bool retained_only = false;
  bool remove_retained = false;
  double random_percent = 100;
  std::uint64_t timeout_ns = 0;  // 0: none

  // Output
  std::optional<Format> format;
  bool json = false;
  bool pretty = false;
  bool end_of_line = true;
  bool shows_topic = false;
  bool debug = false;
  bool quiet = false;
  bool terminal = false;  // dumps and escapes
  bool colours = false;
};

/// Nothing if the options contradict each other or themselves; `error` then says why.
[[nodiscard]] std::optional<Settings> resolve(Command command, const Options& options,
                                              std::string& error);

}  // namespace linnet::pubsub

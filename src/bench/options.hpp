// What a run of the load generator is to do: as the command line says it, and with all that it
// leaves open filled in for its scenario. Pure.
//
//   Options options;
//   options.scenario = "fanout";
//   std::string error;
//   const auto settings = resolve(options, error);   // nothing: `error` says what is wrong
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

#include "net/url.hpp"
#include <linnet/types.hpp>

namespace linnet::bench {

enum class Scenario : std::uint8_t {
  p2p,       // each publisher to a subscriber of its own
  fanout,    // one publisher to many subscribers
  fanin,     // many publishers to one subscriber
  wildcard,  // random topics to filters that are exact, have a + or end with #
  shared,    // subscribers that share the messages of one group
  idle,      // connections that do nothing
  connect,   // connections that come and go
  retained,  // retained messages, set and fetched
  offline,   // messages for sessions that are away, queued and drained
};

/// "p2p", "fanout" ...
[[nodiscard]] std::string_view name_of(Scenario scenario) noexcept;
/// All of them in one line, for people.
[[nodiscard]] std::string scenario_names();

/// As the command line says it. What is not given depends on the scenario.
struct Options {
  std::string scenario;
  std::string url = "mqtt://127.0.0.1:1883";
  std::uint32_t protocol = 4;
  std::optional<std::uint32_t> qos;
  std::uint32_t payload = 16;  // bytes
  std::optional<std::uint32_t> publishers;
  std::optional<std::uint32_t> subscribers;
  std::optional<std::uint32_t> topics;
  std::optional<std::uint32_t> clients;
  std::uint64_t rate = 0;  // messages a second, all publishers together; 0: as fast as it goes
  std::uint32_t inflight = 100;
  std::uint64_t outstanding = 0;  // 0: max(10,000, 16 x fan-out)
  std::optional<std::uint64_t> duration_ms;
  std::optional<std::uint64_t> warmup_ms;
  std::optional<std::uint64_t> messages;
  std::optional<std::uint64_t> wait_ms;
  std::string user;
  std::string password;
  std::string ca;  // a PEM file or a folder of them; empty: the system's
  std::string cert;
  std::string key;
  bool insecure = false;
  pid_t pid = 0;  // of the broker, if it is on this machine
  std::uint64_t seed = 1;
};

/// Everything is decided.
struct Settings {
  Scenario scenario = Scenario::p2p;
  net::Url url;
  Version version = Version::v3_1_1;
  Qos qos = Qos::at_most_once;
  std::uint32_t payload = 16;
  std::uint32_t publishers = 0;
  std::uint32_t subscribers = 0;
  std::uint32_t topics = 0;
  std::uint32_t clients = 0;  // idle: all of them; connect: at a time
  std::uint64_t rate = 0;
  std::uint32_t inflight = 100;
  std::uint64_t outstanding = 0;
  std::uint64_t duration_ms = 0;  // of what is measured, if `messages` is 0
  std::uint64_t warmup_ms = 0;    // before it
  std::uint64_t messages = 0;     // all publishers together; in `connect` connections
  std::uint64_t wait_ms = 0;      // silence after which what is missing is lost
  std::string user;
  std::string password;
  std::string ca;
  std::string cert;
  std::string key;
  bool insecure = false;
  pid_t pid = 0;
  std::uint64_t seed = 1;

  /// Whether its payload says how long a message was on its way.
  [[nodiscard]] bool is_timed() const noexcept { return payload >= kTimedBytes; }
  /// Whether its payload says which message it is.
  [[nodiscard]] bool is_numbered() const noexcept { return payload >= kNumberedBytes; }

  static constexpr std::uint32_t kNumberedBytes = 8;
  static constexpr std::uint32_t kTimedBytes = 16;
};

/// Nothing if the options contradict each other or themselves; `error` then says why.
[[nodiscard]] std::optional<Settings> resolve(const Options& options, std::string& error);

}  // namespace linnet::bench

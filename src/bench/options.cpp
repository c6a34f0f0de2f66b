#include "bench/options.hpp"

#include <algorithm>
#include <array>

#include "base/cat.hpp"

namespace linnet::bench {

namespace {

constexpr std::uint32_t kClientsMax = 1'000'000;
constexpr std::uint32_t kPayloadMax = 128 << 20;
constexpr std::uint64_t kOutstandingMax = 100'000'000;
constexpr std::uint32_t kInflightMax = 65'535;
constexpr std::uint64_t kRateMax = 1'000'000'000;
constexpr std::uint64_t kDurationMaxMs = 7ULL * 24 * 3600 * 1000;
constexpr std::uint64_t kMessagesMax = 4'000'000'000;

/// What a scenario is if nothing else is said.
struct Defaults {
  Scenario scenario;
  std::string_view name;
  std::uint32_t qos;
  std::uint32_t publishers;
  std::uint32_t subscribers;
  std::uint32_t topics;
  std::uint32_t clients;
  std::uint64_t messages;  // 0: by the clock
};

constexpr std::array kDefaults = {
    Defaults{Scenario::p2p, "p2p", 0, 10, 10, 10, 0, 0},
    Defaults{Scenario::fanout, "fanout", 0, 1, 100, 1, 0, 0},
    Defaults{Scenario::fanin, "fanin", 0, 1000, 1, 1000, 0, 0},
    Defaults{Scenario::wildcard, "wildcard", 0, 10, 2000, 1000, 0, 0},
    Defaults{Scenario::shared, "shared", 0, 10, 10, 10, 0, 0},
    Defaults{Scenario::idle, "idle", 0, 0, 0, 0, 10'000, 0},
    Defaults{Scenario::connect, "connect", 0, 0, 0, 0, 50, 0},
    Defaults{Scenario::retained, "retained", 1, 10, 1, 10'000, 0, 10'000},
    Defaults{Scenario::offline, "offline", 1, 10, 10, 10, 0, 10'000},
};

const Defaults* find_defaults(std::string_view name) noexcept {
  const auto* found = std::find_if(kDefaults.begin(), kDefaults.end(),
                                   [name](const Defaults& row) { return row.name == name; });
  return found == kDefaults.end() ? nullptr : found;
}

/// Subscribers times streams: what is kept about each pair takes 4 bytes.
constexpr std::uint64_t kPairsMax = 50'000'000;

/// The first fault found stands.
class Check {
 public:
  explicit Check(std::string& error) : error_(error) { error_.clear(); }

  void that(bool right, std::string_view text) {
    if (!right && error_.empty()) error_ = text;
  }
  void range(std::string_view option, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
    if (value >= low && value <= high) return;
    that(false, cat(option, " is ", value, "; write a number from ", low, " to ", high));
  }
  [[nodiscard]] bool ok() const { return error_.empty(); }

 private:
  std::string& error_;
};

void check_counts(const Options& options, const Settings& settings, Check& check) {
  const bool has_traffic =
      settings.scenario != Scenario::idle && settings.scenario != Scenario::connect;
  if (has_traffic) {
    check.range("--pubs", settings.publishers, 1, kClientsMax);
    check.range("--subs", settings.subscribers, 1, kClientsMax);
    check.range("--topics", settings.topics, 1, kClientsMax);
    check.that(!options.clients, "--clients is for idle and connect alone; say --pubs and --subs");
  } else {
    check.range("--clients", settings.clients, 1, kClientsMax);
    check.that(!options.publishers && !options.subscribers && !options.topics,
               "idle and connect have no publishers and subscribers; say --clients");
  }
  const std::uint64_t streams = std::max(settings.topics, settings.publishers);
  const bool by_filter = settings.scenario != Scenario::p2p &&
                         settings.scenario != Scenario::fanout &&
                         settings.scenario != Scenario::offline;
  check.that(!by_filter || settings.subscribers * streams <= kPairsMax,
             "--subs times --topics (or --pubs) is more than 50,000,000; say less of them");
  check.that(settings.scenario != Scenario::shared || settings.topics <= 10'000,
             "shared takes 10,000 --topics at most");
  check.range("--payload", settings.payload, 0, kPayloadMax);
  check.range("--inflight", settings.inflight, 1, kInflightMax);
  check.range("--outstanding", options.outstanding, 0, kOutstandingMax);
  check.range("--rate", settings.rate, 0, kRateMax);
  check.range("--messages", settings.messages, 0, kMessagesMax);
  check.range("--duration in ms", settings.duration_ms, 1, kDurationMaxMs);
  check.range("--warmup in ms", settings.warmup_ms, 0, kDurationMaxMs);
  check.range("--wait in ms", settings.wait_ms, 1, kDurationMaxMs);
}

void check_scenario(const Options& options, const Settings& settings, Check& check) {
  const Scenario scenario = settings.scenario;
  const bool stored = scenario == Scenario::retained || scenario == Scenario::offline;
  check.that(!options.messages || !options.duration_ms,
             "--messages and --duration both say when the run ends; say one of them");
  check.that(!options.messages || *options.messages > 0, "--messages is 0; there is nothing to do");
  check.that(!stored || !options.duration_ms,
             cat(name_of(scenario), " ends by a number of messages; say ",
                 scenario == Scenario::retained ? "--topics" : "--messages"));
  check.that(scenario != Scenario::offline || settings.qos != Qos::at_most_once,
             "offline needs --qos 1 or 2: QoS 0 is not kept for sessions that are away");
  check.that(scenario != Scenario::retained || settings.is_numbered(),
             cat("retained needs --payload ", Settings::kNumberedBytes,
                 " or more: an empty payload clears, and a short one cannot be told apart"));
  check.that(scenario != Scenario::retained || !options.messages,
             "retained sets each topic once; say --topics instead of --messages");
  check.that(settings.warmup_ms == 0 || settings.messages == 0,
             "--warmup goes with --duration; with --messages everything is measured");
}

void check_security(const Options& options, const Settings& settings, Check& check) {
  const bool tls = net::is_tls(settings.url.scheme);
  check.that(tls || (options.ca.empty() && options.cert.empty() && !options.insecure),
             cat("--ca, --cert and --insecure need TLS; ", settings.url.text(),
                 " has none: write mqtts:// or wss://"));
  check.that(options.cert.empty() == options.key.empty(), "--cert and --key go together");
  check.that(!options.insecure || options.ca.empty(),
             "--insecure trusts everybody and --ca does not; say one of them");
  check.that(options.password.empty() || !options.user.empty(), "--password needs --user");
  check.that(options.user.size() <= 65'535 && options.password.size() <= 65'535,
             "a user name or a password has at most 65,535 bytes");
}

bool set_url(const Options& options, Settings& settings, std::string& error) {
  auto url = net::parse_url(options.url);
  if (url.has_error()) {
    error = cat("--url: ", url.error().text);
    return false;
  }
  settings.url = std::move(*url);
  using net::Scheme;
  const Scheme scheme = settings.url.scheme;
  const bool speaks = scheme == Scheme::mqtt || scheme == Scheme::mqtts || scheme == Scheme::ws ||
                      scheme == Scheme::wss || scheme == Scheme::unix_socket;
  if (!speaks) {
    error = cat("--url: '", options.url, "' is not what a client connects to; write mqtt://, ",
                "mqtts://, ws://, wss:// or unix:");
    return false;
  }
  if (settings.url.host.empty() && scheme != Scheme::unix_socket) settings.url.host = "127.0.0.1";
  return true;
}

void set_time(const Options& options, const Defaults& defaults, Settings& settings) {
  constexpr std::uint64_t kDurationMs = 10'000;
  constexpr std::uint64_t kWarmupMs = 2'000;
  settings.duration_ms = options.duration_ms.value_or(kDurationMs);
  // Whoever says how long, does not want the scenario's number of messages.
  settings.messages = options.messages.value_or(options.duration_ms ? 0 : defaults.messages);
  const bool warms = settings.messages == 0 && settings.scenario != Scenario::idle &&
                     settings.scenario != Scenario::connect;
  settings.warmup_ms = options.warmup_ms.value_or(warms ? kWarmupMs : 0);
  settings.wait_ms = options.wait_ms.value_or(settings.qos == Qos::at_most_once ? 3'000U : 10'000U);
}

}  // namespace

std::string_view name_of(Scenario scenario) noexcept {
  return kDefaults[static_cast<std::size_t>(scenario)].name;
}

std::string scenario_names() {
  std::string names;
  for (const Defaults& row : kDefaults)
    names.append(names.empty() ? "" : ", ").append(row.name);
  return names;
}

std::optional<Settings> resolve(const Options& options, std::string& error) {
  const Defaults* defaults = find_defaults(options.scenario);
  if (defaults == nullptr) {
    error = cat("'", options.scenario, "' is no scenario; there are ", scenario_names());
    return std::nullopt;
  }
  const std::uint32_t qos = options.qos.value_or(defaults->qos);
  const bool versions = options.protocol >= 3 && options.protocol <= 5;
  if (qos > 2 || !versions) {
    error = qos > 2 ? "--qos is 0, 1 or 2" : "--protocol is 3 (MQTT 3.1), 4 (3.1.1) or 5 (5.0)";
    return std::nullopt;
  }
  Settings settings;
  settings.scenario = defaults->scenario;
  if (!set_url(options, settings, error)) return std::nullopt;
  settings.version = static_cast<Version>(options.protocol);
  settings.qos = static_cast<Qos>(qos);
  settings.payload = options.payload;
  settings.publishers = options.publishers.value_or(defaults->publishers);
  settings.subscribers = options.subscribers.value_or(defaults->subscribers);
  settings.topics = options.topics.value_or(defaults->topics);
  settings.clients = options.clients.value_or(defaults->clients);
  // Where publishers have topics of their own, there are as many.
  if (settings.scenario == Scenario::fanin && !options.topics)
    settings.topics = settings.publishers;
  settings.rate = options.rate;
  settings.inflight = options.inflight;
  settings.outstanding = options.outstanding;
  set_time(options, *defaults, settings);
  if (settings.scenario == Scenario::retained) settings.messages = settings.topics;
  settings.user = options.user;
  settings.password = options.password;
  settings.ca = options.ca;
  settings.cert = options.cert;
  settings.key = options.key;
  settings.insecure = options.insecure;
  settings.pid = options.pid;
  settings.seed = options.seed;
  Check check(error);
  check_counts(options, settings, check);
  check_scenario(options, settings, check);
  check_security(options, settings, check);
  if (!check.ok()) return std::nullopt;
  return settings;
}

}  // namespace linnet::bench

// The table itself. Its order is the order of docs/configuration.md, which a test compares with it.
#include <algorithm>
#include <array>

#include "config/fields.hpp"
#include "config/keys.hpp"
#include "config/load.hpp"
#include "config/table_auth.hpp"
#include "config/table_limits.hpp"
#include "config/table_listener.hpp"
#include "config/table_rates.hpp"
#include "config/table_units.hpp"

namespace linnet::config {
namespace {

using namespace std::string_view_literals;
using enum KeyType;

// Each in the order of its enumerators.
constexpr std::array kDurability{"commit"sv, "interval"sv, "none"sv};
constexpr std::array kLevel{"trace"sv, "debug"sv, "info"sv, "warn"sv, "error"sv, "off"sv};
constexpr std::array kRoomLevel{"trace"sv, "debug"sv, "info"sv,   "warn"sv,
                                "error"sv, "off"sv,   "default"sv};

/// Of one part of the broker.
template <auto room>
constexpr Key room_level(std::string_view name, std::string_view meaning) {
  return {.name = name,
          .type = KeyType::choice,
          .field = field<&Config::log_levels, room>(),
          .choices = kRoomLevel,
          .meaning = meaning};
}
constexpr std::array kFormat{"text"sv, "json"sv};
constexpr std::array kStrategy{"round_robin"sv,    "random"sv,        "sticky"sv,
                               "least_inflight"sv, "hash_clientid"sv, "hash_topic"sv,
                               "hash_property"sv};

constexpr std::array kSections{
    Section{.meaning = "At the top of the file, before the first section."},
    Section{.name = "log", .meaning = "What is logged, to standard error."},
    Section{.name = "log.levels",
            .meaning = "`log.level` for one part of the broker alone, by the name in front of its "
                       "lines. [operating.md](operating.md) has more."},
    Section{.name = "listener",
            .list = true,
            .meaning = "One for each address to listen on. Without any, Linnet listens on "
                       "`mqtt://127.0.0.1:1883` and `ws://127.0.0.1:8083/mqtt`.",
            .append = [](Config& config) { add_listener(config, ""); }},
    Section{.name = "listener.tls",
            .meaning = "The keys of `[tls]` for one listener alone: `tls.cert = \"...\"` in its "
                       "`[[listener]]`, or a section `[listener.tls]` behind it.",
            .same_keys_as = "tls"},
    Section{.name = "tls",
            .meaning =
                "What TLS listeners (`mqtts`, `wss`, and `any`, which offers TLS if there is "
                "a certificate or a pre-shared key) begin with. Files are PEM, and a path "
                "that does not begin with `/` begins where Linnet was started. "
                "[tls.md](tls.md) has examples."},
    Section{.name = "share",
            .list = true,
            .meaning = "Rules for the groups of shared subscriptions, each for one group's name.",
            .append = [](Config& config) { config.share_groups.emplace_back(); }},
    Section{.name = "auth",
            .meaning = "How clients prove who they are. [access.md](access.md) has examples."},
    Section{.name = "auth.jwt", .meaning = "JSON Web Tokens, shown as a password."},
    Section{.name = "auth.http", .meaning = "A service that is asked who may connect."},
    Section{.name = "auth.ban", .meaning = "What follows repeated wrong logins."},
    Section{.name = "auth.unix",
            .list = true,
            .meaning = "User names for processes of this machine that connect through a Unix "
                       "socket; the first that fits counts.",
            .append = [](Config& config) { config.auth.unix_users.emplace_back(); }},
    Section{.name = "auth.user",
            .list = true,
            .meaning = "Users' groups and roles. A user needs no section of its own to connect.",
            .append = [](Config& config) { config.auth.users.emplace_back(); }},
    Section{.name = "auth.group",
            .list = true,
            .meaning = "Groups' roles.",
            .append = [](Config& config) { config.auth.groups.emplace_back(); }},
    Section{.name = "auth.rule",
            .list = true,
            .meaning = "Who may do what. The first rule that matches decides; once there is any "
                       "rule, what no rule matches is denied.",
            .append = [](Config& config) { config.auth.rules.emplace_back(); }},
    Section{.name = "rates",
            .meaning = "How much may come per second. [limits.md](limits.md) says what happens to "
                       "more."},
    Section{.name = "rates.client", .meaning = "Of one connection."},
    Section{.name = "rates.user", .meaning = "Of all connections of one user name."},
    Section{.name = "rates.address", .meaning = "Of all connections from one address."},
    Section{.name = "limits",
            .meaning = "Bounds. [limits.md](limits.md) says what happens at each."},
};

constexpr std::array kOwnKeys{
    Key{.name = "data_dir",
        .type = text,
        .field = field<&Config::data_dir>(),
        .meaning = "The folder of everything that Linnet keeps; one broker at a time uses it.",
        .default_note = "`/var/lib/linnet` where that can be written, else "
                        "`$XDG_STATE_HOME/linnet` (`~/.local/state/linnet`)",
        .restart = true},
    Key{.name = "threads",
        .type = integer,
        .field = field<&Config::threads>(),
        .max = 64,
        .meaning = "Event loops, one thread each. 0 means the number of cores, at most 4.",
        .restart = true},
    Key{.name = "persistence",
        .type = boolean,
        .field = field<&Config::persistence>(),
        .meaning =
            "Whether kept sessions and retained messages outlive a restart. Without it they lie in "
            "a temporary folder, for systems that are read-only.",
        .restart = true},
    Key{.name = "durability",
        .type = choice,
        .field = field<&Config::durability>(),
        .choices = kDurability,
        .meaning = "When an acknowledgement may leave: after its effect is on the disk (`commit`), "
                   "at once, while the disk follows every `durability_interval` (`interval`), or "
                   "without ever waiting for the disk (`none`). [durability.md](durability.md) "
                   "says what each can lose.",
        .restart = true},
    Key{.name = "durability_interval",
        .type = duration,
        .field = field<&Config::durability_interval>(),
        .min = 10,
        .max = kHourMs,
        .meaning = "The time between commits with `durability = \"interval\"`: at most this much "
                   "is lost when the power or the process fails.",
        .restart = true},
    Key{.name = "check_payload_format",
        .type = boolean,
        .field = field<&Config::check_payload_format>(),
        .meaning = "Whether a payload that an MQTT 5 client declares to be UTF-8 is checked to be "
                   "so (reason code 0x99)."},
    Key{.name = "sys_interval",
        .type = duration,
        .field = field<&Config::sys_interval>(),
        .min = kSecondMs,
        .max = kDayMs,
        .never = 0,
        .meaning = "How often the topics under `$SYS` are published."},
    Key{.name = "allow_anonymous",
        .type = boolean,
        .field = field<&Config::allow_anonymous>(),
        .meaning = "Whether clients may connect without a user name through listeners beyond "
                   "loopback, where a listener does not say otherwise."},

    Key{.name = "memory_max",
        .type = size,
        .field = field<&Config::memory_max>(),
        .max = kTiB,
        .meaning = "The memory that the process may take for itself, mapped files not counted. "
                   "At least 8 MiB; 0 is half of what there is. [limits.md](limits.md) says what "
                   "happens as it fills.",
        .default_note = "half of what the machine or its control group has",
        .restart = true},
    Key{.name = "user",
        .type = text,
        .field = field<&Config::user>(),
        .meaning = "The system's user to become, by name or number, when started as root, once "
                   "files and ports are open.",
        .default_note = "as it was started",
        .restart = true},
    Key{.name = "seccomp",
        .type = boolean,
        .field = field<&Config::seccomp>(),
        .meaning = "Whether the kernel is told to end the process at any system call that a broker "
                   "does not need.",
        .restart = true},
    Key{.name = "core_dumps",
        .type = boolean,
        .field = field<&Config::core_dumps>(),
        .meaning = "Whether a crash may leave a core dump. It holds keys and passwords.",
        .restart = true},

    Key{.name = "log.level",
        .type = choice,
        .field = field<&Config::log_level>(),
        .choices = kLevel,
        .meaning = "The least severe messages that are logged."},
    Key{.name = "log.format",
        .type = choice,
        .field = field<&Config::log_format>(),
        .choices = kFormat,
        .meaning = "Lines for people, or one JSON object per line.",
        .restart = true},

    room_level<&LogLevels::auth>("log.levels.auth", "Logins, rules and bans."),
    room_level<&LogLevels::broker>("log.levels.broker", "Start and end, and listeners."),
    room_level<&LogLevels::cli>("log.levels.cli", "Signals, and the process's user."),
    room_level<&LogLevels::control>("log.levels.control", "The control socket."),
    room_level<&LogLevels::memory>("log.levels.memory", "The memory budget."),
    room_level<&LogLevels::net>("log.levels.net", "Sockets."),
    room_level<&LogLevels::reload>("log.levels.reload", "What a reload changes."),
    room_level<&LogLevels::session>(
        "log.levels.session",
        "Clients: what they do wrong, and at `debug` their coming and going."),
    room_level<&LogLevels::shard>("log.levels.shard", "Threads, and limits of connections."),
    room_level<&LogLevels::store>("log.levels.store", "The store on disk."),
    room_level<&LogLevels::tls>("log.levels.tls", "Certificates."),
    room_level<&LogLevels::transport>("log.levels.transport", "Who is turned away at the door."),

    Key{.name = "share.group",
        .type = text,
        .field = field<&ShareGroupConfig::group>(),
        .meaning = "The group's name, or `\"*\"` for all groups that no other rule names. Needed.",
        .default_note = "none"},
    Key{.name = "share.strategy",
        .type = choice,
        .field = field<&ShareGroupConfig::strategy>(),
        .choices = kStrategy,
        .meaning = "How the member that receives the next message is chosen."},
    Key{.name = "share.property",
        .type = text,
        .field = field<&ShareGroupConfig::property>(),
        .meaning = "For `hash_property`, and needed there: the User Property whose value decides.",
        .default_note = "none"},
};

template <std::size_t... counts>
consteval auto joined(const std::array<Key, counts>&... parts) {
  std::array<Key, (counts + ...)> all{};
  auto next = all.begin();
  ((next = std::copy(parts.begin(), parts.end(), next)), ...);
  return all;
}

constexpr auto kKeys = joined(kOwnKeys, kListenerKeys, kListenerTlsKeys, kTlsKeys, kLoginKeys,
                              kTokenKeys, kRuleKeys, kRateKeys, kLimitKeys);

}  // namespace

std::span<const Key> all_keys() noexcept {
  return kKeys;
}

std::span<const Section> all_sections() noexcept {
  return kSections;
}

}  // namespace linnet::config

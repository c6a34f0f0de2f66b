// The table itself. Its order is the order of docs/configuration.md, which a test compares with it.
#include <array>

#include "config/fields.hpp"
#include "config/keys.hpp"

namespace linnet::config {
namespace {

using namespace std::string_view_literals;
using enum KeyType;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;
constexpr std::uint64_t kSecondMs = 1000;
constexpr std::uint64_t kMinuteMs = 60 * kSecondMs;
constexpr std::uint64_t kHourMs = 60 * kMinuteMs;
constexpr std::uint64_t kDayMs = 24 * kHourMs;
constexpr std::uint64_t kUint16Max = 65'535;
// The longest packet of MQTT: a remaining length of 256 MiB - 1, and 5 bytes in front of it.
/// MQTT ends at 256 MiB; what a message gains on its way to a receiver must have room below that.
constexpr std::uint64_t kPacketMax = 255 * kMiB;

// Each in the order of its enumerators.
constexpr std::array kDurability{"commit"sv, "interval"sv, "none"sv};
constexpr std::array kLevel{"trace"sv, "debug"sv, "info"sv, "warn"sv, "error"sv, "off"sv};
constexpr std::array kFormat{"text"sv, "json"sv};
constexpr std::array kPolicy{"drop_oldest"sv, "drop_newest"sv, "reject"sv};
constexpr std::array kStrategy{"round_robin"sv,    "random"sv,        "sticky"sv,
                               "least_inflight"sv, "hash_clientid"sv, "hash_topic"sv,
                               "hash_property"sv};

constexpr std::array kSections{
    Section{.meaning = "At the top of the file, before the first section."},
    Section{.name = "log", .meaning = "What is logged, to standard error."},
    Section{.name = "listener",
            .list = true,
            .meaning = "One for each address to listen on. Without any, Linnet listens on "
                       "`mqtt://127.0.0.1:1883`.",
            .append =
                [](Config& config) {
                  config.listeners.push_back(
                      {.url = "", .allow_anonymous = config.allow_anonymous});
                }},
    Section{.name = "share",
            .list = true,
            .meaning = "Rules for the groups of shared subscriptions, each for one group's name.",
            .append = [](Config& config) { config.share_groups.emplace_back(); }},
    Section{.name = "limits",
            .meaning = "Bounds. [limits.md](limits.md) says what happens at each."},
};

constexpr std::array kKeys{
    Key{.name = "data_dir",
        .type = text,
        .field = field<&Config::data_dir>(),
        .meaning = "The folder of everything that Linnet keeps; one broker at a time uses it.",
        .default_note = "`/var/lib/linnet` where that can be written, else "
                        "`$XDG_STATE_HOME/linnet` (`~/.local/state/linnet`)"},
    Key{.name = "threads",
        .type = integer,
        .field = field<&Config::threads>(),
        .max = 64,
        .meaning = "Event loops, one thread each. 0 means the number of cores, at most 4."},
    Key{.name = "persistence",
        .type = boolean,
        .field = field<&Config::persistence>(),
        .meaning =
            "Whether kept sessions and retained messages outlive a restart. Without it they lie in "
            "a temporary folder, for systems that are read-only."},
    Key{.name = "durability",
        .type = choice,
        .field = field<&Config::durability>(),
        .choices = kDurability,
        .meaning = "When an acknowledgement may leave: after its effect is on the disk (`commit`), "
                   "at once, while the disk follows every `durability_interval` (`interval`), or "
                   "without ever waiting for the disk (`none`). [durability.md](durability.md) "
                   "says what each can lose."},
    Key{.name = "durability_interval",
        .type = duration,
        .field = field<&Config::durability_interval>(),
        .min = 10,
        .max = kHourMs,
        .meaning = "The time between commits with `durability = \"interval\"`: at most this much "
                   "is lost when the power or the process fails."},
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

    Key{.name = "log.level",
        .type = choice,
        .field = field<&Config::log_level>(),
        .choices = kLevel,
        .meaning = "The least severe messages that are logged."},
    Key{.name = "log.format",
        .type = choice,
        .field = field<&Config::log_format>(),
        .choices = kFormat,
        .meaning = "Lines for people, or one JSON object per line."},

    Key{.name = "listener.url",
        .type = text,
        .field = field<&ListenerConfig::url>(),
        .meaning = "Where to listen: `mqtt://host:port`. Needed.",
        .default_note = "none"},
    Key{.name = "listener.allow_anonymous",
        .type = boolean,
        .field = field<&ListenerConfig::allow_anonymous>(),
        .meaning = "Whether clients may connect without a user name. On loopback they always may.",
        .default_note = "as at the top"},

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

    Key{.name = "limits.packet_size_max",
        .type = size,
        .field = field<&Limits::packet_size_max>(),
        .min = kKiB,
        .max = kPacketMax,
        .meaning = "The longest packet that a client may send, with its header."},
    Key{.name = "limits.connect_timeout",
        .type = duration,
        .field = field<&Limits::connect_timeout>(),
        .min = 100,
        .max = 10 * kMinuteMs,
        .meaning = "From accepting a connection to having read the whole CONNECT."},
    Key{.name = "limits.connections_max",
        .type = integer,
        .field = field<&Limits::connections_max>(),
        .min = 1,
        .max = 10'000'000,
        .meaning = "Connections at one time, those that have not yet sent CONNECT included."},
    Key{.name = "limits.keep_alive_max",
        .type = seconds,
        .field = field<&Limits::keep_alive_max_s>(),
        .min = 1,
        .max = kUint16Max,
        .never = 0,
        .meaning = "The longest keep alive; `\"never\"` grants what the client asks for."},
    Key{.name = "limits.receive_maximum",
        .type = integer,
        .field = field<&Limits::receive_maximum>(),
        .min = 1,
        .max = kUint16Max,
        .meaning = "QoS 1 and 2 messages from one client that are not yet acknowledged."},
    Key{.name = "limits.inflight_max",
        .type = integer,
        .field = field<&Limits::inflight_max>(),
        .min = 1,
        .max = kUint16Max,
        .meaning = "The same towards one client, which may ask for less."},
    Key{.name = "limits.qos_max",
        .type = integer,
        .field = field<&Limits::qos_max>(),
        .max = 2,
        .meaning = "The highest Quality of Service that clients may publish with."},
    Key{.name = "limits.retain_available",
        .type = boolean,
        .field = field<&Limits::retain_available>(),
        .meaning = "Whether messages may be retained."},
    Key{.name = "limits.topic_alias_max",
        .type = integer,
        .field = field<&Limits::topic_alias_max>(),
        .max = kUint16Max,
        .meaning = "Topic aliases that an MQTT 5 client may use."},
    Key{.name = "limits.topic_alias_max_outgoing",
        .type = integer,
        .field = field<&Limits::topic_alias_max_outgoing>(),
        .max = kUint16Max,
        .meaning = "Topic aliases that Linnet uses towards a client that allows them."},
    Key{.name = "limits.topic_levels_max",
        .type = integer,
        .field = field<&Limits::topic_levels_max>(),
        .min = 1,
        .max = 1024,
        .meaning = "Levels in a topic name or filter."},
    Key{.name = "limits.topic_length_max",
        .type = integer,
        .field = field<&Limits::topic_length_max>(),
        .min = 16,
        .max = kUint16Max,
        .meaning = "Bytes in a topic name or filter."},
    Key{.name = "limits.sessions_max",
        .type = integer,
        .field = field<&Limits::sessions_max>(),
        .min = 1,
        .max = 10'000'000,
        .meaning = "Kept sessions, connected or not."},
    Key{.name = "limits.session_expiry_max",
        .type = seconds,
        .field = field<&Limits::session_expiry_max_s>(),
        .max = 49'710ULL * 24 * 3600,
        .never = 0xFFFF'FFFF,
        .meaning = "The longest life of a session whose client is away, and the life of each kept "
                   "MQTT 3 session. `\"never\"` lets sessions live for ever."},
    Key{.name = "limits.subscriptions_max",
        .type = integer,
        .field = field<&Limits::subscriptions_max>(),
        .min = 1,
        .max = 1'000'000,
        .meaning = "Subscriptions of one session."},
    Key{.name = "limits.backlog_messages_max",
        .type = integer,
        .field = field<&Limits::backlog_messages_max>(),
        .min = 1,
        .max = 100'000'000,
        .meaning = "Messages that wait for one kept session."},
    Key{.name = "limits.backlog_bytes_max",
        .type = size,
        .field = field<&Limits::backlog_bytes_max>(),
        .min = kKiB,
        .max = kTiB,
        .meaning = "The bytes of those."},
    Key{.name = "limits.transient_backlog_messages_max",
        .type = integer,
        .field = field<&Limits::transient_backlog_messages_max>(),
        .min = 1,
        .max = 10'000'000,
        .meaning = "Messages that wait for one session that ends with its connection."},
    Key{.name = "limits.transient_backlog_bytes_max",
        .type = size,
        .field = field<&Limits::transient_backlog_bytes_max>(),
        .min = kKiB,
        .max = 64 * kGiB,
        .meaning = "The bytes of those."},
    Key{.name = "limits.backlog_policy",
        .type = choice,
        .field = field<&Limits::backlog_policy>(),
        .choices = kPolicy,
        .meaning = "What gives way when a backlog is full: the oldest message in it, the new "
                   "message for this receiver, or the new message for all (its sender is told)."},
    Key{.name = "limits.queue_qos0",
        .type = boolean,
        .field = field<&Limits::queue_qos0>(),
        .meaning = "Whether QoS 0 messages wait for kept sessions whose client is away."},
    Key{.name = "limits.report_dropped",
        .type = boolean,
        .field = field<&Limits::report_dropped>(),
        .meaning = "Whether an MQTT 5 receiver learns what it missed, by the User Property "
                   "`linnet-dropped` on the next message."},
    Key{.name = "limits.outbox_bytes_max",
        .type = size,
        .field = field<&Limits::outbox_bytes_max>(),
        .min = 4 * kKiB,
        .max = kGiB,
        .meaning = "Bytes that one connection has still to send."},
    Key{.name = "limits.retained_messages_max",
        .type = integer,
        .field = field<&Limits::retained_messages_max>(),
        .max = 100'000'000,
        .meaning = "Retained messages."},
    Key{.name = "limits.retained_bytes_max",
        .type = size,
        .field = field<&Limits::retained_bytes_max>(),
        .max = kTiB,
        .meaning = "The bytes of those, with their topics."},
    Key{.name = "limits.mailbox_messages_max",
        .type = integer,
        .field = field<&Limits::mailbox_messages_max>(),
        .min = 16,
        .max = 1'048'576,
        .meaning = "Messages on their way from the other threads to one thread."},
    Key{.name = "limits.mailbox_bytes_max",
        .type = size,
        .field = field<&Limits::mailbox_bytes_max>(),
        .min = 64 * kKiB,
        .max = 4 * kGiB,
        .meaning = "The bytes of those."},
    Key{.name = "limits.store_size_max",
        .type = size,
        .field = field<&Limits::store_size_max>(),
        .min = kMiB,
        .max = kTiB,
        .meaning = "The size of the data file. On 32-bit systems at most 2000 MiB have room."},
    Key{.name = "limits.store_queue_messages_max",
        .type = integer,
        .field = field<&Limits::store_queue_messages_max>(),
        .min = 16,
        .max = 16'777'216,
        .meaning = "Changes that wait for the store's writer."},
    Key{.name = "limits.store_queue_bytes_max",
        .type = size,
        .field = field<&Limits::store_queue_bytes_max>(),
        .min = 64 * kKiB,
        .max = 4 * kGiB,
        .meaning = "The bytes of those."},
    Key{.name = "limits.commit_bytes_max",
        .type = size,
        .field = field<&Limits::commit_bytes_max>(),
        .min = 64 * kKiB,
        .max = 256 * kMiB,
        .meaning = "What the store writes in one transaction."},
    Key{.name = "limits.refuse_timeout",
        .type = duration,
        .field = field<&Limits::refuse_timeout>(),
        .max = 10 * kMinuteMs,
        .meaning = "How long an MQTT 3 connection is not read while there is no room for its "
                   "message, before it is closed."},
    Key{.name = "limits.shutdown_timeout",
        .type = duration,
        .field = field<&Limits::shutdown_timeout>(),
        .max = 10 * kMinuteMs,
        .meaning = "How long an orderly stop waits for what is still to be sent."},
};

}  // namespace

std::span<const Key> all_keys() noexcept {
  return kKeys;
}

std::span<const Section> all_sections() noexcept {
  return kSections;
}

}  // namespace linnet::config

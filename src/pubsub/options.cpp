#include "pubsub/options.hpp"

#include <algorithm>
#include <unistd.h>

#include "base/cat.hpp"
#include "base/topic.hpp"
#include "base/utf8.hpp"
#include "mqtt/property_writer.hpp"
#include "pubsub/properties.hpp"
#include "pubsub/resolve.hpp"

namespace linnet::pubsub {

namespace {

using mqtt::Property;

constexpr std::size_t kTextMax = 65'535;
constexpr std::uint32_t kForever_s = 0xFFFF'FFFF;
/// For how long a broker may be away from somebody who sends line by line.
constexpr std::uint32_t kResumed_s = 3600;
constexpr TopicLimits kAnyTopic{65'535, 65'535};

std::optional<Version> version_of(const std::string& text) {
  if (text == "5" || text == "mqttv5" || text == "5.0") return Version::v5;
  if (text == "4" || text == "311" || text == "3.1.1" || text == "mqttv311") return Version::v3_1_1;
  if (text == "3" || text == "31" || text == "3.1" || text == "mqttv31") return Version::v3_1;
  return std::nullopt;
}

bool set_version(const Options& options, bool needs_v5, Settings& settings, Check& check) {
  const auto version = version_of(options.version.empty() ? "5" : options.version);
  check.that(version.has_value(),
             cat("-V '", options.version, "' is none of mqttv5, mqttv311 and mqttv31"));
  if (!version) return false;
  check.that(!needs_v5 || *version == Version::v5,
             "-D, -x and the options of subscriptions are those of MQTT 5; leave out -V, or say "
             "-V mqttv5");
  settings.client.session.version = *version;
  settings.may_fall_back = options.version.empty() && !needs_v5;
  return true;
}

/// Seconds, or -1 for a session that does not end.
std::optional<std::uint32_t> expiry_of(const std::string& text) {
  if (text == "-1" || text == "∞") return kForever_s;
  std::uint64_t seconds = 0;
  if (text.empty() || text.size() > 10) return std::nullopt;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    seconds = seconds * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (seconds > 0xFFFF'FFFF) return std::nullopt;
  return static_cast<std::uint32_t>(seconds);
}

std::string expiry_property(std::uint32_t seconds) {
  mqtt::PropertyWriter expiry;
  expiry.u32(Property::session_expiry_interval, seconds);
  return expiry.bytes();
}

/// A session that is kept (-c) never ends, unless somebody says when.
void set_expiry(Command command, const Options& options, const PacketProperties& properties,
                Settings& settings, Check& check) {
  std::string& wire = settings.client.session.connect_properties;
  wire = properties.of(PropertyPacket::connect);
  const bool is_given = properties.has(PropertyPacket::connect, Property::session_expiry_interval);
  check.that(!is_given || options.session_expiry.empty(),
             "-x and -D connect session-expiry-interval say the same; leave one out");
  if (is_given || settings.client.session.version != Version::v5) return;
  std::optional<std::uint32_t> seconds;
  if (!options.session_expiry.empty()) {
    seconds = expiry_of(options.session_expiry);
    check.that(seconds.has_value(), cat("-x '", options.session_expiry,
                                        "' is neither a number of seconds nor -1 (never)"));
  } else if (options.keeps_session) {
    seconds = kForever_s;
  } else if (settings.client.reconnects && command == Command::pub && options.qos > 0) {
    // Whoever comes back goes on where they were: nothing is lost, and at QoS 2 nothing comes
    // twice.
    seconds = kResumed_s;
    if (!properties.has(PropertyPacket::disconnect, Property::session_expiry_interval))
      settings.client.session.disconnect_properties += expiry_property(0);
  }
  if (seconds && *seconds != 0) wire += expiry_property(*seconds);
}

void set_will(const Options& options, const PacketProperties& properties, Settings& settings,
              Check& check) {
  const bool is_given = !options.will_payload.empty() || options.will_qos != 0 ||
                        options.will_retain || !properties.of(PropertyPacket::will).empty();
  check.that(!is_given || !options.will_topic.empty(), "a will needs --will-topic");
  if (options.will_topic.empty()) return;
  check.that(options.will_qos <= 2, "--will-qos is 0, 1 or 2");
  check.that(check_topic_name(options.will_topic, kAnyTopic) == TopicFault::none,
             "--will-topic is no topic: it has no wildcards, and is UTF-8");
  check.that(options.will_payload.size() <= kTextMax, "--will-payload has at most 65,535 bytes");
  settings.client.session.will = client::Message{
      options.will_topic, options.will_payload, static_cast<Qos>(options.will_qos & 3),
      options.will_retain, properties.of(PropertyPacket::will)};
}

void set_session(Command command, const Options& options, Settings& settings, Check& check) {
  client::SessionOptions& session = settings.client.session;
  check.that(options.id.empty() || options.id_prefix.empty(), "-i and -I exclude each other");
  check.that(!options.keeps_session || !options.id.empty() || !options.id_prefix.empty(),
             "-c needs -i: the broker keeps a session by its client's identifier");
  session.client_id = !options.id.empty()          ? options.id
                      : !options.id_prefix.empty() ? cat(options.id_prefix, '-', ::getpid())
                                                   : random_name();
  check.that(session.client_id.size() <= kTextMax && is_mqtt_utf8(session.client_id),
             "a client's identifier is UTF-8 and has at most 65,535 bytes");
  session.clean_start = !options.keeps_session;
  check.that(options.keep_alive_s <= 65'535, "-k is at most 65,535 seconds");
  session.keep_alive_s = static_cast<std::uint16_t>(std::min(options.keep_alive_s, 65'535U));
  check.that(options.inflight_max >= 1 && options.inflight_max <= 65'535,
             "-M is a number from 1 to 65,535");
  session.inflight_max = static_cast<std::uint16_t>(std::min(options.inflight_max, 65'535U));
  // A command that sends one message says at once that it could not.
  settings.client.reconnects =
      command == Command::sub || (command == Command::pub && (options.lines || options.repeat > 1));
}

void set_message(Command command, const Options& options, const PacketProperties& properties,
                 Settings& settings, Check& check) {
  const int given = (options.message ? 1 : 0) + (options.file.empty() ? 0 : 1) +
                    (options.null_message ? 1 : 0) + (options.whole_input ? 1 : 0) +
                    (options.lines ? 1 : 0);
  const bool sends_lines = command == Command::pub;
  check.that(given == 1, cat("say what to send, in one way: -m TEXT, -f FILE, -n (nothing), -s "
                             "(standard input)",
                             sends_lines ? " or -l (each line of it)" : ""));
  check.that(options.topics.size() == 1,
             "one topic to publish to is needed: -t TOPIC, or in the URL behind the host");
  const std::string topic = options.topics.empty() ? std::string() : options.topics.front();
  check.that(options.topics.empty() || check_topic_name(topic, kAnyTopic) == TopicFault::none,
             cat("-t '", topic, "' is no topic to publish to: it has no wildcards, and is UTF-8"));
  check.that(options.repeat >= 1, "--repeat is at least 1");
  check.that(!options.lines || options.repeat == 1, "--repeat does not go with -l");
  check.that(options.repeat_delay_s >= 0 && options.repeat_delay_s <= 1e6,
             "--repeat-delay is a number of seconds");
  settings.message = {
      topic,          options.message.value_or(""),           static_cast<Qos>(options.qos & 3),
      options.retain, properties.of(PropertyPacket::publish), properties.topic_alias};
  settings.input = options.lines           ? Input::lines
                   : options.whole_input   ? Input::whole_input
                   : !options.file.empty() ? Input::file
                                           : Input::text;
  settings.file = options.file;
  settings.repeat = options.repeat;
  settings.repeat_delay_ns = static_cast<std::uint64_t>(options.repeat_delay_s * 1e9);
}

bool is_filter(std::string_view text) {
  const SplitFilter split = split_shared_filter(text);
  return is_mqtt_utf8(text) && text.size() <= kTextMax && split.valid &&
         is_topic_filter(split.parts.filter, kAnyTopic);
}

void set_subscriptions(const Options& options, Settings& settings, Check& check) {
  check.that(!options.topics.empty() || !options.unsubscribe.empty(),
             "say what to subscribe to: -t FILTER, or in the URL behind the host");
  check.that(options.retain_handling <= 2, "--retain-handling is 0, 1 or 2");
  mqtt::SubscriptionOptions common;
  common.qos = static_cast<Qos>(options.qos & 3);
  common.no_local = options.no_local;
  common.retain_as_published = options.retain_as_published;
  common.retain_handling = static_cast<std::uint8_t>(options.retain_handling);
  for (const std::string& filter : options.topics) {
    check.that(is_filter(filter), cat("-t '", filter,
                                      "' is no filter: + stands for a whole level, "
                                      "# for the last ones, and it is UTF-8"));
    settings.subscriptions.push_back({filter, common});
  }
  for (const std::string& filter : options.unsubscribe)
    check.that(is_filter(filter), cat("-U '", filter, "' is no filter"));
  for (const std::string& filter : options.filters_out)
    check.that(is_filter(filter), cat("-T '", filter, "' is no filter"));
  check.that(!options.no_retained || !options.retained_only,
             "-R and --retained-only exclude each other");
  settings.unsubscribe = options.unsubscribe;
  settings.filters_out = options.filters_out;
  settings.count = options.count;
  settings.exits_when_subscribed = options.exits_when_subscribed;
  settings.retained_only = options.retained_only;
  settings.remove_retained = options.remove_retained;
  settings.random_percent = options.random_percent;
}

void set_output(const Options& options, Settings& settings, Check& check) {
  std::string error;
  if (!options.format.empty()) settings.format = Format::parse(options.format, error);
  check.that(error.empty(), error);
  check.that(!options.json || options.format.empty(), "--json and -F exclude each other");
  check.that(options.timeout_s >= 0 && options.timeout_s <= 1e9, "-W is a number of seconds");
  settings.no_retained = options.no_retained;
  settings.timeout_ns = static_cast<std::uint64_t>(options.timeout_s * 1e9);
  settings.json = options.json;
  settings.pretty = options.pretty;
  if (settings.format) settings.format->set_pretty(options.pretty);
  settings.end_of_line = !options.no_end_of_line;
  check.that(options.color == "auto" || options.color == "always" || options.color == "never",
             "--color is auto, always or never");
  settings.colours = options.color == "always" || options.output_is_terminal;
  settings.terminal = settings.colours || options.escapes;
  // One exact topic needs no name on each line, whoever reads it.
  const bool many = options.topics.size() > 1 ||
                    std::any_of(options.topics.begin(), options.topics.end(),
                                [](const std::string& topic) { return has_wildcard(topic); });
  settings.shows_topic = options.verbose || (settings.terminal && many);
}

}  // namespace

std::optional<Settings> resolve(Command command, const Options& given, std::string& error) {
  Options options = given;
  Settings settings;
  if (!set_target(options, settings, error)) return std::nullopt;
  const auto properties = parse_properties(options.properties, error);
  if (!properties) return std::nullopt;
  Check check(error);
  check.that(options.qos <= 2, "-q is 0, 1 or 2");
  const bool needs_v5 = !properties->empty() || !options.session_expiry.empty() ||
                        options.no_local || options.retain_as_published ||
                        options.retain_handling != 0;
  if (!set_version(options, needs_v5, settings, check)) return std::nullopt;
  client::SessionOptions& session = settings.client.session;
  session.subscribe_properties = properties->of(PropertyPacket::subscribe);
  session.unsubscribe_properties = properties->of(PropertyPacket::unsubscribe);
  session.disconnect_properties = properties->of(PropertyPacket::disconnect);
  set_session(command, options, settings, check);
  set_expiry(command, options, *properties, settings, check);
  set_will(options, *properties, settings, check);
  set_login(options, settings, check);
  if (command == Command::sub) {
    set_subscriptions(options, settings, check);
  } else {
    set_message(command, options, *properties, settings, check);
    settings.has_own_correlation =
        properties->has(PropertyPacket::publish, Property::correlation_data);
  }
  if (command == Command::rr) {
    const std::string topic = options.response_topic.empty() ? cat("linnet/answers/", random_name())
                                                             : options.response_topic;
    check.that(check_topic_name(topic, kAnyTopic) == TopicFault::none,
               "-e is no topic: it has no wildcards, and is UTF-8");
    check.that(!properties->has(PropertyPacket::publish, Property::response_topic),
               "-e says where the answer goes; leave -D publish response-topic out");
    settings.subscriptions.push_back({topic, {.qos = settings.message.qos}});
  }
  set_output(options, settings, check);
  settings.debug = options.debug;
  settings.quiet = options.quiet;
  if (!check.ok()) return std::nullopt;
  return settings;
}

}  // namespace linnet::pubsub

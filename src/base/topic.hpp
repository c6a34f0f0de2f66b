// Topic names and topic filters (MQTT 5.0, section 4.7): pure functions over their text. UTF-8 is
// checked by the decoder before anything gets here; check_topic_name() is how it does that.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet {

/// Bounds on topics that a configuration may tighten.
struct TopicLimits {
  std::uint16_t length_max = 65'535;  // bytes
  std::uint16_t levels_max = 128;     // separators plus one; also bounds the depth of the trie
};

/// At least one byte, no wildcard, no NUL, within the limits (MQTT-3.3.2-2, MQTT-4.7.3-1).
[[nodiscard]] bool is_topic_name(std::string_view topic, const TopicLimits& limits) noexcept;

/// Why a text from outside is not a topic name.
enum class TopicFault : std::uint8_t { none, not_utf8, empty, wildcard, beyond_limits };

/// UTF-8 (see is_mqtt_utf8) and everything that is_topic_name() asks for, in one sweep: this is on
/// the path of every PUBLISH.
[[nodiscard]] TopicFault check_topic_name(std::string_view topic,
                                          const TopicLimits& limits) noexcept;

/// A filter whose wildcards stand alone in their level, `#` only in the last (MQTT-4.7.1-1, -2).
/// Takes the filter without a `$share/group/` in front of it.
[[nodiscard]] bool is_topic_filter(std::string_view filter, const TopicLimits& limits) noexcept;

/// Whether a topic belongs to the broker alone: `$SYS` and all below it.
[[nodiscard]] inline bool is_sys_topic(std::string_view topic) noexcept {
  return topic.starts_with("$SYS") && (topic.size() == 4 || topic[4] == '/');
}

[[nodiscard]] bool has_wildcard(std::string_view filter) noexcept;

/// Whether a valid name matches a valid filter. A filter that begins with a wildcard does not match
/// a name that begins with `$` (MQTT-4.7.2-1).
[[nodiscard]] bool topic_matches(std::string_view filter, std::string_view topic) noexcept;

/// The parts of `$share/{group}/{filter}` (MQTT 5.0, section 4.8.2), as views into the text.
struct SharedFilter {
  std::string_view group;   // empty if the filter is not a shared one
  std::string_view filter;  // the filter that the messages must match
};

/// Splits a filter; one that does not begin with `$share/` comes back whole, with no group.
/// `valid` tells whether a shared filter has a group of at least one byte without wildcards and a
/// filter of at least one byte (MQTT-4.8.2-1, -2).
struct SplitFilter {
  SharedFilter parts;
  bool valid = true;
};
[[nodiscard]] SplitFilter split_shared_filter(std::string_view filter) noexcept;

/// Walks the levels of a topic: `a//b` has three, the second of them empty.
///
///   for (TopicLevels levels(topic); levels.next();) use(levels.level());
class TopicLevels {
 public:
  explicit TopicLevels(std::string_view topic) noexcept : rest_(topic) {}

  /// Moves to the next level; false after the last one.
  bool next() noexcept {
    if (done_) return false;
    const auto end = rest_.find('/');
    level_ = rest_.substr(0, end);
    done_ = end == std::string_view::npos;
    if (!done_) rest_.remove_prefix(end + 1);
    return true;
  }
  [[nodiscard]] std::string_view level() const noexcept { return level_; }
  /// True when level() is the last one.
  [[nodiscard]] bool last() const noexcept { return done_; }

 private:
  std::string_view rest_;
  std::string_view level_;
  bool done_ = false;
};

}  // namespace linnet

#include "base/topic.hpp"

#include "base/load_bytes.hpp"
#include "base/utf8.hpp"

namespace linnet {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;
constexpr std::uint64_t kLows = 0x7F7F7F7F7F7F7F7F;
constexpr std::uint64_t kWildcardBit = 0x08;
constexpr std::string_view kSharePrefix = "$share/";

// The high bit of every byte of `word` that equals `wanted`, and no other bit.
std::uint64_t bytes_equal(std::uint64_t word, char wanted) noexcept {
  const auto other = word ^ (kOnes * static_cast<std::uint8_t>(wanted));
  return ~(((other & kLows) + kLows) | other | kLows);
}

// Not 0 if a byte of `word` is zero; cheaper, but does not say which.
std::uint64_t has_zero(std::uint64_t word) noexcept {
  return (word - kOnes) & ~word & kHighs;
}

// What one pass over a topic finds, eight bytes at a time.
struct Sweep {
  std::uint64_t beyond_ascii = 0;
  std::uint64_t nul = 0;
  std::uint64_t wildcards = 0;
  std::size_t separators = 0;

  void add(std::uint64_t word) noexcept {
    beyond_ascii |= word & kHighs;
    nul |= has_zero(word);
    // `#` and `+` differ in one bit, so that one comparison finds both and nothing else.
    static_assert(('#' | kWildcardBit) == '+');
    wildcards |= has_zero((word | kOnes * kWildcardBit) ^ (kOnes * '+'));
    // A popcount by hand: the machines that we build for need not have one.
    separators += static_cast<std::size_t>(((bytes_equal(word, '/') >> 7) * kOnes) >> 56);
  }
};

Sweep sweep(std::string_view text) noexcept {
  Sweep found;
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  while (text.size() >= kWord) {
    found.add(load_word<std::uint64_t>(text.data()));
    text.remove_prefix(kWord);
  }
  if (!text.empty()) {
    constexpr std::uint64_t kNothing = kOnes * 'a';  // any byte that means nothing
    found.add(load_bytes(text.data(), text.size()) | kNothing << (8 * text.size()));
  }
  return found;
}

bool within(std::string_view text, std::size_t separators, const TopicLimits& limits) noexcept {
  return text.size() <= limits.length_max && separators < limits.levels_max;
}

}  // namespace

bool is_topic_name(std::string_view topic, const TopicLimits& limits) noexcept {
  const auto found = sweep(topic);
  return !topic.empty() && found.nul == 0 && found.wildcards == 0 &&
         within(topic, found.separators, limits);
}

TopicFault check_topic_name(std::string_view topic, const TopicLimits& limits) noexcept {
  if (topic.empty()) return TopicFault::empty;
  const auto found = sweep(topic);
  if (found.nul != 0) return TopicFault::not_utf8;
  if (found.beyond_ascii != 0 && !is_mqtt_utf8(topic)) return TopicFault::not_utf8;
  if (found.wildcards != 0) return TopicFault::wildcard;
  return within(topic, found.separators, limits) ? TopicFault::none : TopicFault::beyond_limits;
}

bool is_topic_filter(std::string_view filter, const TopicLimits& limits) noexcept {
  const auto found = sweep(filter);
  if (filter.empty() || found.nul != 0 || !within(filter, found.separators, limits)) return false;
  if (found.wildcards == 0) return true;
  for (TopicLevels levels(filter); levels.next();) {
    const auto level = levels.level();
    if (!has_wildcard(level)) continue;
    if (level == "#" ? !levels.last() : level != "+") return false;
  }
  return true;
}

bool has_wildcard(std::string_view filter) noexcept {
  return sweep(filter).wildcards != 0;
}

bool topic_matches(std::string_view filter, std::string_view topic) noexcept {
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  TopicLevels wanted(filter);
  TopicLevels given(topic);
  while (wanted.next()) {
    // Before a level of the topic is taken: `sport/#` matches `sport` too.
    if (wanted.level() == "#") return true;
    if (!given.next()) return false;
    if (wanted.level() != "+" && wanted.level() != given.level()) return false;
  }
  return !given.next();
}

SplitFilter split_shared_filter(std::string_view filter) noexcept {
  if (!filter.starts_with(kSharePrefix)) return {{{}, filter}, true};
  const auto rest = filter.substr(kSharePrefix.size());
  const auto end = rest.find('/');
  if (end == std::string_view::npos) return {{rest, {}}, false};
  const auto group = rest.substr(0, end);
  const auto inner = rest.substr(end + 1);
  return {{group, inner}, !group.empty() && !has_wildcard(group) && !inner.empty()};
}

}  // namespace linnet

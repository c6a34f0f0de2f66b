// The first half of the input is a filter, the rest a topic: the fast functions must say what slow
// and simple ones say.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "base/topic.hpp"
#include "base/utf8.hpp"

namespace {

using Levels = std::vector<std::string_view>;

constexpr linnet::TopicLimits kLimits{.length_max = 200, .levels_max = 12};

Levels split(std::string_view text) {
  Levels levels;
  for (;;) {
    const auto end = std::min(text.find('/'), text.size());
    levels.push_back(text.substr(0, end));
    if (end == text.size()) return levels;
    text = text.substr(end + 1);
  }
}

bool within(std::string_view text) {
  return !text.empty() && text.size() <= kLimits.length_max &&
         split(text).size() <= kLimits.levels_max && text.find('\0') == text.npos;
}

bool is_name(std::string_view text) {
  return within(text) && text.find_first_of("+#") == text.npos;
}

bool is_filter(std::string_view text) {
  const auto levels = split(text);
  const auto good = [&levels](const std::string_view& level) {
    if (level.find_first_of("+#") == level.npos || level == "+") return true;
    return level == "#" && &level == &levels.back();
  };
  return within(text) && std::all_of(levels.begin(), levels.end(), good);
}

// From the recursive wording of section 4.7.1.
bool matches(const Levels& filter, const Levels& topic, std::size_t at) {
  if (at == filter.size()) return at == topic.size();
  if (filter[at] == "#") return true;
  if (at >= topic.size()) return false;
  return (filter[at] == "+" || filter[at] == topic[at]) && matches(filter, topic, at + 1);
}

void check_text(std::string_view text) {
  LINNET_ASSERT(linnet::is_topic_name(text, kLimits) == is_name(text));
  LINNET_ASSERT(linnet::is_topic_filter(text, kLimits) == is_filter(text));
  LINNET_ASSERT(linnet::has_wildcard(text) == (text.find_first_of("+#") != text.npos));
  const bool utf8 = linnet::is_utf8(text);
  LINNET_ASSERT(linnet::is_mqtt_utf8(text) == (utf8 && text.find('\0') == text.npos));
  const auto fault = linnet::check_topic_name(text, kLimits);
  LINNET_ASSERT((fault == linnet::TopicFault::none) == (utf8 && is_name(text)));
  Levels levels;
  for (linnet::TopicLevels walk(text); walk.next();)
    levels.push_back(walk.level());
  LINNET_ASSERT(levels == split(text));
}

void check_share(std::string_view filter) {
  const auto [parts, valid] = linnet::split_shared_filter(filter);
  if (!filter.starts_with("$share/")) {
    LINNET_ASSERT(valid && parts.group.empty() && parts.filter == filter);
  } else if (valid) {
    const auto again = "$share/" + std::string(parts.group) + "/" + std::string(parts.filter);
    LINNET_ASSERT(again == filter);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = text.substr(0, size / 2);
  const auto topic = text.substr(size / 2);
  check_text(filter);
  check_text(topic);
  check_share(filter);
  if (!is_filter(filter) || !is_name(topic)) return 0;
  const bool hidden = topic[0] == '$' && (filter[0] == '+' || filter[0] == '#');
  const bool wanted = !hidden && matches(split(filter), split(topic), 0);
  LINNET_ASSERT(linnet::topic_matches(filter, topic) == wanted);
  return 0;
}

// Rules that the input draws, against a plain reading of them; then the input as a rule's filter.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/rule_match.hpp"
#include "base/assert.hpp"
#include "base/topic.hpp"
#include "base/utf8.hpp"
#include "unit/auth/rules_model.hpp"

namespace {

using namespace linnet;

/// The first line is a client identifier, the second a topic or filter, the rest a rule's filter.
void match(std::string_view text) {
  const auto take_line = [&] {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
  };
  const auto client_id = take_line();
  const auto topic = take_line();
  const TopicLimits limits{65'535, 65'535};
  if (!is_mqtt_utf8(topic) || !is_topic_filter(topic, limits)) return;
  const auth::Identity identity{"u", nullptr, auth::Method::none};
  const auth::RuleValues values({identity, client_id});
  for (const bool percent : {false, true}) {
    auth::RuleFilter filter;
    std::string error;
    if (!auth::parse_rule_filter(text, percent, filter, error)) {
      LINNET_ASSERT(!error.empty());
      continue;
    }
    auth::FilterText room;
    for (const auto effect : {RuleEffect::allow, RuleEffect::deny}) {
      const auto wanted = auth::expand(filter.code, effect, values, room);
      LINNET_ASSERT(effect == RuleEffect::allow || !wanted.empty());
      if (wanted.empty()) continue;
      const bool overlaps = auth::filters_overlap(wanted, topic);
      LINNET_ASSERT(overlaps || !auth::filter_covers(wanted, topic));
      if (has_wildcard(topic)) continue;
      const bool matches = auth::filter_matches(wanted, topic);
      LINNET_ASSERT(matches == overlaps && matches == auth::filter_covers(wanted, topic));
      if (filter.values == 0) LINNET_ASSERT(matches == topic_matches(wanted, topic));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auth::RulesModel model({data, size});
  const std::string fault = model.check();
  LINNET_ASSERT(fault.empty());
  match({reinterpret_cast<const char*>(data), size});
  return 0;
}

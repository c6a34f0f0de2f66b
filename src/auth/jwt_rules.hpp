// Rules that a client brings along, as JSON: a list such as
//   [{"permission": "allow", "action": "publish", "topic": "sensors/${clientid}/#"},
//    {"effect": "deny", "action": "all", "topics": ["a/#", "b/+"], "retain": true}]
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>

#include <boost/json/fwd.hpp>

#include "auth/rule.hpp"

namespace linnet::auth {

inline constexpr std::size_t kClaimRulesMax = 100;
inline constexpr std::size_t kClaimFiltersMax = 1'000;  // of all rules together

/// Appends the rules; an empty list has none. False if anything in it is not understood, since half
/// a list could allow what the whole one does not: `fault` then says what, "rule 3 has no topic",
/// without any part of the value.
[[nodiscard]] bool read_rule_claim(const boost::json::value& claim, RuleList& rules,
                                   std::string& fault);

}  // namespace linnet::auth

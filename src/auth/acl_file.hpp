// Mosquitto's acl_file as rules, with the same meaning: `topic [read|write|readwrite|deny] FILTER`,
// `user NAME`, `pattern … FILTER` with %c and %u. Denials of a user go before what the user is
// allowed, those before patterns; lines before the first `user` are about anonymous clients.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/rule.hpp"

namespace linnet::auth {

/// Appends the file's rules. False if anything is wrong: `errors` then has every error,
/// "FILE:LINE: what is wrong; what is allowed".
[[nodiscard]] bool load_acl_file(const std::string& path, RuleList& rules,
                                 std::vector<std::string>& errors);
[[nodiscard]] bool parse_acl_file(std::string_view text, const std::string& name, RuleList& rules,
                                  std::vector<std::string>& errors);

}  // namespace linnet::auth

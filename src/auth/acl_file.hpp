// Mosquitto's acl_file as rules, with the same meaning: `topic [read|write|readwrite|deny] FILTER`,
// `user NAME`, `pattern … FILTER` with %c and %u. Denials of a user go before what the user is
// allowed, those before patterns; lines before the first `user` are about anonymous clients.
// Start-up and reload only.
//
// Where it is stricter than Mosquitto: a pattern with %c or %u allows nothing to a client whose
// identifier or name is missing, has a / in it, or begins with $ at the pattern's beginning; and
// denies it that level whatever it is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "auth/rule.hpp"

namespace linnet::auth {

/// Bounds on what is read.
struct AclBounds {
  std::size_t file_bytes = std::size_t{64} << 20;
  std::size_t line_bytes = 128 << 10;  // the longest topic and what stands before it
  std::size_t rules = 1'000'000;
  std::size_t errors = 100;  // more are not looked for
};

/// Appends the file's rules. False if anything is wrong: `errors` then has every error,
/// "FILE:LINE: what is wrong; what is allowed".
[[nodiscard]] bool load_acl_file(const std::string& path, RuleList& rules,
                                 std::vector<std::string>& errors);
[[nodiscard]] bool parse_acl_file(std::string_view text, const std::string& name, RuleList& rules,
                                  std::vector<std::string>& errors, const AclBounds& bounds = {});

}  // namespace linnet::auth

// The rules of who may do what: those of the configuration, then those of the acl_file. Immutable;
// any thread. First match decides; where there is any rule, what none matches is denied.
//
// A rule that needs what the client does not have, or has with a /, + or # in it (a client
// identifier in ${clientid}), allows nothing; if it is a denial, that level stands for any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/identity.hpp"
#include "auth/rule.hpp"

namespace linnet::auth {

class Rules {
 public:
  Rules() = default;
  /// `auth` gives users their groups and roles.
  Rules(RuleList list, const AuthConfig& auth);

  /// No rules: everything is allowed, to clients that have no rules of their own.
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
  [[nodiscard]] Decision decide(const Subject& subject, const Request& request) const;
  /// Whether decide() has anything to look at for this client.
  [[nodiscard]] bool concern(const Identity& identity) const noexcept {
    return !list_.empty() || (identity.grants != nullptr && !identity.grants->rules.empty());
  }

  /// For people: `rule 3 (linnet.toml:12)`, "a rule of the client's token", or "no rule matches".
  [[nodiscard]] std::string name_of(const Subject& subject, const Decision& decision) const;
  /// The rules in their order, and what each says about a request, for `linnet explain`.
  [[nodiscard]] std::span<const Rule> list() const noexcept { return list_; }
  [[nodiscard]] std::vector<std::string> groups_of(const Identity& identity) const;
  [[nodiscard]] std::vector<std::string> roles_of(const Identity& identity) const;
};

}  // namespace linnet::auth

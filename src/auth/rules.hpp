// The rules of who may do what: those of the configuration, then those of the acl_file. Immutable;
// any thread. First match decides; where there is any rule, what none matches is denied.
//
// A rule that needs what the client does not have, or has with a /, + or # in it (a client
// identifier in ${clientid}), allows nothing; if it is a denial, that level stands for any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.hpp"
#include "auth/rule.hpp"
#include "auth/rule_index.hpp"
#include "auth/rule_match.hpp"
#include "auth/rule_pack.hpp"

namespace linnet::auth {

class Rules {
 public:
  Rules() = default;
  /// `auth` gives users their groups and roles. With an acl_file, even an empty one, what no rule
  /// matches is denied.
  Rules(RuleList list, const AuthConfig& auth);

  /// No rules: everything is allowed, to clients that have no rules of their own.
  [[nodiscard]] bool empty() const noexcept { return list_.empty() && !closed_; }
  [[nodiscard]] Decision decide(const Subject& subject, const Request& request) const;
  /// Whether decide() has anything to look at for this client.
  [[nodiscard]] bool concern(const Identity& identity) const noexcept {
    return !empty() || (identity.grants != nullptr && !identity.grants->rules.empty());
  }

  /// For people: `rule 3 (linnet.toml:12)`, "rule 1 of the client's own", or "no rule matches".
  [[nodiscard]] std::string name_of(const Subject& subject, const Decision& decision) const;

  /// The rules in their order, after the client's own; without their filters, which are in their
  /// text.
  [[nodiscard]] std::span<const Rule> list() const noexcept { return list_; }
  /// What each rule says about a request, up to the one that decides: for `linnet explain`.
  [[nodiscard]] std::vector<RuleLook> explain(const Subject& subject, const Request& request) const;
  [[nodiscard]] std::vector<std::string> groups_of(const Identity& identity) const {
    return index_.groups_of(identity);
  }
  [[nodiscard]] std::vector<std::string> roles_of(const Identity& identity) const {
    return index_.roles_of(identity);
  }

 private:
  RuleList list_;
  RuleIndex index_;
  RulePack pack_;
  bool closed_ = false;
};

/// The rules of a configuration, with those of its acl_file. Nothing if any is wrong: `errors` then
/// has every error, a line each with its place. Start-up and reload only; reads the file.
[[nodiscard]] std::optional<Rules> load_rules(const AuthConfig& auth,
                                              std::vector<std::string>& errors);

}  // namespace linnet::auth

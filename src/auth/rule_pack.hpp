// What rules say, packed for the look that every message takes: a row and a few bytes of filters
// for each, side by side for rules that are. Immutable; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "auth/rule.hpp"
#include "auth/rule_match.hpp"

namespace linnet::auth {

class RulePack {
 public:
  RulePack() = default;
  /// Takes the filters out of the rules.
  explicit RulePack(RuleList& rules);

  /// As look_at() of the rule, which is `rules[place]` still, but for its filters.
  [[nodiscard]] RuleLook look_at(const Rule& rule, std::uint32_t place, const RuleValues& values,
                                 const Request& request) const;
  [[nodiscard]] const RuleTerms& terms(std::uint32_t place) const noexcept {
    return rows_[place].terms;
  }

 private:
  struct Row {
    std::uint64_t publish = 0;  // where its filters begin in bytes_
    std::uint64_t subscribe = 0;
    RuleTerms terms;
    bool has_clients = false;
  };
  [[nodiscard]] std::uint64_t append(const std::vector<RuleFilter>& filters);

  std::vector<Row> rows_;
  /// Of each filter: its length in two bytes, its values in one, its code. A length of 0 ends a
  /// rule's.
  std::string bytes_;
};

}  // namespace linnet::auth

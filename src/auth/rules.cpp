#include "auth/rules.hpp"

#include <algorithm>
#include <utility>

#include "auth/acl_file.hpp"
#include "base/cat.hpp"

namespace linnet::auth {
namespace {

std::span<const Rule> own_rules(const Identity& identity) noexcept {
  if (identity.grants == nullptr) return {};
  return identity.grants->rules;
}

/// What the rules that are looked at come to.
class Verdict {
 public:
  /// False: this rule has decided, and the others do not count.
  bool go_on(RuleLook look, const RuleTerms& rule, std::uint32_t place) {
    if (look != RuleLook::whole && look != RuleLook::part) return true;
    const bool allows = rule.effect == RuleEffect::allow;
    std::uint32_t& first = allows ? first_allow_ : first_deny_;
    if (first == Decision::kNoRule) first = place;
    if (allows) qos_max_ = min(qos_max_, rule.qos_max);
    if (look == RuleLook::part) return true;
    whole_ = place;
    return false;
  }

  [[nodiscard]] Decision decision() const noexcept {
    const bool allows = first_allow_ != Decision::kNoRule;
    const bool denies = first_deny_ != Decision::kNoRule;
    if (!allows) {
      return {Decision::Verdict::denied, Qos::at_most_once,
              whole_ != Decision::kNoRule ? whole_ : first_deny_};
    }
    if (denies) return {Decision::Verdict::partly, qos_max_, first_deny_};
    if (whole_ == Decision::kNoRule) return {Decision::Verdict::partly, qos_max_, first_allow_};
    return {Decision::Verdict::allowed, qos_max_, whole_};
  }

 private:
  std::uint32_t first_allow_ = Decision::kNoRule;
  std::uint32_t first_deny_ = Decision::kNoRule;
  std::uint32_t whole_ = Decision::kNoRule;
  Qos qos_max_ = Qos::exactly_once;
};

}  // namespace

Rules::Rules(RuleList list, const AuthConfig& auth)
    : list_(std::move(list)), index_(list_, auth), pack_(list_), closed_(!auth.acl_file.empty()) {}

Decision Rules::decide(const Subject& subject, const Request& request) const {
  const Identity& identity = subject.identity;
  if (!concern(identity)) return {};
  const RuleValues values(subject);
  Verdict verdict;
  const auto own = own_rules(identity);
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (!index_.names(own[i].subjects, identity)) continue;
    const RuleLook look = look_at(own[i], values, request);
    if (!verdict.go_on(look, terms_of(own[i]), static_cast<std::uint32_t>(i))) {
      return verdict.decision();
    }
  }
  const auto before = static_cast<std::uint32_t>(own.size());
  for (RuleIndex::Walk walk(index_, identity); walk.next();) {
    const std::uint32_t place = walk.rule();
    const RuleLook look = pack_.look_at(list_[place], place, values, request);
    if (!verdict.go_on(look, pack_.terms(place), before + place)) break;
  }
  return verdict.decision();
}

std::vector<RuleLook> Rules::explain(const Subject& subject, const Request& request) const {
  const RuleValues values(subject);
  const auto own = own_rules(subject.identity);
  std::vector<RuleLook> looks;
  const auto add = [&](const Rule& rule, auto look) {
    const bool about = index_.names(rule.subjects, subject.identity);
    looks.push_back(about ? look() : RuleLook::subject);
    return looks.back() != RuleLook::whole;
  };
  for (const Rule& rule : own) {
    if (!add(rule, [&] { return look_at(rule, values, request); })) return looks;
  }
  for (std::uint32_t place = 0; place < list_.size(); ++place) {
    const Rule& rule = list_[place];
    if (!add(rule, [&] { return pack_.look_at(rule, place, values, request); })) break;
  }
  return looks;
}

std::string Rules::name_of(const Subject& subject, const Decision& decision) const {
  if (decision.rule == Decision::kNoRule) {
    return concern(subject.identity) ? "no rule matches" : "there are no rules";
  }
  const auto own = own_rules(subject.identity).size();
  if (decision.rule < own) return cat("rule ", decision.rule + 1, " of the client's own");
  const std::size_t place = decision.rule - own;
  if (place >= list_.size()) return "a rule that is no more";
  return cat("rule ", place + 1, " (", list_[place].place, ")");
}

std::optional<Rules> load_rules(const AuthConfig& auth, std::vector<std::string>& errors) {
  RuleList list;
  bool ok = true;
  for (const RuleConfig& config : auth.rules) {
    std::string error;
    Rule rule;
    if (parse_rule(config, rule, error)) {
      list.push_back(std::move(rule));
    } else {
      errors.push_back(config.place.empty() ? error : cat(config.place, ": ", error));
      ok = false;
    }
  }
  if (!auth.acl_file.empty() && !load_acl_file(auth.acl_file, list, errors)) ok = false;
  if (!ok) return std::nullopt;
  return Rules(std::move(list), auth);
}

}  // namespace linnet::auth

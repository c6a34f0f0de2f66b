// Rules against a plain reading of them: topics of a small alphabet, each rule asked in its order.
// All that is random comes from bytes, so that a fuzzer can choose it.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/rules.hpp"
#include "base/cat.hpp"
#include "base/topic.hpp"

namespace linnet::auth {

class RulesModel {
 public:
  explicit RulesModel(std::span<const unsigned char> bytes) : bytes_(bytes) { draw_all(); }

  /// What is wrong with the answers to one question; empty: nothing.
  [[nodiscard]] std::string check() {
    const Subject subject{identity_, client_id_};
    std::string fault;
    const auto& topics = all_topics();
    for (int i = 0; i < 8 && fault.empty(); ++i) {
      const std::string& topic = topics[(draw(256) * 256 + draw(256)) % topics.size()];
      Request request{draw(2) == 0 ? Action::publish : Action::receive, topic, qos(), draw(2) == 1,
                      draw(2) == 1};
      const auto expected = decider(request);
      const Decision decision = rules_.decide(subject, request);
      if (decision.rule != expected || decision.denied() != !allows(expected)) {
        fault = cat("asked for ", topic, ": rule ", decision.rule, ", expected ", expected);
      }
    }
    return fault.empty() ? check_subscribe(subject, topics) : fault;
  }

  [[nodiscard]] std::string describe() const {
    std::string text = cat("user ", identity_.user_name, " client ", client_id_);
    for (const RuleConfig& rule : configs_) {
      text += cat("\n", rule.effect == RuleEffect::allow ? "allow" : "deny");
      for (const auto& filter : rule.topics)
        text += cat(" ", filter);
    }
    return text;
  }

 private:
  using Levels = std::vector<std::string>;

  unsigned draw(unsigned count) {
    if (bytes_.empty()) return 0;
    const unsigned value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value % count;
  }
  template <std::size_t N>
  std::string pick(const char* const (&texts)[N]) {
    return texts[draw(N)];
  }
  Qos qos() { return static_cast<Qos>(draw(3)); }

  std::string filter(bool with_values) {
    static constexpr const char* kPlain[] = {"a", "b", "+", "", "ab", "+", "a", "#"};
    static constexpr const char* kValues[] = {"${clientid}", "${username}", "${cert.cn}",
                                              "${clientid}b", "a${username}"};
    std::string text;
    for (unsigned depth = 1 + draw(3); depth != 0; --depth) {
      std::string level = pick(kPlain);
      if (with_values && draw(5) == 0) level = pick(kValues);
      if (text.empty() && draw(8) == 0) level = "$s";
      text += level;
      if (level == "#") break;
      if (depth > 1) text += '/';
    }
    return text.empty() ? "a" : text;
  }

  RuleConfig rule() {
    RuleConfig config;
    config.effect = draw(2) == 0 ? RuleEffect::allow : RuleEffect::deny;
    static constexpr const char* kUsers[] = {"u", "v", "*", "$anonymous"};
    if (draw(3) == 0) config.users.push_back(pick(kUsers));
    if (draw(6) == 0) config.users.push_back(pick(kUsers));
    if (draw(6) == 0) config.groups.push_back(pick({"g", "h"}));
    if (draw(6) == 0) config.roles.push_back(pick({"r", "s"}));
    if (draw(8) == 0) config.clients.push_back(pick({"a", "b"}));
    for (unsigned count = 1 + draw(2); count != 0; --count)
      config.topics.push_back(filter(true));
    if (draw(4) == 0) config.retain = static_cast<RuleKind>(draw(3));
    if (draw(4) == 0) config.shared = static_cast<RuleKind>(draw(3));
    if (draw(4) == 0) config.qos_max = qos();
    return config;
  }

  void draw_all() {
    AuthConfig auth;
    auth.users = {{"u", {"g"}, {}}, {"v", {"h"}, {"s"}}};
    auth.groups = {{"g", {"r"}}, {"h", {}}};
    identity_.user_name = pick({"u", "v", "", "a"});
    client_id_ = pick({"a", "b", "ab", "a/b", "+", "#", "$s"});
    auto grants = std::make_unique<Grants>();
    if (draw(4) == 0) grants->groups.push_back(pick({"g", "h"}));
    if (draw(2) == 0) grants->certificate.cn = pick({"a", "b", "+"});
    const unsigned own = draw(3) == 0 ? 1 : 0;
    const unsigned count = own + draw(5);
    RuleList list;
    for (unsigned i = 0; i < count; ++i) {
      RuleConfig config = rule();
      Rule parsed;
      std::string error;
      if (!parse_rule(config, parsed, error)) std::abort();
      configs_.push_back(std::move(config));
      (i < own ? grants->rules : list).push_back(std::move(parsed));
    }
    grants_ = grants.get();
    identity_.grants = std::move(grants);
    rules_ = Rules(std::move(list), auth);
  }

  // The plain reading -----------------------------------------------------------------------------

  static const std::vector<std::string>& all_topics() {
    static const std::vector<std::string> kTopics = [] {
      std::vector<std::string> topics;
      std::vector<std::string> longest{"a", "b", "z", "ab", "", "$s"};
      for (int depth = 1; depth <= 4; ++depth) {
        std::vector<std::string> longer;
        for (const std::string& topic : longest) {
          if (!topic.empty()) topics.push_back(topic);
          for (const char* level : {"a", "b", "z", "ab", ""})
            longer.push_back(cat(topic, "/", level));
        }
        longest = std::move(longer);
      }
      return topics;
    }();
    return kTopics;
  }

  static Levels split(const std::string& text) {
    Levels levels;
    for (TopicLevels rest(text); rest.next();)
      levels.emplace_back(rest.level());
    return levels;
  }

  /// The level with the client's values; nothing if one can't be used.
  std::optional<std::string> fill(std::string level, bool first) const {
    const std::pair<std::string, std::string> values[] = {{"${clientid}", client_id_},
                                                          {"${username}", identity_.user_name},
                                                          {"${cert.cn}", grants_->certificate.cn}};
    for (const auto& [name, value] : values) {
      const auto at = level.find(name);
      if (at == level.npos) continue;
      if (value.empty() || value.find_first_of("/+#") != value.npos) return std::nullopt;
      if (first && at == 0 && value[0] == '$') return std::nullopt;
      return level.replace(at, name.size(), value);
    }
    return level;
  }

  bool matches(const RuleConfig& rule, const std::string& filter, const std::string& topic) const {
    const Levels wanted = split(filter);
    const Levels given = split(topic);
    const bool dollar = topic[0] == '$';
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i] == "#") return !(dollar && i == 0);
      if (i >= given.size()) return false;
      if (wanted[i] == "+") {
        if (dollar && i == 0) return false;
        continue;
      }
      const auto level = fill(wanted[i], i == 0);
      if (!level && rule.effect == RuleEffect::allow) return false;
      if (level && *level != given[i]) return false;
    }
    return wanted.size() == given.size();
  }

  /// An allowance one of whose values can't be used is about nothing, whatever its other levels
  /// say.
  bool usable(const RuleConfig& rule, const std::string& filter) const {
    const Levels levels = split(filter);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (rule.effect == RuleEffect::allow && !fill(levels[i], i == 0)) return false;
    }
    return true;
  }

  static bool has(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  bool about_client(const RuleConfig& rule) const {
    if (!rule.clients.empty() && !has(rule.clients, client_id_)) return false;
    if (rule.users.empty() && rule.groups.empty() && rule.roles.empty()) return true;
    const std::string& user = identity_.user_name;
    if (has(rule.users, user.empty() ? "$anonymous" : "*")) return true;
    if (!user.empty() && has(rule.users, user)) return true;
    std::vector<std::string> groups = grants_->groups;
    if (user == "u") groups.emplace_back("g");
    if (user == "v") groups.emplace_back("h");
    for (const auto& group : groups) {
      if (has(rule.groups, group) || (group == "g" && has(rule.roles, "r"))) return true;
    }
    return user == "v" && has(rule.roles, "s");
  }

  static bool fits(RuleKind kind, bool is) {
    return kind == RuleKind::any || is == (kind == RuleKind::only);
  }

  bool about(const RuleConfig& rule, const Request& request) const {
    if (!about_client(rule)) return false;
    if (request.action == Action::publish ? !fits(rule.retain, request.retain)
                                          : !fits(rule.shared, request.shared)) {
      return false;
    }
    return rule.effect == RuleEffect::deny || request.qos <= rule.qos_max;
  }

  std::uint32_t decider(const Request& request) const {
    for (std::size_t i = 0; i < configs_.size(); ++i) {
      if (!about(configs_[i], request)) continue;
      for (const auto& filter : configs_[i].topics) {
        if (usable(configs_[i], filter) &&
            matches(configs_[i], filter, std::string(request.topic))) {
          return static_cast<std::uint32_t>(i);
        }
      }
    }
    return Decision::kNoRule;
  }
  bool allows(std::uint32_t rule) const {
    if (rule == Decision::kNoRule) return configs_.empty();
    return configs_[rule].effect == RuleEffect::allow;
  }

  // Subscriptions ---------------------------------------------------------------------------------

  std::string check_subscribe(const Subject& subject, const std::vector<std::string>& topics) {
    const std::string wanted = filter(false);
    Request request{Action::subscribe, wanted, qos(), false, draw(2) == 1};
    const Decision decision = rules_.decide(subject, request);
    std::size_t matched = 0;
    std::size_t allowed = 0;
    std::vector<std::string> asked;
    for (const std::string& topic : topics) {
      if (!topic_matches(wanted, topic)) continue;
      asked.push_back(topic);
      const Request receive{Action::receive, topic, decision.qos_max, false, request.shared};
      const auto by = decider(receive);
      ++matched;
      if (allows(by)) ++allowed;
      if (rules_.decide(subject, receive).rule != by) return cat(wanted, ": receive ", topic);
    }
    const std::string said = cat(wanted, ": ", static_cast<int>(decision.verdict), " with ",
                                 allowed, " of ", matched, " allowed");
    if (decision.verdict == Decision::Verdict::allowed && allowed != matched) return said;
    if (decision.verdict == Decision::Verdict::denied && allowed != 0) return said;
    if (decision.verdict == Decision::Verdict::partly && covered_at_once(asked, request) &&
        wanted != "/#") {
      return cat(said, ", which one rule decides");
    }
    return {};
  }

  /// One filter of the first rule that says something matches all of the topics.
  bool covered_at_once(const std::vector<std::string>& topics, Request request) const {
    request.qos = Qos::at_most_once;
    for (const RuleConfig& rule : configs_) {
      if (!about(rule, request)) continue;
      bool touched = false;
      for (const auto& filter : rule.topics) {
        if (!usable(rule, filter)) continue;
        const auto count = std::count_if(topics.begin(), topics.end(), [&](const auto& topic) {
          return matches(rule, filter, topic);
        });
        if (static_cast<std::size_t>(count) == topics.size()) return true;
        // A value need not be of the small alphabet.
        touched = touched || count != 0 || filter.find("${") != filter.npos;
      }
      if (touched) return false;
    }
    return false;
  }

  std::span<const unsigned char> bytes_;
  std::vector<RuleConfig> configs_;  // the client's own first
  Rules rules_;
  Identity identity_;
  const Grants* grants_ = nullptr;
  std::string client_id_;
};

}  // namespace linnet::auth

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "auth/rules.hpp"
#include "base/cat.hpp"
#include "base/topic.hpp"
#include "base/utf8.hpp"
#include "cli/options.hpp"
#include "config/load.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;
using auth::Decision;
using auth::RuleLook;

struct Explanation {
  auth::Decision decision;
  std::string name;  // of the rule that has decided
  std::vector<RuleLook> looks;
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  std::size_t others = 0;  // rules that are about other users
};

std::string_view verdict_of(const Decision& decision) {
  switch (decision.verdict) {
    case Decision::Verdict::allowed: return "allowed";
    case Decision::Verdict::partly: return "partly";
    case Decision::Verdict::denied: return "denied";
  }
  return "denied";
}

/// A word for scripts, and why the rule does or does not decide.
struct LookText {
  std::string_view word;
  std::string_view sentence;
};
LookText text_of(RuleLook look) {
  switch (look) {
    case RuleLook::subject: return {"subject", "it is about other users"};
    case RuleLook::client: return {"client", "it is about other client identifiers"};
    case RuleLook::names:
      return {"names",
              "patterns are not about a client with + or # in its user name or identifier"};
    case RuleLook::topic: return {"topic", "it is about other topics"};
    case RuleLook::retain: return {"retain", "it is about messages whose retain flag differs"};
    case RuleLook::shared:
      return {"shared", "it is about shared subscriptions, or about the others, and this differs"};
    case RuleLook::qos: return {"qos", "it allows no QoS that high"};
    case RuleLook::part: return {"part", "it is about some of the filter's topics"};
    case RuleLook::whole: return {"decides", "it decides"};
  }
  return {"topic", ""};
}

/// The request in the words of the rules; false if the topic is none.
bool parse_request(const ExplainOptions& options, auth::Request& request, std::string& error) {
  request.topic = options.topic;
  request.qos = static_cast<Qos>(options.qos);
  request.retain = options.retain;
  request.action = options.action == "publish"     ? auth::Action::publish
                   : options.action == "subscribe" ? auth::Action::subscribe
                                                   : auth::Action::receive;
  const TopicLimits limits{65'535, 65'535};
  bool valid = is_mqtt_utf8(request.topic);
  if (request.action == auth::Action::subscribe) {
    const SplitFilter split = split_shared_filter(request.topic);
    request.topic = split.parts.filter;
    request.shared = !split.parts.group.empty();
    valid = valid && split.valid && is_topic_filter(request.topic, limits);
    error = "is no topic filter; + and # stand alone in their level, and # in the last";
  } else {
    valid = valid && is_topic_name(request.topic, limits);
    error = "is no topic name; it has at least one character, and neither + nor #";
  }
  return valid;
}

std::optional<auth::Rules> load(const ExplainOptions& options) {
  const config::LoadResult result = config::load(options.config_path);
  for (const config::ConfigError& error : result.errors)
    print_error(to_string(error));
  if (!result.ok()) return std::nullopt;
  std::vector<std::string> errors;
  auto rules = auth::load_rules(result.config.auth, errors);
  for (const std::string& error : errors)
    print_error(error);
  return rules;
}

Explanation ask(const auth::Rules& rules, const auth::Subject& subject,
                const auth::Request& request) {
  Explanation found;
  found.decision = rules.decide(subject, request);
  found.name = rules.name_of(subject, found.decision);
  found.looks = rules.explain(subject, request);
  found.groups = rules.groups_of(subject.identity);
  found.roles = rules.roles_of(subject.identity);
  for (const RuleLook look : found.looks)
    found.others += look == RuleLook::subject ? 1 : 0;
  return found;
}

json::object rule_object(const auth::Rules& rules, std::size_t index) {
  const auth::Rule& rule = rules.list()[index];
  return {{"number", index + 1}, {"place", rule.place}, {"text", rule.text}};
}

void print_json(const auth::Rules& rules, const Explanation& found) {
  const Decision& decision = found.decision;
  json::object line{{"verdict", verdict_of(decision)}, {"reason", found.name}};
  line["qos_max"] = static_cast<unsigned>(decision.qos_max);
  line["rule"] = nullptr;
  if (decision.rule != Decision::kNoRule) line["rule"] = rule_object(rules, decision.rule);
  line["groups"] = json::value_from(found.groups);
  line["roles"] = json::value_from(found.roles);
  line["others"] = found.others;
  json::array looked_at;
  for (std::size_t i = 0; i < found.looks.size(); ++i) {
    if (found.looks[i] == RuleLook::subject) continue;
    json::object rule = rule_object(rules, i);
    rule["look"] = text_of(found.looks[i]).word;
    looked_at.push_back(std::move(rule));
  }
  line["looked_at"] = std::move(looked_at);
  print_line(std::string(json::serialize(line)));
}

std::string joined(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names)
    text += cat(text.empty() ? "" : ", ", name);
  return text.empty() ? "none" : text;
}

std::string headline(const ExplainOptions& options, const Decision& decision) {
  const std::string who = options.user.empty() ? "an anonymous client" : options.user;
  const std::string what = cat(options.action,
                               options.action == "publish"     ? " to "
                               : options.action == "subscribe" ? " with "
                                                               : " messages of ",
                               options.topic);
  std::string text =
      cat(verdict_of(decision), ": ", who, decision.denied() ? " may not " : " may ", what);
  if (decision.verdict == Decision::Verdict::partly) {
    text += ", and gets the messages of those of its topics that it may receive";
  }
  if (options.action == "subscribe" && !decision.denied()) {
    text += cat("; with QoS ", static_cast<unsigned>(decision.qos_max), " at most");
  }
  return text;
}

void print_text(const ExplainOptions& options, const auth::Rules& rules, const Explanation& found) {
  print_line(headline(options, found.decision));
  const bool by_rule = found.decision.rule != Decision::kNoRule;
  print_line(by_rule ? cat("by ", found.name, ": ", rules.list()[found.decision.rule].text)
                     : cat("since ", found.name));
  print_line(cat("groups: ", joined(found.groups)));
  print_line(cat("roles: ", joined(found.roles)));
  if (found.looks.size() > found.others) print_line("rules that were looked at:");
  for (std::size_t i = 0; i < found.looks.size(); ++i) {
    if (found.looks[i] == RuleLook::subject) continue;
    const auth::Rule& rule = rules.list()[i];
    print_line(cat("  rule ", i + 1, " (", rule.place, "): ", rule.text));
    print_line(cat("    ", text_of(found.looks[i]).sentence));
  }
  if (found.others != 0) print_line(cat("passed over, about other users: ", found.others));
}

}  // namespace

int explain(const ExplainOptions& options) {
  auth::Request request;
  std::string error;
  if (!parse_request(options, request, error)) {
    print_error(cat("linnet: \"", options.topic, "\" ", error));
    return kWrongUsage;
  }
  const auto rules = load(options);
  if (!rules) return kWrongUsage;
  auto grants = std::make_unique<auth::Grants>();
  grants->groups = options.groups;
  grants->certificate.cn = options.cert_cn;
  const auth::Identity identity{options.user, std::move(grants), auth::Method::none};
  const Explanation found = ask(*rules, {identity, options.client_id}, request);
  if (options.json) {
    print_json(*rules, found);
  } else {
    print_text(options, *rules, found);
  }
  return found.decision.denied() ? kFailed : kOk;
}

}  // namespace linnet::cli

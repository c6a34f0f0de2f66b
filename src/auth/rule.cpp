#include "auth/rule.hpp"

#include <array>
#include <cstddef>
#include <limits>
#include <utility>

#include "base/cat.hpp"
#include "base/topic.hpp"
#include "base/utf8.hpp"

namespace linnet::auth {
namespace {

/// How a value is written in the configuration, and in an acl_file if it can be there.
struct Spelling {
  RuleValue value;
  std::string_view braces;
  char percent;  // NUL: has none
};
constexpr std::array kSpellings{
    Spelling{RuleValue::client_id, "clientid", 'c'},
    Spelling{RuleValue::user_name, "username", 'u'},
    Spelling{RuleValue::cert_cn, "cert.cn", '\0'},
    Spelling{RuleValue::cert_subject, "cert.subject", '\0'},
    Spelling{RuleValue::cert_san, "cert.san", '\0'},
};
constexpr std::string_view kAllBraces =
    "there are ${clientid}, ${username}, ${cert.cn}, ${cert.subject} and ${cert.san}";
constexpr TopicLimits kAnyTopic{65'535, std::numeric_limits<std::uint16_t>::max()};

void append(RuleFilter& filter, RuleValue value) {
  filter.code.push_back(rule_value_byte(value));
  filter.values = static_cast<std::uint8_t>(filter.values | 1U << static_cast<unsigned>(value));
}

void replace_percents(std::string_view text, RuleFilter& filter) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char next = text[at] == '%' && at + 1 < text.size() ? text[at + 1] : '\0';
    const Spelling* found = nullptr;
    for (const Spelling& spelling : kSpellings) {
      if (next != '\0' && spelling.percent == next) found = &spelling;
    }
    if (found == nullptr) {
      filter.code.push_back(text[at]);
    } else {
      append(filter, found->value);
      ++at;
    }
  }
}

bool replace_braces(std::string_view text, RuleFilter& filter, std::string& error) {
  while (!text.empty()) {
    const auto begin = text.find("${");
    filter.code.append(text.substr(0, begin));
    if (begin == text.npos) return true;
    text.remove_prefix(begin + 2);
    const auto end = text.find('}');
    if (end == text.npos) {
      error = cat("has a ${ without its }; ", kAllBraces);
      return false;
    }
    const auto name = text.substr(0, end);
    text.remove_prefix(end + 1);
    const Spelling* found = nullptr;
    for (const Spelling& spelling : kSpellings) {
      if (spelling.braces == name) found = &spelling;
    }
    if (found == nullptr) {
      error = cat("has ${", name, "}, which nobody knows; ", kAllBraces);
      return false;
    }
    append(filter, found->value);
  }
  return true;
}

/// Of the text as it is written, since what is put in later can't have wildcards.
bool check_text(std::string_view text, std::string& error) {
  if (text.empty()) {
    error = "is empty; a topic filter has at least one character, and # is all topics";
  } else if (text.size() > kAnyTopic.length_max) {
    error = "is longer than 65535 bytes";
  } else if (!is_mqtt_utf8(text)) {
    error = "is not UTF-8, or has a NUL in it";
  } else {
    return true;
  }
  return false;
}

bool check_code(const RuleFilter& filter, std::string& error) {
  if (is_topic_filter(filter.code, kAnyTopic)) return true;
  error = "has a wildcard in a wrong place; + and # stand alone in their level, and # in the last";
  return false;
}

bool add_filters(const std::vector<std::string>& texts, std::string_view key,
                 std::vector<RuleFilter>& filters, std::string& error) {
  for (const std::string& text : texts) {
    RuleFilter filter;
    std::string fault;
    if (text.starts_with("$share/")) {
      fault =
          "begins with $share/; write the filter alone, and say shared = \"only\" if the rule "
          "is about shared subscriptions alone";
    }
    if (!fault.empty() || !parse_rule_filter(text, false, filter, fault)) {
      error = cat("auth.rule.", key, ": \"", text, "\" ", fault);
      return false;
    }
    filters.push_back(std::move(filter));
  }
  return true;
}

bool add_users(const std::vector<std::string>& users, RuleSubjects& subjects, std::string& error) {
  for (const std::string& user : users) {
    if (user == "*") {
      subjects.any_named = true;
    } else if (user == "$anonymous") {
      subjects.anonymous = true;
    } else if (user.empty()) {
      error = "auth.rule.users: \"\" is no user name; who has none is \"$anonymous\"";
      return false;
    } else {
      subjects.users.push_back(user);
    }
  }
  return true;
}

bool add_names(const std::vector<std::string>& names, std::string_view key,
               std::vector<std::string>& into, std::string& error) {
  for (const std::string& name : names) {
    if (name.empty()) {
      error = cat("auth.rule.", key, ": has an empty name; remove it");
      return false;
    }
    into.push_back(name);
  }
  return true;
}

void append_list(std::string& text, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  text += cat(" ", key, " ");
  for (std::size_t i = 0; i < values.size(); ++i)
    text += cat(i == 0 ? "" : ", ", '"', values[i], '"');
}

void append_kind(std::string& text, std::string_view key, RuleKind kind) {
  if (kind == RuleKind::only) text += cat(" ", key, " only");
  if (kind == RuleKind::never) text += cat(" ", key, " never");
}

std::string text_of(const RuleConfig& config) {
  std::string text = config.effect == RuleEffect::allow ? "allow" : "deny";
  append_list(text, "users", config.users);
  append_list(text, "groups", config.groups);
  append_list(text, "roles", config.roles);
  append_list(text, "clients", config.clients);
  append_list(text, "publish", config.publish);
  append_list(text, "subscribe", config.subscribe);
  append_list(text, "topics", config.topics);
  append_kind(text, "retain", config.retain);
  append_kind(text, "shared", config.shared);
  if (config.qos_max != Qos::exactly_once) {
    text += cat(" qos_max ", static_cast<unsigned>(config.qos_max));
  }
  return text;
}

}  // namespace

bool parse_rule_filter(std::string_view text, bool percent, RuleFilter& filter,
                       std::string& error) {
  filter = {};
  if (!check_text(text, error)) return false;
  if (percent) {
    replace_percents(text, filter);
  } else if (!replace_braces(text, filter, error)) {
    return false;
  }
  return check_code(filter, error);
}

bool parse_plain_filter(std::string_view text, RuleFilter& filter, std::string& error) {
  filter = {};
  if (!check_text(text, error)) return false;
  filter.code = text;
  return check_code(filter, error);
}

bool parse_rule(const RuleConfig& config, Rule& rule, std::string& error) {
  rule = {};
  rule.effect = config.effect;
  rule.retain = config.retain;
  rule.shared = config.shared;
  rule.qos_max = config.qos_max;
  if (!add_users(config.users, rule.subjects, error) ||
      !add_names(config.groups, "groups", rule.subjects.groups, error) ||
      !add_names(config.roles, "roles", rule.subjects.roles, error) ||
      !add_names(config.clients, "clients", rule.subjects.clients, error) ||
      !add_filters(config.publish, "publish", rule.publish, error) ||
      !add_filters(config.subscribe, "subscribe", rule.subscribe, error) ||
      !add_filters(config.topics, "topics", rule.publish, error) ||
      !add_filters(config.topics, "topics", rule.subscribe, error)) {
    return false;
  }
  if (rule.publish.empty() && rule.subscribe.empty()) {
    error =
        "auth.rule: has no topics; give it publish, subscribe or topics, such as "
        "topics = [\"#\"]";
    return false;
  }
  rule.text = text_of(config);
  rule.place = config.place;
  return true;
}

}  // namespace linnet::auth

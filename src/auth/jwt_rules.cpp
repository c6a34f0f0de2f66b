#include "auth/jwt_rules.hpp"

#include <optional>

#include <boost/json.hpp>

#include "base/cat.hpp"

namespace linnet::auth {

namespace {

namespace json = boost::json;

// A rule while it is read, member by member.
struct Draft {
  std::optional<RuleEffect> effect;
  bool publish = false;
  bool subscribe = false;
  std::vector<std::string_view> topics;
  Rule rule;
};

std::string_view view(const json::string& text) noexcept {
  return {text.data(), text.size()};
}

const char* read_effect(const json::value& value, Draft& draft) {
  constexpr const char* kFault = "has a permission that is not \"allow\" or \"deny\"";
  if (draft.effect) return "has a permission and an effect, which are the same";
  if (!value.is_string()) return kFault;
  const auto text = view(value.get_string());
  if (text != "allow" && text != "deny") return kFault;
  draft.effect = text == "allow" ? RuleEffect::allow : RuleEffect::deny;
  return nullptr;
}

const char* read_action(const json::value& value, Draft& draft) {
  const auto text = value.is_string() ? view(value.get_string()) : std::string_view();
  draft.publish = text == "publish" || text == "all";
  draft.subscribe = text == "subscribe" || text == "all";
  if (draft.publish || draft.subscribe) return nullptr;
  return "has an action that is not \"publish\", \"subscribe\" or \"all\"";
}

const char* read_topics(const json::value& value, Draft& draft) {
  if (value.is_string()) {
    draft.topics.push_back(view(value.get_string()));
    return nullptr;
  }
  const auto* const list = value.if_array();
  if (list == nullptr) return "has topics that are neither a text nor a list of texts";
  for (const auto& element : *list) {
    if (!element.is_string()) return "has a topic that is no text";
    draft.topics.push_back(view(element.get_string()));
  }
  return nullptr;
}

const char* read_kind(const json::value& value, RuleKind& kind) {
  if (!value.is_bool()) return "has a `retain` or `shared` that is not true or false";
  kind = value.get_bool() ? RuleKind::only : RuleKind::never;
  return nullptr;
}

const char* read_qos_max(const json::value& value, Qos& qos_max) {
  if (!value.is_int64() || value.get_int64() < 0 || value.get_int64() > 2) {
    return "has a qos_max that is not 0, 1 or 2";
  }
  qos_max = static_cast<Qos>(value.get_int64());
  return nullptr;
}

const char* read_member(std::string_view key, const json::value& value, Draft& draft) {
  if (key == "permission" || key == "effect") return read_effect(value, draft);
  if (key == "action") return read_action(value, draft);
  if (key == "topic" || key == "topics") return read_topics(value, draft);
  if (key == "retain") return read_kind(value, draft.rule.retain);
  if (key == "shared") return read_kind(value, draft.rule.shared);
  if (key == "qos_max") return read_qos_max(value, draft.rule.qos_max);
  // Whatever it is, it was meant to narrow the rule.
  return "has a member that is not known here";
}

const char* add_filters(Draft& draft) {
  for (const auto topic : draft.topics) {
    // EMQX's way to say that wildcards are none. No filter of ours means the same.
    if (topic.starts_with("eq ")) return "has a topic that begins with \"eq \"";
    RuleFilter filter;
    std::string error;  // shows the filter, so it stays here
    if (!parse_rule_filter(topic, false, filter, error)) {
      return "has a topic that is no topic filter";
    }
    if (draft.publish) draft.rule.publish.push_back(filter);
    if (draft.subscribe) draft.rule.subscribe.push_back(std::move(filter));
  }
  return nullptr;
}

std::string text_of(const Draft& draft) {
  std::string text(draft.effect == RuleEffect::allow ? "allow " : "deny ");
  text += draft.publish && draft.subscribe ? "all" : draft.publish ? "publish" : "subscribe";
  for (const auto topic : draft.topics)
    text += cat(' ', topic);
  return text;
}

const char* read_rule(const json::value& value, Draft& draft) {
  const auto* const members = value.if_object();
  if (members == nullptr) return "is no object";
  for (const auto& member : *members) {
    const std::string_view key(member.key().data(), member.key().size());
    if (const char* fault = read_member(key, member.value(), draft)) return fault;
  }
  if (!draft.effect) return "has no permission";
  if (!draft.publish && !draft.subscribe) return "has no action";
  if (draft.topics.empty()) return "has no topic";
  if (draft.topics.size() > kClaimFiltersMax) return "has too many topics";
  draft.rule.effect = *draft.effect;
  draft.rule.text = text_of(draft);
  return add_filters(draft);
}

}  // namespace

bool read_rule_claim(const json::value& claim, RuleList& rules, std::string& fault) {
  const auto* const list = claim.if_array();
  if (list == nullptr) {
    fault = "is no list of rules";
    return false;
  }
  if (list->size() > kClaimRulesMax) {
    fault = cat("has more than ", kClaimRulesMax, " rules");
    return false;
  }
  std::size_t filters = 0;
  for (std::size_t i = 0; i < list->size(); ++i) {
    Draft draft;
    const char* error = read_rule((*list)[i], draft);
    filters += draft.topics.size();
    if (error == nullptr && filters > kClaimFiltersMax) error = "has one topic too many";
    if (error != nullptr) {
      fault = cat("rule ", i + 1, " ", error);
      return false;
    }
    rules.push_back(std::move(draft.rule));
  }
  return true;
}

}  // namespace linnet::auth

#include "auth/rule_match.hpp"

#include <algorithm>

#include "base/topic.hpp"

namespace linnet::auth {
namespace {

constexpr unsigned kFirstMark = 0xF8;  // UTF-8 has no byte from here on

bool is_mark(char byte) noexcept {
  return static_cast<unsigned char>(byte) >= kFirstMark;
}

bool is_any(std::string_view level) noexcept {
  return level.size() == 1 && level[0] == kAnyLevel;
}

/// + and #, which do not match a first level that begins with $.
bool begins_wild(std::string_view filter) noexcept {
  return filter.starts_with('+') || filter.starts_with('#');
}

/// A filter's level by level. Unlike TopicLevels it can wait, see filter_covers().
struct Levels {
  explicit Levels(std::string_view filter) noexcept : levels(filter), more(levels.next()) {}
  void next() noexcept { more = levels.next(); }
  [[nodiscard]] bool is(std::string_view text) const noexcept { return levels.level() == text; }
  [[nodiscard]] bool one() const noexcept { return is("+") || is_any(levels.level()); }

  TopicLevels levels;
  bool more;
};

/// Appends the level with what it needs; false if a value is missing.
bool append_level(std::string_view level, const RuleValues& values, FilterText& room) {
  const bool first = room.empty();
  for (std::size_t at = 0; at < level.size(); ++at) {
    if (!is_mark(level[at])) {
      room.push_back(level[at]);
      continue;
    }
    const auto index = static_cast<unsigned char>(level[at]) - kFirstMark;
    const auto value = values.find(static_cast<RuleValue>(index));
    // Who calls itself $SYS has no right to $SYS/…: like a wildcard, a value is no such beginning.
    if (value.empty() || (first && at == 0 && value.starts_with('$'))) return false;
    room.insert(room.end(), value.begin(), value.end());
  }
  return true;
}

bool kind_fits(RuleKind kind, bool is) noexcept {
  return kind == RuleKind::any || (kind == RuleKind::only) == is;
}

bool has_plain_names(const Subject& subject) noexcept {
  return subject.client_id.find_first_of("+#") == std::string_view::npos &&
         subject.identity.user_name.find_first_of("+#") == std::string::npos;
}

}  // namespace

std::string_view RuleValues::raw(RuleValue value) const noexcept {
  static constexpr std::string_view kNone;
  const Grants* grants = subject_.identity.grants.get();
  const CertificateNames* names = grants != nullptr ? &grants->certificate : nullptr;
  switch (value) {
    case RuleValue::client_id: return subject_.client_id;
    case RuleValue::user_name: return subject_.identity.user_name;
    case RuleValue::cert_cn: return names != nullptr ? std::string_view(names->cn) : kNone;
    case RuleValue::cert_subject:
      return names != nullptr ? std::string_view(names->subject) : kNone;
    case RuleValue::cert_san: return names != nullptr ? std::string_view(names->san) : kNone;
  }
  return kNone;
}

std::string_view RuleValues::find(RuleValue value) const noexcept {
  const auto text = raw(value);
  const bool usable = std::none_of(text.begin(), text.end(), [](char byte) {
    return byte == '/' || byte == '+' || byte == '#' || byte == '\0' || is_mark(byte);
  });
  return usable ? text : std::string_view();
}

std::string_view expand(std::string_view code, RuleEffect effect, const RuleValues& values,
                        FilterText& room) {
  room.clear();
  for (TopicLevels levels(code); levels.next();) {
    const auto begin = room.size();
    if (!append_level(levels.level(), values, room)) {
      if (effect == RuleEffect::allow) return {};
      room.resize(begin);
      room.push_back(kAnyLevel);
    }
    if (!levels.last()) room.push_back('/');
  }
  return {room.data(), room.size()};
}

bool filter_matches(std::string_view filter, std::string_view topic) noexcept {
  if (topic.starts_with('$') && begins_wild(filter)) return false;
  std::size_t at = 0;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const char wanted = filter[i];
    if (wanted == '#') return true;
    if (wanted == '+' || wanted == kAnyLevel) {
      at = std::min(topic.find('/', at), topic.size());
    } else if (at == topic.size()) {
      return filter.substr(i) == "/#";  // it matches the level above, too
    } else if (topic[at] != wanted) {
      return false;
    } else {
      ++at;
    }
  }
  return at == topic.size();
}

bool filter_covers(std::string_view filter, std::string_view wanted) noexcept {
  if (wanted.starts_with('$') && begins_wild(filter)) return false;
  Levels mine(filter);
  Levels asked(wanted);
  for (bool first = true; mine.more; first = false) {
    if (mine.is("#")) return true;
    if (!asked.more) return false;
    if (asked.is("#")) {
      // Every topic has a first level, so that +/# is as much as #; further down # matches the
      // level above, and a level more does not.
      if (!first || !mine.one()) return false;
      mine.next();
      return mine.more && mine.is("#");
    }
    if (!mine.one() && (asked.one() || !mine.is(asked.levels.level()))) return false;
    mine.next();
    asked.next();
  }
  return !asked.more;
}

bool filters_overlap(std::string_view filter, std::string_view wanted) noexcept {
  if ((wanted.starts_with('$') && begins_wild(filter)) ||
      (filter.starts_with('$') && begins_wild(wanted))) {
    return false;
  }
  Levels mine(filter);
  Levels asked(wanted);
  while (mine.more && asked.more) {
    if (mine.is("#") || asked.is("#")) return true;
    if (!mine.one() && !asked.one() && !mine.is(asked.levels.level())) return false;
    mine.next();
    asked.next();
  }
  if (mine.more) return mine.is("#") && filter != "/#";  // what "/#" and "+" share is no topic
  if (asked.more) return asked.is("#") && wanted != "/#";
  return true;
}

RuleTerms terms_of(const Rule& rule) noexcept {
  return {rule.effect, rule.retain, rule.shared, rule.qos_max, rule.subjects.plain_names_only};
}

bool FilterLook::go_on(std::string_view code, std::uint8_t needed_values) {
  const auto text = needed_values == 0 ? code : expand(code, effect_, values_, room_);
  if (text.empty()) return true;
  if (request_.action != Action::subscribe) {
    if (!filter_matches(text, request_.topic)) return true;
    found_ = RuleLook::whole;
    return false;
  }
  if (!filters_overlap(text, request_.topic)) return true;
  const bool whole = filter_covers(text, request_.topic);
  found_ = whole ? RuleLook::whole : RuleLook::part;
  return !whole;
}

bool names_client(const RuleSubjects& subjects, const Subject& subject) {
  const auto& clients = subjects.clients;
  return clients.empty() ||
         std::find(clients.begin(), clients.end(), subject.client_id) != clients.end();
}

RuleLook look_at_terms(RuleLook filters, const RuleTerms& terms, const RuleValues& values,
                       const Request& request) noexcept {
  if (filters == RuleLook::topic) return filters;
  if (terms.plain_names_only && !has_plain_names(values.subject())) return RuleLook::names;
  if (request.action == Action::publish) {
    if (!kind_fits(terms.retain, request.retain)) return RuleLook::retain;
  } else if (!kind_fits(terms.shared, request.shared)) {
    return RuleLook::shared;
  }
  // A subscription is granted with less instead.
  if (request.action != Action::subscribe && terms.effect == RuleEffect::allow &&
      terms.qos_max < request.qos) {
    return RuleLook::qos;
  }
  return filters;
}

RuleLook look_at(const Rule& rule, const RuleValues& values, const Request& request) {
  if (!names_client(rule.subjects, values.subject())) return RuleLook::client;
  FilterLook look(rule.effect, values, request);
  for (const RuleFilter& filter :
       request.action == Action::publish ? rule.publish : rule.subscribe) {
    if (!look.go_on(filter.code, filter.values)) break;
  }
  return look_at_terms(look.found(), terms_of(rule), values, request);
}

}  // namespace linnet::auth

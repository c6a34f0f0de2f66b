#include "broker/reload_diff.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/cat.hpp"
#include "config/keys.hpp"
#include "config/value.hpp"

namespace linnet {

namespace {

using config::Key;
using config::KeyType;

constexpr std::string_view kListener = "listener";
/// What follows the host may be a token of the service.
constexpr std::string_view kNotShown = "auth.http.url";

std::string value_text(const Key& key, const Config& config) {
  if (key.type == KeyType::text) return cat('"', key.field.text(config), '"');
  if (key.type == KeyType::texts) return config::shown(key.field.texts(config));
  return config::number_text(key, key.field.number(config));
}

bool is_same(const Key& key, const Config& one, const Config& other) {
  if (key.type == KeyType::text) return key.field.text(one) == key.field.text(other);
  if (key.type == KeyType::texts) return key.field.texts(one) == key.field.texts(other);
  return key.field.number(one) == key.field.number(other);
}

void copy(const Key& key, const Config& from, Config& to) {
  if (key.type == KeyType::text) return key.field.set_text(to, key.field.text(from));
  if (key.type == KeyType::texts) return key.field.set_texts(to, key.field.texts(from));
  key.field.set_number(to, key.field.number(from));
}

void compare_key(const Key& key, std::string_view name, const Config& running, Config& next,
                 ReloadDiff& diff) {
  if (is_same(key, running, next)) return;
  std::string line = key.name == kNotShown
                         ? cat(name, ": is another one")
                         : cat(name, ": ", value_text(key, running), " -> ", value_text(key, next));
  (key.restart ? diff.needs_restart : diff.changed).push_back(std::move(line));
  if (key.restart) copy(key, running, next);
}

/// Lists of sections have no keys by which their elements could be told apart.
template <class Element>
void compare_list(std::string_view name, const std::vector<Element>& running,
                  const std::vector<Element>& next, ReloadDiff& diff) {
  if (running == next) return;
  diff.changed.push_back(running.size() == next.size()
                             ? cat("[[", name, "]]: is changed")
                             : cat("[[", name, "]]: ", running.size(), " -> ", next.size()));
}

/// Where a rule stands is of no meaning to what it says.
std::vector<RuleConfig> without_places(std::vector<RuleConfig> rules) {
  for (RuleConfig& rule : rules)
    rule.place.clear();
  return rules;
}

}  // namespace

void ReloadDiff::append(ReloadDiff other) {
  std::ranges::move(other.changed, std::back_inserter(changed));
  std::ranges::move(other.needs_restart, std::back_inserter(needs_restart));
}

ReloadDiff compare(const Config& running, Config& next) {
  ReloadDiff diff;
  for (const Key& key : config::all_keys()) {
    // What listeners begin with shows at the listeners.
    if (config::list_of(key) != nullptr || config::listener_key_of(key) != nullptr) continue;
    compare_key(key, key.name, running, next, diff);
  }
  compare_list("share", running.share_groups, next.share_groups, diff);
  compare_list("auth.unix", running.auth.unix_users, next.auth.unix_users, diff);
  compare_list("auth.user", running.auth.users, next.auth.users, diff);
  compare_list("auth.group", running.auth.groups, next.auth.groups, diff);
  compare_list("auth.rule", without_places(running.auth.rules), without_places(next.auth.rules),
               diff);
  return diff;
}

ReloadDiff compare(const ListenerConfig& running, ListenerConfig& next) {
  // A listener's keys work on the last listener of a configuration, so each becomes one.
  Config one;
  Config other;
  one.listeners.push_back(running);
  other.listeners.push_back(std::move(next));
  const std::string prefix = cat("listener ", running.url, ": ");
  ReloadDiff diff;
  for (const Key& key : config::all_keys()) {
    const auto* list = config::list_of(key);
    if (list == nullptr || list->name != kListener) continue;
    const std::string_view name = key.name.substr(kListener.size() + 1);
    compare_key(key, cat(prefix, name), one, other, diff);
  }
  next = std::move(other.listeners.back());
  return diff;
}

}  // namespace linnet

#include "config/validate.hpp"

#include <algorithm>

namespace linnet::config {
namespace {

void validate_listeners(const Config& config, std::vector<ConfigConflict>& conflicts) {
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    if (!config.listeners[i].url.empty()) continue;
    conflicts.push_back({"listener.url", i, "is missing; write url = \"mqtt://127.0.0.1:1883\""});
  }
}

void validate_share_groups(const Config& config, std::vector<ConfigConflict>& conflicts) {
  const auto& rules = config.share_groups;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const ShareGroupConfig& rule = rules[i];
    const auto same = [&rule](const ShareGroupConfig& other) { return other.group == rule.group; };
    const auto end = rules.begin() + static_cast<std::ptrdiff_t>(i);
    const bool star = rule.group == "*";
    if (rule.group.empty()) {
      conflicts.push_back({"share.group", i, "is missing; name a group, or \"*\" for all"});
    } else if (!star && rule.group.find_first_of("/+#*") != std::string::npos) {
      conflicts.push_back(
          {"share.group", i,
           '"' + rule.group + "\" is not a group's name: it must not contain " + "/, +, # or *"});
    } else if (std::any_of(rules.begin(), end, same)) {
      conflicts.push_back({"share.group", i, '"' + rule.group + "\" has two rules; remove one"});
    }
    const bool hashes_property = rule.strategy == ShareStrategy::hash_property;
    if (hashes_property && rule.property.empty()) {
      conflicts.push_back(
          {"share.property", i,
           "is missing; strategy \"hash_property\" needs the User Property's name"});
    } else if (!hashes_property && !rule.property.empty()) {
      conflicts.push_back(
          {"share.property", i, "has no effect without strategy = \"hash_property\"; remove it"});
    }
  }
}

}  // namespace

std::vector<ConfigConflict> validate(const Config& config) {
  std::vector<ConfigConflict> conflicts;
  validate_listeners(config, conflicts);
  validate_share_groups(config, conflicts);
  return conflicts;
}

}  // namespace linnet::config

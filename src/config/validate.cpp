#include "config/validate.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace linnet::config {
namespace {

constexpr std::uint64_t kMemoryMin = 8 << 20;

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

void validate_order(const Config& config, std::vector<ConfigConflict>& conflicts) {
  static constexpr std::array<std::string_view, 6> kMethods{"certificate", "psk", "unix",
                                                            "password",    "jwt", "http"};
  const auto& order = config.auth.order;
  for (auto method = order.begin(); method != order.end(); ++method) {
    if (std::ranges::find(kMethods, *method) == kMethods.end()) {
      conflicts.push_back({"auth.order", 0,
                           '"' + *method + "\" is no way to log in; allowed: certificate, psk, " +
                               "unix, password, jwt, http"});
    } else if (std::find(order.begin(), method, *method) != method) {
      conflicts.push_back({"auth.order", 0, '"' + *method + "\" stands there twice; remove one"});
    }
  }
}

void validate_users(const Config& config, std::vector<ConfigConflict>& conflicts) {
  const auto& auth = config.auth;
  for (std::size_t i = 0; i < auth.unix_users.size(); ++i) {
    const UnixUserConfig& entry = auth.unix_users[i];
    if (entry.user.empty()) {
      conflicts.push_back({"auth.unix.user", i, "is missing; say what the user is called here"});
    }
    if (entry.uid.empty() && entry.gid.empty()) {
      conflicts.push_back({"auth.unix.uid", i, "is missing; name a uid, a gid or both"});
    }
  }
  for (std::size_t i = 0; i < auth.users.size(); ++i) {
    const auto same = [&](const UserConfig& other) { return other.name == auth.users[i].name; };
    if (auth.users[i].name.empty()) {
      conflicts.push_back({"auth.user.name", i, "is missing"});
    } else if (std::any_of(auth.users.begin(), auth.users.begin() + static_cast<long>(i), same)) {
      conflicts.push_back(
          {"auth.user.name", i, '"' + auth.users[i].name + "\" has two sections; make them one"});
    }
  }
  for (std::size_t i = 0; i < auth.groups.size(); ++i) {
    const auto same = [&](const GroupConfig& other) { return other.name == auth.groups[i].name; };
    if (auth.groups[i].name.empty()) {
      conflicts.push_back({"auth.group.name", i, "is missing"});
    } else if (std::any_of(auth.groups.begin(), auth.groups.begin() + static_cast<long>(i), same)) {
      conflicts.push_back(
          {"auth.group.name", i, '"' + auth.groups[i].name + "\" has two sections; make them one"});
    }
  }
}

}  // namespace

std::vector<ConfigConflict> validate(const Config& config) {
  std::vector<ConfigConflict> conflicts;
  validate_listeners(config, conflicts);
  validate_share_groups(config, conflicts);
  if (config.memory_max != 0 && config.memory_max < kMemoryMin) {
    conflicts.push_back({"memory_max", 0,
                         "is too little to serve anybody; allowed: \"8MiB\" and "
                         "more, or 0 for half of what there is"});
  }
  validate_order(config, conflicts);
  validate_users(config, conflicts);
  return conflicts;
}

}  // namespace linnet::config

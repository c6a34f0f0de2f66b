#include "auth/rule_index.hpp"

#include <algorithm>

namespace linnet::auth {
namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void sort_unique(auto& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

}  // namespace

/// Collects the places of the rules by whom they name.
struct RuleIndex::Builder {
  RuleIndex& index;
  ByName<std::uint32_t> by_user{};
  ByName<std::uint32_t> by_group{};
  ByName<std::uint32_t> by_role{};
  std::vector<Places> lists{};

  void add(ByName<std::uint32_t>& names, const std::string& name, std::uint32_t place) {
    const auto next = static_cast<std::uint32_t>(lists.size());
    const auto [found, is_new] = names.try_emplace(name, next);
    if (is_new) lists.emplace_back();
    Places& places = lists[found->second];
    if (places.empty() || places.back() != place) places.push_back(place);
  }

  void add(const RuleSubjects& subjects, std::uint32_t place) {
    if (subjects.everybody()) index.everybody_.push_back(place);
    if (subjects.any_named) index.any_named_.push_back(place);
    if (subjects.anonymous) index.anonymous_.push_back(place);
    for (const std::string& user : subjects.users)
      add(by_user, user, place);
    for (const std::string& group : subjects.groups)
      add(by_group, group, place);
    for (const std::string& role : subjects.roles)
      add(by_role, role, place);
  }

  static void take(const ByName<std::uint32_t>& names, const std::string& name, Member& member) {
    const auto found = names.find(name);
    if (found != names.end()) member.lists.push_back(found->second);
  }

  /// What is named by a rule alone has a list, too.
  void add_members(const ByName<std::uint32_t>& names, ByName<Member>& members) const {
    for (const auto& [name, list] : names)
      members[name].lists.push_back(list);
    for (auto& [name, member] : members) {
      for (const std::string& role : member.roles)
        take(by_role, role, member);
    }
  }

  /// One after the other, so that each is found at once.
  void flatten() const {
    for (const Places& places : lists) {
      const auto begin = static_cast<std::uint32_t>(index.places_.size());
      index.places_.insert(index.places_.end(), places.begin(), places.end());
      index.lists_.push_back({begin, static_cast<std::uint32_t>(index.places_.size())});
    }
  }

  void add_groups_to_users() const {
    for (auto& [name, user] : index.users_) {
      for (const std::string& group : user.groups) {
        const Member* found = RuleIndex::find(index.groups_, group);
        if (found == nullptr) continue;
        user.lists.insert(user.lists.end(), found->lists.begin(), found->lists.end());
      }
      sort_unique(user.lists);
      user.lists.shrink_to_fit();
    }
  }
};

RuleIndex::RuleIndex(const RuleList& rules, const AuthConfig& auth) {
  for (const UserConfig& user : auth.users)
    users_[user.name] = {user.groups, user.roles, {}};
  for (const GroupConfig& group : auth.groups)
    groups_[group.name] = {{}, group.roles, {}};
  Builder builder{*this};
  for (std::size_t place = 0; place < rules.size(); ++place)
    builder.add(rules[place].subjects, static_cast<std::uint32_t>(place));
  builder.add_members(builder.by_group, groups_);
  builder.add_members(builder.by_user, users_);
  builder.add_groups_to_users();
  builder.flatten();
}

const RuleIndex::Member* RuleIndex::find(const ByName<Member>& members, std::string_view name) {
  const auto found = members.find(name);
  return found != members.end() ? &found->second : nullptr;
}

bool RuleIndex::in_group(const Identity& identity, std::string_view group) const {
  if (identity.grants != nullptr && contains(identity.grants->groups, group)) return true;
  if (identity.user_name.empty()) return false;
  const Member* user = find(users_, identity.user_name);
  return user != nullptr && contains(user->groups, group);
}

bool RuleIndex::has_role(const Identity& identity, std::string_view role) const {
  const auto group_has = [&](const std::string& group) {
    const Member* found = find(groups_, group);
    return found != nullptr && contains(found->roles, role);
  };
  if (identity.grants != nullptr) {
    const auto& groups = identity.grants->groups;
    if (std::any_of(groups.begin(), groups.end(), group_has)) return true;
  }
  if (identity.user_name.empty()) return false;
  const Member* user = find(users_, identity.user_name);
  return user != nullptr && (contains(user->roles, role) ||
                             std::any_of(user->groups.begin(), user->groups.end(), group_has));
}

bool RuleIndex::names(const RuleSubjects& subjects, const Identity& identity) const {
  const bool is_named = !identity.user_name.empty();
  if (subjects.everybody()) return true;
  if (is_named ? subjects.any_named : subjects.anonymous) return true;
  if (is_named && contains(subjects.users, identity.user_name)) return true;
  return std::any_of(subjects.groups.begin(), subjects.groups.end(),
                     [&](const std::string& group) { return in_group(identity, group); }) ||
         std::any_of(subjects.roles.begin(), subjects.roles.end(),
                     [&](const std::string& role) { return has_role(identity, role); });
}

std::vector<std::string> RuleIndex::groups_of(const Identity& identity) const {
  std::vector<std::string> groups;
  if (identity.grants != nullptr) groups = identity.grants->groups;
  const Member* user = identity.user_name.empty() ? nullptr : find(users_, identity.user_name);
  if (user != nullptr) groups.insert(groups.end(), user->groups.begin(), user->groups.end());
  sort_unique(groups);
  return groups;
}

std::vector<std::string> RuleIndex::roles_of(const Identity& identity) const {
  std::vector<std::string> roles;
  const auto add = [&](const Member* member) {
    if (member != nullptr) roles.insert(roles.end(), member->roles.begin(), member->roles.end());
  };
  if (!identity.user_name.empty()) add(find(users_, identity.user_name));
  for (const std::string& group : groups_of(identity))
    add(find(groups_, group));
  sort_unique(roles);
  return roles;
}

namespace {

constexpr auto kLater = [](const auto& a, const auto& b) { return *a.at > *b.at; };

}  // namespace

RuleIndex::Walk::Walk(const RuleIndex& index, const Identity& identity) {
  const bool is_named = !identity.user_name.empty();
  add(index.everybody_);
  add(is_named ? index.any_named_ : index.anonymous_);
  if (is_named) add(index, find(index.users_, identity.user_name));
  if (identity.grants != nullptr) {
    for (const std::string& group : identity.grants->groups)
      add(index, find(index.groups_, group));
  }
  std::make_heap(cursors_.begin(), cursors_.end(), kLater);
}

void RuleIndex::Walk::add(std::span<const std::uint32_t> places) {
  if (!places.empty()) cursors_.push_back({places.data(), places.data() + places.size()});
}

void RuleIndex::Walk::add(const RuleIndex& index, const Member* member) {
  if (member == nullptr) return;
  const std::span<const std::uint32_t> places(index.places_);
  for (const std::uint32_t list : member->lists) {
    const Range range = index.lists_[list];
    add(places.subspan(range.begin, range.end - range.begin));
  }
}

bool RuleIndex::Walk::next() {
  while (!cursors_.empty()) {
    std::pop_heap(cursors_.begin(), cursors_.end(), kLater);
    Cursor& first = cursors_.back();
    const std::uint32_t found = *first.at;
    if (++first.at == first.end) {
      cursors_.pop_back();
    } else {
      std::push_heap(cursors_.begin(), cursors_.end(), kLater);
    }
    if (found == rule_) continue;  // by way of a user and of a group
    rule_ = found;
    return true;
  }
  return false;
}

}  // namespace linnet::auth

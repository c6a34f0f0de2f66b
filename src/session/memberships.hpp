// A session's memberships in shared groups. Most sessions have none: then it is one pointer. A
// membership stays where it is until it is swept, since messages refer to it.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "session/owed.hpp"

namespace linnet::session {

class Memberships {
 public:
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return all_ ? all_->table.size() : 0; }
  [[nodiscard]] Membership* find(std::string_view group, std::string_view filter) const {
    if (!all_) return nullptr;
    const auto found = all_->table.find(key(group, filter));
    return found == all_->table.end() ? nullptr : found->second.get();
  }
  Membership& add(std::string_view group, std::string_view filter) {
    if (!all_) all_ = std::make_unique<All>();
    auto& membership = all_->table[key(group, filter)];
    membership = std::make_unique<Membership>();
    membership->group = group;
    membership->filter = filter;
    return *membership;
  }
  /// Takes it out of the table; it lives on until sweep().
  void retire(Membership& membership) {
    const auto found = all_->table.find(key(membership.group, membership.filter));
    membership.retired = true;
    all_->retired.push_back(std::move(found->second));
    all_->table.erase(found);
  }
  [[nodiscard]] bool any_retired() const noexcept { return all_ && !all_->retired.empty(); }
  void sweep() noexcept {
    if (!all_) return;
    all_->retired.clear();
    if (all_->table.empty()) all_.reset();
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (!all_) return;
    for (const auto& [name, membership] : all_->table)
      visit(*membership);
  }

 private:
  struct All {
    std::unordered_map<std::string, std::unique_ptr<Membership>> table;
    std::vector<std::unique_ptr<Membership>> retired;
  };

  /// A group's name has no separator, so that this is one name for each pair.
  [[nodiscard]] static std::string key(std::string_view group, std::string_view filter) {
    std::string key(group);
    return key.append("/").append(filter);
  }

  std::unique_ptr<All> all_;
};

}  // namespace linnet::session

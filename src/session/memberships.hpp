// A session's memberships in shared groups. Most sessions have none: then it is two pointers. A
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
  [[nodiscard]] std::size_t size() const noexcept { return table_ ? table_->size() : 0; }
  [[nodiscard]] Membership* find(std::string_view group, std::string_view filter) const {
    if (!table_) return nullptr;
    const auto found = table_->find(key(group, filter));
    return found == table_->end() ? nullptr : found->second.get();
  }
  Membership& add(std::string_view group, std::string_view filter) {
    if (!table_) table_ = std::make_unique<Table>();
    auto& membership = (*table_)[key(group, filter)];
    membership = std::make_unique<Membership>();
    membership->group = group;
    membership->filter = filter;
    return *membership;
  }
  /// Takes it out of the table; it lives on until sweep().
  void retire(Membership& membership) {
    const auto found = table_->find(key(membership.group, membership.filter));
    membership.retired = true;
    if (!retired_) retired_ = std::make_unique<std::vector<std::unique_ptr<Membership>>>();
    retired_->push_back(std::move(found->second));
    table_->erase(found);
    if (table_->empty()) table_.reset();
  }
  [[nodiscard]] bool any_retired() const noexcept { return retired_ != nullptr; }
  void sweep() noexcept { retired_.reset(); }
  template <class Visit>
  void for_each(Visit&& visit) const {
    if (!table_) return;
    for (const auto& [name, membership] : *table_)
      visit(*membership);
  }

 private:
  using Table = std::unordered_map<std::string, std::unique_ptr<Membership>>;

  /// A group's name has no separator, so that this is one name for each pair.
  [[nodiscard]] static std::string key(std::string_view group, std::string_view filter) {
    std::string key(group);
    return key.append("/").append(filter);
  }

  std::unique_ptr<Table> table_;
  std::unique_ptr<std::vector<std::unique_ptr<Membership>>> retired_;
};

}  // namespace linnet::session

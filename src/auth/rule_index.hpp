// Which rules are about a client's user, in their order, without a look at those of other users.
// Immutable; any thread.
//
//   for (RuleIndex::Walk walk(index, identity); walk.next();) look_at(rules[walk.rule()], …);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "auth/identity.hpp"
#include "auth/rule.hpp"
#include "base/hash.hpp"

namespace linnet::auth {

class RuleIndex {
 public:
  RuleIndex() = default;
  RuleIndex(const RuleList& rules, const AuthConfig& auth);

  class Walk;

  /// Whether a rule is about the client's user; its `clients` are another question.
  [[nodiscard]] bool names(const RuleSubjects& subjects, const Identity& identity) const;
  /// All of them, sorted.
  [[nodiscard]] std::vector<std::string> groups_of(const Identity& identity) const;
  [[nodiscard]] std::vector<std::string> roles_of(const Identity& identity) const;

 private:
  using Places = std::vector<std::uint32_t>;
  /// A user or a group.
  struct Member {
    std::vector<std::string> groups;  // of a user
    std::vector<std::string> roles;
    Places lists;  // the lists of the rules about it, with those of its groups and roles
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return static_cast<std::size_t>(hash64(name));
    }
  };
  template <class Value>
  using ByName = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;
  struct Builder;

  [[nodiscard]] static const Member* find(const ByName<Member>& members, std::string_view name);
  [[nodiscard]] bool in_group(const Identity& identity, std::string_view group) const;
  [[nodiscard]] bool has_role(const Identity& identity, std::string_view role) const;

  Places everybody_;
  Places any_named_;
  Places anonymous_;
  struct Range {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  std::vector<Range> lists_;  // of places_
  Places places_;
  ByName<Member> users_;
  ByName<Member> groups_;
};

class RuleIndex::Walk {
 public:
  Walk(const RuleIndex& index, const Identity& identity);

  /// Moves to the next rule; false after the last one.
  bool next();
  [[nodiscard]] std::uint32_t rule() const noexcept { return rule_; }

 private:
  struct Cursor {
    const std::uint32_t* at;
    const std::uint32_t* end;
  };
  void add(std::span<const std::uint32_t> places);
  void add(const RuleIndex& index, const Member* member);

  boost::container::small_vector<Cursor, 16> cursors_;  // a heap, the lowest place on top
  std::uint32_t rule_ = Decision::kNoRule;
};

}  // namespace linnet::auth

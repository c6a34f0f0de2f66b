// Whether a rule says something about a request. Pure functions; any thread.
//
// A filter is first made one without placeholders: expand(). In that form kAnyLevel, alone in its
// level, stands for what a denial could not put in: it matches every level, also a first one that
// begins with $, which + does not.
#pragma once

#include <cstdint>
#include <string_view>

#include <boost/container/small_vector.hpp>

#include "auth/identity.hpp"
#include "auth/rule.hpp"

namespace linnet::auth {

inline constexpr char kAnyLevel = static_cast<char>(0xFF);

/// What is put in for a client's placeholders.
class RuleValues {
 public:
  explicit RuleValues(const Subject& subject) noexcept : subject_(subject) {}

  /// Empty if the client has no such value, or none that can be a part of a level.
  [[nodiscard]] std::string_view find(RuleValue value) const noexcept;
  [[nodiscard]] const Subject& subject() const noexcept { return subject_; }

 private:
  [[nodiscard]] std::string_view raw(RuleValue value) const noexcept;

  Subject subject_;
};

using FilterText = boost::container::small_vector<char, 256>;

/// A filter's code with the client's values in it, in `room`; empty if it is one of
/// an allowing rule that lacks a value, and so matches nothing.
[[nodiscard]] std::string_view expand(std::string_view code, RuleEffect effect,
                                      const RuleValues& values, FilterText& room);

// Of expanded filters. `wanted` is a filter that a client asks for.
[[nodiscard]] bool filter_matches(std::string_view filter, std::string_view topic) noexcept;
/// Every topic that `wanted` matches is matched by `filter`.
[[nodiscard]] bool filter_covers(std::string_view filter, std::string_view wanted) noexcept;
/// Some topic is matched by both.
[[nodiscard]] bool filters_overlap(std::string_view filter, std::string_view wanted) noexcept;

/// What a rule, which is about this client's user, says about a request.
enum class RuleLook : std::uint8_t {
  subject,  // nothing: it is about others
  client,   // nothing: it is about other client identifiers
  names,    // nothing: the client's names have + or # in them
  topic,    // nothing: it is about other topics
  retain,   // nothing: it is about other messages
  shared,   // nothing: it is about other subscriptions
  qos,      // nothing: it allows no QoS that high
  part,     // of a subscription: something about some of its topics
  whole,    // it decides
};

/// A rule without whom and which topics it is about.
struct RuleTerms {
  RuleEffect effect = RuleEffect::allow;
  RuleKind retain = RuleKind::any;
  RuleKind shared = RuleKind::any;
  Qos qos_max = Qos::exactly_once;
  bool plain_names_only = false;
};
[[nodiscard]] RuleTerms terms_of(const Rule& rule) noexcept;

/// What a rule's filters, one after the other, say about a request.
class FilterLook {
 public:
  FilterLook(RuleEffect effect, const RuleValues& values, const Request& request) noexcept
      : effect_(effect), values_(values), request_(request) {}

  /// False: the others do not count.
  [[nodiscard]] bool go_on(std::string_view code, std::uint8_t needed_values);
  /// Topic, part or whole.
  [[nodiscard]] RuleLook found() const noexcept { return found_; }

 private:
  RuleEffect effect_;
  const RuleValues& values_;
  const Request& request_;
  RuleLook found_ = RuleLook::topic;
  FilterText room_;
};

/// Whether the client's identifier is among a rule's, or the rule has none.
[[nodiscard]] bool names_client(const RuleSubjects& subjects, const Subject& subject);
/// What is left of what the filters say.
[[nodiscard]] RuleLook look_at_terms(RuleLook filters, const RuleTerms& terms,
                                     const RuleValues& values, const Request& request) noexcept;

/// All of it. Never RuleLook::subject, which is for who finds the rules to look at.
[[nodiscard]] RuleLook look_at(const Rule& rule, const RuleValues& values, const Request& request);

}  // namespace linnet::auth

// One rule of who may do what, and the question that rules answer. Values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <linnet/config.hpp>

namespace linnet::auth {

struct Identity;

enum class Action : std::uint8_t {
  publish,
  subscribe,  // `topic` is a topic filter
  receive,    // `topic` is a topic name: may a message of it be delivered?
};

/// What a client wants to do.
struct Request {
  Action action = Action::publish;
  std::string_view topic;  // of a shared subscription the filter alone, without $share/group/
  Qos qos = Qos::at_most_once;
  bool retain = false;  // publish only
  bool shared = false;  // subscribe only
};

/// Who wants to. Views of what the connection holds.
struct Subject {
  const Identity& identity;
  std::string_view client_id;
};

struct Decision {
  enum class Verdict : std::uint8_t {
    allowed,
    partly,  // subscribe only: some of the filter's topics are not allowed, so that each message
             // has to be asked about (Action::receive)
    denied,
  };
  Verdict verdict = Verdict::allowed;
  Qos qos_max = Qos::exactly_once;  // what may be granted; subscribe only
  /// Which rule has decided: its place in the order, own rules of the client first. kNoRule: none
  /// has matched.
  std::uint32_t rule = kNoRule;

  static constexpr std::uint32_t kNoRule = 0xFFFF'FFFF;
  [[nodiscard]] bool denied() const noexcept { return verdict == Verdict::denied; }
};

/// A level of a rule's filter, with what has to be put in for the client.
struct RulePart {
  enum class Kind : std::uint8_t { text, client_id, user_name, cert_cn, cert_subject, cert_san };
  Kind kind = Kind::text;
  std::string text;

  friend bool operator==(const RulePart&, const RulePart&) = default;
};
struct RuleLevel {
  enum class Kind : std::uint8_t { parts, one /* + */, all /* # */ };
  Kind kind = Kind::parts;
  std::vector<RulePart> parts;  // joined they are the level

  friend bool operator==(const RuleLevel&, const RuleLevel&) = default;
};
using RuleFilter = std::vector<RuleLevel>;

/// Whom a rule is about: everybody if it names nobody.
struct RuleSubjects {
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  std::vector<std::string> clients;
  bool any_named = false;  // everybody who has a user name
  bool anonymous = false;  // everybody who has none

  [[nodiscard]] bool everybody() const noexcept {
    return users.empty() && groups.empty() && roles.empty() && !any_named && !anonymous;
  }
};

struct Rule {
  RuleEffect effect = RuleEffect::allow;
  RuleSubjects subjects;
  std::vector<RuleFilter> publish;
  std::vector<RuleFilter> subscribe;
  RuleKind retain = RuleKind::any;
  RuleKind shared = RuleKind::any;
  Qos qos_max = Qos::exactly_once;
  std::string text;   // as it was written: `topic read sensors/#`
  std::string place;  // "acl.txt:12"; empty for a token's own
};
using RuleList = std::vector<Rule>;

/// Parses a topic filter of a rule, with ${clientid} and the like (and %c and %u if `percent`).
/// False if it is none; `error` then says what is wrong and what is allowed.
[[nodiscard]] bool parse_rule_filter(std::string_view text, bool percent, RuleFilter& filter,
                                     std::string& error);

/// A rule of the configuration. False as above; `error` names the key.
[[nodiscard]] bool parse_rule(const RuleConfig& config, Rule& rule, std::string& error);

}  // namespace linnet::auth

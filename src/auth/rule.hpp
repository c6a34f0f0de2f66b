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
  bool shared = false;  // subscribe and receive: of the subscription
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
  /// Which rule has decided: its place in the order, own rules of the client first; of `partly`,
  /// the first one that takes something away. kNoRule: none has matched, or none is needed.
  std::uint32_t rule = kNoRule;

  static constexpr std::uint32_t kNoRule = 0xFFFF'FFFF;
  [[nodiscard]] bool denied() const noexcept { return verdict == Verdict::denied; }
};

/// What a rule's filter may hold of the client.
enum class RuleValue : std::uint8_t { client_id, user_name, cert_cn, cert_subject, cert_san };

/// A topic filter of a rule. `code` is its text, where one byte that UTF-8 does not have stands for
/// each value that has to be put in for the client: rule_value_byte().
struct RuleFilter {
  std::string code;
  std::uint8_t values = 0;  // a bit for each RuleValue that is in it

  friend bool operator==(const RuleFilter&, const RuleFilter&) = default;
};

[[nodiscard]] constexpr char rule_value_byte(RuleValue value) noexcept {
  return static_cast<char>(0xF8U + static_cast<unsigned>(value));
}

/// Whom a rule is about: everybody if it names nobody.
struct RuleSubjects {
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  std::vector<std::string> clients;
  bool any_named = false;  // everybody who has a user name
  bool anonymous = false;  // everybody who has none
  /// Nobody with + or # in the user name or the client identifier, as Mosquitto has it of patterns.
  bool plain_names_only = false;

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

/// Parses a topic filter of a rule, with ${clientid} and the like; with %c and %u instead if
/// `percent`. False if it is none; `error` then says what is wrong and what is allowed.
[[nodiscard]] bool parse_rule_filter(std::string_view text, bool percent, RuleFilter& filter,
                                     std::string& error);
/// The same where nothing is put in for the client.
[[nodiscard]] bool parse_plain_filter(std::string_view text, RuleFilter& filter,
                                      std::string& error);

/// A rule of the configuration. False as above; `error` names the key.
[[nodiscard]] bool parse_rule(const RuleConfig& config, Rule& rule, std::string& error);

}  // namespace linnet::auth

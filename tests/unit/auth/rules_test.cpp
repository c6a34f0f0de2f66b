#include "auth/rules.hpp"

#include <gtest/gtest.h>
#include <memory>

#include "base/cat.hpp"

namespace linnet::auth {
namespace {

using enum Decision::Verdict;

RuleConfig allow(std::vector<std::string> topics) {
  RuleConfig rule;
  rule.topics = std::move(topics);
  return rule;
}
RuleConfig deny(std::vector<std::string> topics) {
  RuleConfig rule = allow(std::move(topics));
  rule.effect = RuleEffect::deny;
  return rule;
}

class RulesCase : public ::testing::Test {
 protected:
  void read(std::vector<RuleConfig> rules) {
    auth_.rules = std::move(rules);
    std::vector<std::string> errors;
    auto loaded = load_rules(auth_, errors);
    ASSERT_TRUE(loaded) << errors.front();
    rules_ = std::move(*loaded);
  }

  void be(std::string user, std::string client_id = "c") {
    identity_.user_name = std::move(user);
    client_id_ = std::move(client_id);
  }

  Decision ask(Action action, std::string_view topic, Qos qos = Qos::at_most_once,
               bool retain = false) const {
    return rules_.decide({identity_, client_id_}, {action, topic, qos, retain, shared_});
  }
  bool publish(std::string_view topic) const { return !ask(Action::publish, topic).denied(); }
  Decision::Verdict subscribe(std::string_view filter) const {
    return ask(Action::subscribe, filter).verdict;
  }

  AuthConfig auth_;
  Rules rules_;
  Identity identity_;
  std::string client_id_ = "c";
  bool shared_ = false;
};

TEST_F(RulesCase, WithoutRulesAllIsAllowed) {
  EXPECT_TRUE(rules_.empty());
  EXPECT_FALSE(rules_.concern(identity_));
  EXPECT_TRUE(publish("a"));
  EXPECT_EQ(rules_.name_of({identity_, ""}, ask(Action::publish, "a")), "there are no rules");
  identity_.grants = std::make_unique<Grants>();
  EXPECT_TRUE(publish("a"));
}

TEST_F(RulesCase, TheFirstMatchDecidesAndNoMatchDenies) {
  read({deny({"a/secret"}), allow({"a/#"})});
  EXPECT_FALSE(publish("a/secret"));
  EXPECT_TRUE(publish("a/b"));
  EXPECT_TRUE(publish("a"));
  EXPECT_FALSE(publish("b"));
  EXPECT_EQ(ask(Action::publish, "b").rule, Decision::kNoRule);
}

TEST_F(RulesCase, OwnRulesComeFirst) {
  read({allow({"#"})});
  auto grants = std::make_unique<Grants>();
  grants->rules.emplace_back();
  std::string error;
  ASSERT_TRUE(parse_rule(deny({"a"}), grants->rules.back(), error));
  identity_.grants = std::move(grants);
  const Decision decision = ask(Action::publish, "a");
  EXPECT_TRUE(decision.denied());
  EXPECT_EQ(rules_.name_of({identity_, "c"}, decision), "rule 1 of the client's own");
  EXPECT_EQ(ask(Action::publish, "b").rule, 1U);
  rules_ = Rules();
  EXPECT_FALSE(publish("b"));
}

TEST_F(RulesCase, Subjects) {
  auth_.users = {{"alice", {"staff"}, {"reader"}}, {"bob", {}, {}}};
  auth_.groups = {{"staff", {"writer"}}, {"guests", {"visitor"}}};
  RuleConfig users = allow({"users"}), groups = allow({"groups"}), roles = allow({"roles"});
  RuleConfig inherited = allow({"inherited"}), named = allow({"named"}), none = allow({"none"});
  RuleConfig visitor = allow({"visitor"}), clients = allow({"clients"});
  users.users = {"alice"};
  groups.groups = {"staff"};
  roles.roles = {"reader"};
  inherited.roles = {"writer"};
  named.users = {"*"};
  none.users = {"$anonymous"};
  visitor.roles = {"visitor"};
  clients.users = {"bob"};
  clients.clients = {"lamp"};
  read({users, groups, roles, inherited, named, none, visitor, clients, allow({"all"})});
  const auto all = [this] {
    std::string text;
    for (const char* topic :
         {"users", "groups", "roles", "inherited", "named", "none", "visitor", "clients", "all"}) {
      if (publish(topic)) text += cat(text.empty() ? "" : " ", topic);
    }
    return text;
  };
  be("alice");
  EXPECT_EQ(all(), "users groups roles inherited named all");
  EXPECT_EQ(rules_.groups_of(identity_), std::vector<std::string>{"staff"});
  EXPECT_EQ(rules_.roles_of(identity_), (std::vector<std::string>{"reader", "writer"}));
  be("bob", "lamp");
  EXPECT_EQ(all(), "named clients all");
  be("");
  EXPECT_EQ(all(), "none all");
  auto grants = std::make_unique<Grants>();
  grants->groups = {"guests", "staff"};
  identity_.grants = std::move(grants);
  EXPECT_EQ(all(), "groups inherited none visitor all");
}

TEST_F(RulesCase, RetainAndQos) {
  RuleConfig low = allow({"low"}), no_retain = allow({"fleeting"});
  low.qos_max = Qos::at_least_once;
  no_retain.retain = RuleKind::never;
  RuleConfig no_kept = deny({"a"});
  no_kept.retain = RuleKind::only;
  read({low, no_retain, no_kept, allow({"a"})});
  EXPECT_FALSE(ask(Action::publish, "low", Qos::at_least_once).denied());
  EXPECT_TRUE(ask(Action::publish, "low", Qos::exactly_once).denied());
  EXPECT_TRUE(ask(Action::publish, "fleeting", Qos::at_most_once, true).denied());
  EXPECT_FALSE(ask(Action::receive, "fleeting", Qos::at_most_once, true).denied());
  EXPECT_TRUE(ask(Action::publish, "a", Qos::at_most_once, true).denied());
  EXPECT_FALSE(ask(Action::publish, "a").denied());
  const Decision decision = ask(Action::subscribe, "low", Qos::exactly_once);
  EXPECT_EQ(decision.verdict, allowed);
  EXPECT_EQ(decision.qos_max, Qos::at_least_once);
}

TEST_F(RulesCase, Subscriptions) {
  read({deny({"a/secret/#"}), allow({"a/#"}), allow({"+/x", "$SYS/load"})});
  EXPECT_EQ(subscribe("a/b"), allowed);
  EXPECT_EQ(subscribe("a/+"), partly);  // a/secret
  EXPECT_EQ(subscribe("a/b/+"), allowed);
  EXPECT_EQ(subscribe("a/secret/+"), denied);
  EXPECT_EQ(subscribe("#"), partly);
  EXPECT_EQ(subscribe("+/x"), allowed);
  EXPECT_EQ(subscribe("b/x"), allowed);
  EXPECT_EQ(subscribe("b/#"), partly);
  EXPECT_EQ(subscribe("b/y"), denied);
  EXPECT_EQ(subscribe("$SYS/x"), denied);
  EXPECT_EQ(subscribe("$SYS/#"), partly);
}

TEST_F(RulesCase, DollarTopicsAreNoPartOfAll) {
  read({deny({"$SYS/#"}), allow({"#"})});
  EXPECT_EQ(subscribe("#"), allowed);
  EXPECT_EQ(subscribe("+/a"), allowed);
  EXPECT_EQ(subscribe("$SYS/a"), denied);
  EXPECT_EQ(subscribe("$other/a"), denied);
  read({allow({"+/#"})});
  EXPECT_EQ(subscribe("#"), allowed);
}

TEST_F(RulesCase, SharedSubscriptions) {
  RuleConfig rule = deny({"jobs/#"});
  rule.shared = RuleKind::never;
  read({rule, allow({"#"})});
  EXPECT_EQ(subscribe("jobs/a"), denied);
  shared_ = true;
  EXPECT_EQ(subscribe("jobs/a"), allowed);
}

TEST_F(RulesCase, ValuesOfTheClient) {
  read({deny({"private/${username}"}), allow({"private/+", "dev-${clientid}/#", "$${clientid}/x",
                                              "cn/${cert.cn}", "${clientid}/y"})});
  be("alice", "lamp");
  EXPECT_FALSE(publish("private/alice"));
  EXPECT_TRUE(publish("private/bob"));
  EXPECT_TRUE(publish("dev-lamp/a"));
  EXPECT_FALSE(publish("dev-lam/a"));
  EXPECT_TRUE(publish("$lamp/x"));
  EXPECT_FALSE(publish("cn/"));
  for (const char* bad : {"", "a/b", "+", "#", "a+"}) {
    be("alice", bad);
    EXPECT_FALSE(publish(cat("dev-", bad, "/a"))) << bad;
    EXPECT_FALSE(publish("dev-x/a")) << bad;
    EXPECT_EQ(subscribe("dev-+/a"), denied) << bad;
  }
  be("", "lamp");  // no user name: whose is private?
  EXPECT_FALSE(publish("private/bob"));
  be("alice", "$SYS");
  EXPECT_FALSE(publish("$SYS/y"));
}

TEST_F(RulesCase, ManyLevels) {
  std::string topic = "a";
  for (int i = 0; i < 30'000; ++i)
    topic += "/b";
  read({deny({"a/+/c/#"}), allow({topic})});
  EXPECT_TRUE(publish(topic));
  EXPECT_FALSE(publish(cat(topic, "/b")));
  EXPECT_EQ(subscribe(topic), allowed);
}

TEST_F(RulesCase, Explanations) {
  RuleConfig other = allow({"#"}), kept = allow({"a"});
  other.users = {"bob"};
  kept.retain = RuleKind::only;
  read({other, allow({"b"}), kept, allow({"a"}), deny({"#"})});
  const Subject subject{identity_, "c"};
  const auto looks = rules_.explain(subject, {Action::publish, "a"});
  EXPECT_EQ(looks,
            (std::vector{RuleLook::subject, RuleLook::topic, RuleLook::retain, RuleLook::whole}));
}

TEST_F(RulesCase, Errors) {
  RuleConfig empty, unknown = allow({"${foo}"}), open = allow({"a/${clientid"});
  RuleConfig wild = allow({"a#"}), shared = allow({"$share/g/a"}), nobody = allow({"a"});
  nobody.users = {""};
  unknown.place = "linnet.toml:7";
  auth_.rules = {empty, unknown, open, wild, shared, nobody};
  auth_.acl_file = "/nonexistent";
  std::vector<std::string> errors;
  EXPECT_FALSE(load_rules(auth_, errors));
  ASSERT_EQ(errors.size(), 7U);
  EXPECT_TRUE(errors[0].starts_with("auth.rule: has no topics; ")) << errors[0];
  EXPECT_TRUE(
      errors[1].starts_with("linnet.toml:7: auth.rule.topics: \"${foo}\" has ${foo}, "
                            "which nobody knows; there are ${clientid}, "));
  EXPECT_TRUE(errors[2].starts_with("auth.rule.topics: \"a/${clientid\" has a ${ without its }"));
  EXPECT_TRUE(errors[3].starts_with("auth.rule.topics: \"a#\" has a wildcard in a wrong place; "));
  EXPECT_TRUE(errors[4].starts_with("auth.rule.topics: \"$share/g/a\" begins with $share/; "));
  EXPECT_TRUE(errors[5].starts_with("auth.rule.users: \"\" is no user name; "));
  EXPECT_TRUE(errors[6].starts_with("/nonexistent: cannot be read: "));
}

}  // namespace
}  // namespace linnet::auth

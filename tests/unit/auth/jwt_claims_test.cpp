// What the claims of a token may say, once its signature is right.
#include "auth/jwt_claims.hpp"

#include <gtest/gtest.h>

#include "auth/jwt_rules.hpp"
#include "base/cat.hpp"
#include "jwt_maker.hpp"

namespace linnet::auth {
namespace {

using test::kNow_s;

struct Outcome {
  std::optional<Identity> identity;
  std::string fault;
};

Outcome read(std::string_view claims, const JwtConfig& config = {},
             std::string_view user_name = {}) {
  Outcome outcome;
  outcome.identity = read_claims(config, claims, {user_name, kNow_s}, outcome.fault);
  EXPECT_EQ(outcome.identity.has_value(), outcome.fault.empty());
  return outcome;
}

std::string fault_of(std::string_view claims, const JwtConfig& config = {}) {
  return read(claims, config).fault;
}

// Beside the user.
std::string fault_with(std::string_view members, const JwtConfig& config = {}) {
  return fault_of(cat(R"({"sub":"anna",)", members, "}"), config);
}

std::string fault_of_acl(std::string_view acl) {
  return fault_with(cat(R"("acl":)", acl));
}

TEST(JwtClaims, AUserAloneIsEnoughAndStaysForever) {
  const auto outcome = read(R"({"sub":"anna"})");
  ASSERT_TRUE(outcome.identity) << outcome.fault;
  EXPECT_EQ(outcome.identity->user_name, "anna");
  EXPECT_EQ(outcome.identity->method, Method::jwt);
  EXPECT_EQ(outcome.identity->grants, nullptr);
}

TEST(JwtClaims, ExpCountsWithTheLeeway) {
  constexpr std::string_view kExpired = "the token has expired";
  const auto exp = [](std::int64_t after_s) {
    return fault_with(cat(R"("exp":)", static_cast<std::int64_t>(kNow_s) + after_s));
  };
  EXPECT_EQ(exp(1), "");
  EXPECT_EQ(exp(-29), "");
  EXPECT_EQ(exp(-30), kExpired);
  EXPECT_EQ(exp(-1'000'000), kExpired);
  JwtConfig strict;
  strict.leeway = std::chrono::milliseconds(0);
  EXPECT_EQ(fault_with(R"("exp":1800000001)", strict), "");
  EXPECT_EQ(fault_with(R"("exp":1800000000)", strict), kExpired);
  EXPECT_EQ(fault_with(R"("exp":1800000000.9)", strict), kExpired);
  EXPECT_EQ(fault_with(R"("exp":1800000001.1)", strict), "");
  strict.leeway = std::chrono::milliseconds(1);
  EXPECT_EQ(fault_with(R"("exp":1800000000)", strict), "");
}

TEST(JwtClaims, StrangeTimesDoNotOverflow) {
  constexpr std::string_view kExpired = "the token has expired";
  for (const auto* low : {"0", "-1", "-0.5", "-9223372036854775808", "-1e300", "1e-300", "-0"}) {
    EXPECT_EQ(fault_with(cat(R"("exp":)", low)), kExpired) << low;
    EXPECT_EQ(fault_with(cat(R"("nbf":)", low)), "") << low;
  }
  for (const auto* high : {"9223372036854775807", "9223372036854775808", "18446744073709551615",
                           "18446744073709551616", "1e300", "1099511627776"}) {
    const auto outcome = read(cat(R"({"sub":"anna","exp":)", high, "}"));
    ASSERT_TRUE(outcome.identity) << high << outcome.fault;
    EXPECT_EQ(outcome.identity->grants->expires_at_s, (std::uint64_t{1} << 40) + 30) << high;
    EXPECT_EQ(fault_with(cat(R"("nbf":)", high)), "the token is not valid yet") << high;
  }
  for (const auto* other : {R"("1900000000")", "null", "true", "[]", "{}"}) {
    EXPECT_EQ(fault_with(cat(R"("exp":)", other)), "the token's exp is no number") << other;
    EXPECT_EQ(fault_with(cat(R"("nbf":)", other)), "the token's nbf is no number") << other;
  }
}

TEST(JwtClaims, NbfCountsWithTheLeewayAndIatIsNoReason) {
  EXPECT_EQ(fault_with(R"("nbf":1800000030)"), "");
  EXPECT_EQ(fault_with(R"("nbf":1800000030.1)"), "the token is not valid yet");
  EXPECT_EQ(fault_with(R"("nbf":1800000031)"), "the token is not valid yet");
  EXPECT_EQ(fault_with(R"("iat":99999999999)"), "");
  EXPECT_EQ(fault_with(R"("iat":"yesterday")"), "");
}

TEST(JwtClaims, IssuerAndAudience) {
  JwtConfig config;
  config.issuer = "https://id.example";
  constexpr std::string_view kIssuer = "the token's iss is not auth.jwt.issuer";
  EXPECT_EQ(fault_with(R"("iss":"https://id.example")", config), "");
  for (const auto* iss : {R"("iss":"https://id.example/")", R"("iss":"")", R"("iss":null)",
                          R"("iss":["https://id.example"])", R"("x":1)"}) {
    EXPECT_EQ(fault_with(iss, config), kIssuer) << iss;
  }
  config.issuer.clear();
  config.audience = "broker";
  constexpr std::string_view kAudience = "the token's aud does not hold auth.jwt.audience";
  EXPECT_EQ(fault_with(R"("aud":"broker")", config), "");
  EXPECT_EQ(fault_with(R"("aud":["web","broker"])", config), "");
  EXPECT_EQ(fault_with(R"("aud":[1,"broker"])", config), "");
  for (const auto* aud : {R"("aud":"Broker")", R"("aud":["web"])", R"("aud":[])",
                          R"("aud":[["broker"]])", R"("aud":{"broker":1})", R"("x":1)"}) {
    EXPECT_EQ(fault_with(aud, config), kAudience) << aud;
  }
}

TEST(JwtClaims, TheUserIsAPlainText) {
  for (const auto* user : {R"("a")", R"("anna@example.org")", R"("\u00e4nne")", R"("\ud83d\ude00")",
                           R"("\u00a0")", R"("a/b+#")"}) {
    EXPECT_EQ(fault_of(cat(R"({"sub":)", user, "}")), "") << user;
  }
  for (const auto* user : {R"("")", "1", "null", R"(["anna"])", "true"}) {
    EXPECT_EQ(fault_of(cat(R"({"sub":)", user, "}")), "the token's claim sub is missing or no text")
        << user;
  }
  EXPECT_EQ(fault_of("{}"), "the token's claim sub is missing or no text");
  for (const auto* user : {R"("an\u0000na")", R"("anna\n")", R"("\u001f")", R"("\u007f")",
                           R"("\u0080")", R"("\u009f")"}) {
    EXPECT_EQ(fault_of(cat(R"({"sub":)", user, "}")), "the token's claim sub is no user name")
        << user;
  }
  EXPECT_EQ(fault_of(cat(R"({"sub":")", std::string(65'535, 'a'), R"("})")), "");
  EXPECT_EQ(fault_of(cat(R"({"sub":")", std::string(65'536, 'a'), R"("})")),
            "the token's claim sub is no user name");
}

TEST(JwtClaims, ClaimsCanHaveOtherNames) {
  JwtConfig config;
  config.user_claim = "https://example.org/user";
  config.groups_claim = "scope";
  config.acl_claim = "";
  const auto outcome = read(
      R"({"sub":7,"https://example.org/user":"anna","scope":" a  b ","acl":"none","groups":1})",
      config);
  ASSERT_TRUE(outcome.identity) << outcome.fault;
  EXPECT_EQ(outcome.identity->user_name, "anna");
  EXPECT_EQ(outcome.identity->grants->groups, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(outcome.identity->grants->rules.empty());
}

TEST(JwtClaims, GroupsAreAListOrATextOfAtMostSixtyFour) {
  std::string list;
  std::string text;
  for (int i = 0; i < 64; ++i) {
    list += cat(i == 0 ? "" : ",", R"("g)", i, '"');
    text += cat("g", i, ' ');
  }
  EXPECT_EQ(fault_with(cat(R"("groups":[)", list, "]")), "");
  EXPECT_EQ(fault_with(cat(R"("groups":")", text, '"')), "");
  EXPECT_EQ(fault_with(R"("groups":[])"), "");
  EXPECT_EQ(fault_with(R"("groups":"")"), "");
  constexpr std::string_view kFault = "the token's claim groups is no list of at most 64 groups";
  EXPECT_EQ(fault_with(cat(R"("groups":[)", list, R"(,"one more"])")), kFault);
  EXPECT_EQ(fault_with(cat(R"("groups":")", text, R"(more")")), kFault);
  for (const auto* groups :
       {"null", "1", "{}", R"(["a",1])", R"([""])", R"(["a\n"])", R"("a\tb")", R"([["a"]])"}) {
    EXPECT_EQ(fault_with(cat(R"("groups":)", groups)), kFault) << groups;
  }
}

TEST(JwtClaims, JsonOfTwoMeaningsIsRefused) {
  EXPECT_EQ(fault_of(R"({"sub":"anna","sub":"bob"})"), "the token's second part has a key twice");
  EXPECT_EQ(fault_of(R"({"sub":"anna","x":[{"a":1,"a":1}]})"),
            "the token's second part has a key twice");
  EXPECT_EQ(fault_of(R"({"sub":"anna","x":{"y":{"a":1,"b":2,"\u0061":3}}})"),
            "the token's second part has a key twice");
  EXPECT_EQ(fault_of(R"({"sub":"anna"}{"sub":"bob"})"), "the token's second part is not JSON");
  EXPECT_EQ(fault_of(std::string_view("{\"sub\":\"anna\"}\0", 15)),
            "the token's second part is not JSON");
  EXPECT_EQ(fault_of("{\"sub\":\"an\xC3\"}"), "the token's second part is not UTF-8");
  EXPECT_EQ(fault_of(R"({"sub":"anna","x":NaN})"), "the token's second part is not JSON");
  EXPECT_EQ(fault_of(R"({"sub":"anna","x":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}})"),
            "the token's second part is nested too deep");
  EXPECT_EQ(fault_of(cat(R"({"sub":"anna","x":)", std::string(10'000, '['), "}")),
            "the token's second part is nested too deep");
}

TEST(JwtClaims, RulesOfEachKind) {
  const auto outcome = read(R"({"sub":"anna","acl":[
      {"permission":"deny","action":"publish","topic":"a/+","retain":true},
      {"effect":"allow","action":"subscribe","topics":["b/#","c"],"qos_max":1,"shared":false},
      {"permission":"allow","action":"all","topic":"d/${clientid}/${username}"}]})");
  ASSERT_TRUE(outcome.identity) << outcome.fault;
  const auto& rules = outcome.identity->grants->rules;
  ASSERT_EQ(rules.size(), 3U);
  EXPECT_EQ(rules[0].effect, RuleEffect::deny);
  EXPECT_EQ(rules[0].publish.size(), 1U);
  EXPECT_EQ(rules[0].subscribe.size(), 0U);
  EXPECT_EQ(rules[0].retain, RuleKind::only);
  EXPECT_EQ(rules[0].shared, RuleKind::any);
  EXPECT_EQ(rules[0].text, "deny publish a/+");
  EXPECT_EQ(rules[0].place, "");
  EXPECT_TRUE(rules[0].subjects.everybody());
  EXPECT_EQ(rules[1].effect, RuleEffect::allow);
  EXPECT_EQ(rules[1].publish.size(), 0U);
  EXPECT_EQ(rules[1].subscribe.size(), 2U);
  EXPECT_EQ(rules[1].qos_max, Qos::at_least_once);
  EXPECT_EQ(rules[1].shared, RuleKind::never);
  EXPECT_EQ(rules[1].text, "allow subscribe b/# c");
  EXPECT_EQ(rules[2].publish, rules[2].subscribe);
  EXPECT_EQ(rules[2].publish.size(), 1U);
  EXPECT_EQ(rules[2].retain, RuleKind::any);
  EXPECT_EQ(rules[2].qos_max, Qos::exactly_once);
}

TEST(JwtClaims, AnEmptyListAddsNoRules) {
  const auto outcome = read(R"({"sub":"anna","acl":[]})");
  ASSERT_TRUE(outcome.identity) << outcome.fault;
  EXPECT_EQ(outcome.identity->grants, nullptr);
}

TEST(JwtClaims, AListThatIsNotUnderstoodRefusesTheToken) {
  constexpr std::string_view kGood = R"({"permission":"allow","action":"all","topic":"a"})";
  EXPECT_EQ(fault_of_acl(cat('[', kGood, ']')), "");
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"("a")", "is no object"},
      {R"({})", "has no permission"},
      {R"({"permission":"allow"})", "has no action"},
      {R"({"permission":"allow","action":"all"})", "has no topic"},
      {R"({"permission":"allow","action":"all","topics":[]})", "has no topic"},
      {R"({"permission":"Allow"})", "has a permission that is not \"allow\" or \"deny\""},
      {R"({"permission":true})", "has a permission that is not \"allow\" or \"deny\""},
      {R"({"permission":"allow","effect":"deny"})",
       "has a permission and an effect, which are the same"},
      {R"({"action":"pub"})", "has an action that is not \"publish\", \"subscribe\" or \"all\""},
      {R"({"action":["publish"]})",
       "has an action that is not \"publish\", \"subscribe\" or \"all\""},
      {R"({"topic":1})", "has topics that are neither a text nor a list of texts"},
      {R"({"topics":["a",1]})", "has a topic that is no text"},
      {R"({"retain":"true"})", "has a `retain` or `shared` that is not true or false"},
      {R"({"shared":1})", "has a `retain` or `shared` that is not true or false"},
      {R"({"qos_max":3})", "has a qos_max that is not 0, 1 or 2"},
      {R"({"qos_max":-1})", "has a qos_max that is not 0, 1 or 2"},
      {R"({"qos_max":1.0})", "has a qos_max that is not 0, 1 or 2"},
      {R"({"clientid":"c"})", "has a member that is not known here"},
      {R"({"permission":"allow","action":"all","topic":""})",
       "has a topic that is no topic filter"},
      {R"({"permission":"allow","action":"all","topic":"a/#/b"})",
       "has a topic that is no topic filter"},
      {R"({"permission":"allow","action":"all","topic":"${nobody}/a"})",
       "has a topic that is no topic filter"},
      {R"({"permission":"deny","action":"all","topic":"eq a/#"})",
       "has a topic that begins with \"eq \""},
  };
  for (const auto& [rule, fault] : cases) {
    EXPECT_EQ(fault_of_acl(cat('[', kGood, ',', rule, ',', kGood, ']')),
              cat("the token's claim acl: rule 2 ", fault))
        << rule;
  }
  for (const auto* acl : {"null", "{}", R"("")", "1"}) {
    EXPECT_EQ(fault_of_acl(acl), "the token's claim acl: is no list of rules") << acl;
  }
}

TEST(JwtClaims, RulesAreBounded) {
  const auto rules = [](int count, std::string_view topics) {
    std::string list = "[";
    for (int i = 0; i < count; ++i) {
      list += cat(i == 0 ? "" : ",", R"({"permission":"allow","action":"publish","topics":[)",
                  topics, "]}");
    }
    return list + ']';
  };
  EXPECT_EQ(fault_of_acl(rules(100, R"("a")")), "");
  EXPECT_EQ(fault_of_acl(rules(101, R"("a")")), "the token's claim acl: has more than 100 rules");
  std::string topics = R"("a")";
  for (int i = 1; i < 500; ++i)
    topics += R"(,"a")";
  EXPECT_EQ(fault_of_acl(rules(2, topics)), "");
  EXPECT_EQ(fault_of_acl(rules(3, topics)), "the token's claim acl: rule 3 has one topic too many");
}

}  // namespace
}  // namespace linnet::auth

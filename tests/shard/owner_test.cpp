// Whom a kept session belongs to: nobody else gets it and what it is owed, before a restart of the
// broker and after.
#include <fstream>
#include <gtest/gtest.h>

#include "auth/password_hash.hpp"
#include "support/cluster.hpp"

namespace linnet::test {

namespace {

const ConnectOptions kKept{.clean_start = false, .expiry_s = 3600};
const ConnectOptions kClean{.clean_start = true};
constexpr auto kV3NotAuthorized = static_cast<ReasonCode>(5);

/// A password file with these users; the password of each is "of-" and the name.
class Users {
 public:
  explicit Users(const std::vector<std::string>& names) {
    std::ofstream file(path());
    for (const std::string& name : names) {
      file << name << ':' << auth::make_password_hash("of-" + name, {.iterations = 1'000}) << '\n';
    }
  }
  [[nodiscard]] std::string path() const { return directory_.path() + "/users"; }

 private:
  TemporaryDirectory directory_;
};

}  // namespace

class Owner : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  static Config config(std::uint32_t sessions_per_user_max = 0) {
    static const Users users({"anna", "bert"});
    Config config;
    config.auth.password_file = users.path();
    config.limits.sessions_per_user_max = sessions_per_user_max;
    return config;
  }

  Cluster c{{.shards = GetParam(), .config = config()}};

  /// Another device with the same client identifier, that logs in as this user; empty: as nobody.
  Client& as(std::string_view user, std::string_view id = "a") {
    Client& client = c.another(id);
    if (!user.empty()) client.logs_in_as(user, "of-" + std::string(user));
    return client;
  }
  /// The user's session has a message that waits for its client.
  void owe(std::string_view user, std::string_view payload, const ConnectOptions& options = kKept,
           unsigned version = 5) {
    as(user).version(version).connects(options).subscribes("x/#", qos1).drops();
    c.client("publisher").connects().publishes("x/y", payload, {.qos = 1}).drops();
  }
  /// Whoever else asks for the session, and however, does not get it.
  void others_are_refused() {
    for (const std::string_view user : {"bert", ""}) {
      for (const ConnectOptions& options : {kKept, kClean}) {
        as(user).sends_connect(options).is_refused(ReasonCode::not_authorized);
        as(user).v3().sends_connect(options).is_refused(kV3NotAuthorized);
      }
    }
  }
  void gets_all(std::string_view user, std::string_view payload) {
    Client& client = as(user).connects(kKept);
    EXPECT_TRUE(client.connack().session_present);
    client.receives("x/y", payload);
    client.receives_nothing();
  }
};

INSTANTIATE_TEST_SUITE_P(Shards, Owner, ::testing::Values(1, 2, 4));

TEST_P(Owner, OthersDoNotGetTheSession) {
  owe("anna", "for anna");
  others_are_refused();
  gets_all("anna", "for anna");
}

TEST_P(Owner, OthersDoNotGetTheSessionAfterARestart) {
  owe("anna", "for anna");
  c.restart();
  others_are_refused();
  gets_all("anna", "for anna");
}

TEST_P(Owner, TheOwnerStaysOverManyRestarts) {
  owe("anna", "for anna");
  for (const std::uint32_t shards : {3U, 1U, 2U}) {
    c.restart({.shards = shards});
    others_are_refused();
  }
  gets_all("anna", "for anna");
}

// The record of a session whose client was connected is written again as the broker starts.
TEST_P(Owner, TheOwnerOfAClientThatWasConnectedStays) {
  as("anna").connects(kKept).subscribes("x/#", qos1);
  for (int times = 0; times < 2; ++times) {
    c.restart();
    others_are_refused();
  }
  EXPECT_TRUE(as("anna").connects(kKept).connack().session_present);
}

TEST_P(Owner, AClientOfMqtt3IsAnOwnerToo) {
  owe("anna", "for anna", {.clean_start = false}, 4);
  c.restart();
  others_are_refused();
  gets_all("anna", "for anna");
}

TEST_P(Owner, NobodysSessionIsAnybodys) {
  owe("", "for anybody");
  c.restart();
  gets_all("bert", "for anybody");
  c.restart();
  as("anna").sends_connect(kKept).is_refused(ReasonCode::not_authorized);
  as("").sends_connect(kKept).is_refused(ReasonCode::not_authorized);
}

TEST_P(Owner, NobodysSessionCountsForWhoTakesIt) {
  c.reload(config(1));
  as("", "a").connects(kKept).drops();
  as("bert", "b").connects(kKept).drops();
  as("bert", "a").sends_connect(kKept).is_refused(ReasonCode::quota_exceeded);
  EXPECT_EQ(c.accounts().of_user("bert")->sessions, 1U);
  as("anna", "a").connects(kKept).drops();
  EXPECT_EQ(c.accounts().of_user("anna")->sessions, 1U);
  EXPECT_EQ(c.accounts().of_user("anna")->connections, 0U);
}

TEST_P(Owner, AWrongPasswordIsNoOwner) {
  owe("anna", "for anna");
  c.restart();
  c.another("a")
      .logs_in_as("anna", "of-bert")
      .sends_connect(kKept)
      .is_refused(ReasonCode::bad_user_name_or_password);
  gets_all("anna", "for anna");
}

TEST_P(Owner, TheOwnerEndsItByACleanStart) {
  owe("anna", "for anna");
  c.restart();
  Client& anna = as("anna").connects(kClean);
  EXPECT_FALSE(anna.connack().session_present);
  anna.disconnects();
  EXPECT_FALSE(as("bert").connects(kKept).connack().session_present);
  c.restart();
  as("anna").sends_connect(kKept).is_refused(ReasonCode::not_authorized);
}

TEST_P(Owner, ItsExpirySetsItFree) {
  owe("anna", "for anna");
  c.restart();
  c.after(3600s);
  Client& bert = as("bert").connects(kKept);
  EXPECT_FALSE(bert.connack().session_present);
  bert.receives_nothing();
}

// Between a restart and the client's return only its name is known: no rule is applied to it.
TEST_P(Owner, TheRulesWaitForTheClient) {
  owe("anna", "for anna");
  c.restart();
  Config stricter = config();
  RuleConfig& rule = stricter.auth.rules.emplace_back();
  rule.effect = RuleEffect::deny;
  rule.users = {"*"};
  rule.topics = {"x/#"};
  c.reload(stricter);
  EXPECT_EQ(c.counters().subscriptions, 1U);
  Client& anna = as("anna").connects(kKept);
  EXPECT_TRUE(anna.connack().session_present);
  anna.receives_nothing();
  EXPECT_EQ(c.counters().subscriptions, 0U);
}

TEST_P(Owner, TheSessionsOfAUserAreCountedAfterARestart) {
  Cluster limited{{.shards = GetParam(), .config = config(2)}};
  const auto client = [&limited](std::string_view id) -> Client& {
    return limited.another(id).logs_in_as("anna", "of-anna");
  };
  client("1").connects(kKept).drops();
  client("2").connects(kKept).drops();
  for (int times = 0; times < 3; ++times) {
    limited.restart();
    client("1").connects(kKept).drops();
    client("3").sends_connect(kKept).is_refused(ReasonCode::quota_exceeded);
  }
  client("2").connects(kClean).disconnects();
  client("3").connects(kKept);
}

}  // namespace linnet::test

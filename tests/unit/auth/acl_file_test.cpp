#include "auth/acl_file.hpp"

#include <gtest/gtest.h>

#include "auth/rules.hpp"

namespace linnet::auth {
namespace {

/// The rules of a text, and what they say.
class AclFile : public ::testing::Test {
 protected:
  void read(std::string_view text) {
    RuleList list;
    std::vector<std::string> errors;
    ASSERT_TRUE(parse_acl_file(text, "acl", list, errors)) << errors.front();
    AuthConfig auth;
    auth.acl_file = "acl";
    rules_ = Rules(std::move(list), auth);
  }

  /// "rw", "r-", "-w" or "--".
  std::string may(std::string user, std::string_view topic, std::string_view client = "c") const {
    const Identity identity{std::move(user), nullptr, Method::none};
    const Subject subject{identity, client};
    std::string text;
    text += rules_.decide(subject, {Action::receive, topic}).denied() ? '-' : 'r';
    text += rules_.decide(subject, {Action::publish, topic}).denied() ? '-' : 'w';
    return text;
  }

  static std::vector<std::string> errors_of(std::string_view text, const AclBounds& bounds = {}) {
    RuleList list;
    std::vector<std::string> errors;
    EXPECT_FALSE(parse_acl_file(text, "acl", list, errors, bounds));
    EXPECT_TRUE(list.empty());
    return errors;
  }

  Rules rules_;
};

TEST_F(AclFile, Accesses) {
  read("topic read r\ntopic write w\ntopic readwrite rw\ntopic both\ntopic deny no\n");
  EXPECT_EQ(may("", "r"), "r-");
  EXPECT_EQ(may("", "w"), "-w");
  EXPECT_EQ(may("", "rw"), "rw");
  EXPECT_EQ(may("", "both"), "rw");
  EXPECT_EQ(may("", "no"), "--");
  EXPECT_EQ(may("", "other"), "--");
}

TEST_F(AclFile, LinesBeforeTheFirstUserAreAboutAnonymousClients) {
  read("topic a\nuser alice\ntopic b\n");
  EXPECT_EQ(may("", "a"), "rw");
  EXPECT_EQ(may("", "b"), "--");
  EXPECT_EQ(may("alice", "a"), "--");
  EXPECT_EQ(may("alice", "b"), "rw");
  EXPECT_EQ(may("bob", "b"), "--");
}

TEST_F(AclFile, AnEmptyFileDeniesAll) {
  read("# nothing\n\n");
  EXPECT_EQ(may("", "a"), "--");
  EXPECT_FALSE(rules_.empty());
}

TEST_F(AclFile, DenialsComeFirstAndPatternsLast) {
  read(
      "user alice\ntopic a/#\ntopic deny a/secret\npattern a/b\npattern deny a/+\n"
      "pattern readwrite p/#\npattern deny p/x\n");
  EXPECT_EQ(may("alice", "a/secret"), "--");
  EXPECT_EQ(may("alice", "a/b"), "rw");
  EXPECT_EQ(may("bob", "a/b"), "--");
  EXPECT_EQ(may("bob", "p/x"), "--");
  EXPECT_EQ(may("bob", "p/y"), "rw");
}

TEST_F(AclFile, AUserMayComeTwice) {
  read("user a\ntopic x\nuser b\ntopic y\nuser a\ntopic deny x\n");
  EXPECT_EQ(may("a", "x"), "--");
  EXPECT_EQ(may("b", "y"), "rw");
}

TEST_F(AclFile, Patterns) {
  read("pattern read d/%c/%u\npattern write x-%c-y/%u%c\npattern plain\n");
  EXPECT_EQ(may("u", "d/c/u"), "r-");
  EXPECT_EQ(may("u", "x-c-y/uc"), "-w");
  EXPECT_EQ(may("u", "d/other/u"), "--");
  EXPECT_EQ(may("", "d/c/"), "--");
  EXPECT_EQ(may("", "plain"), "rw");
  EXPECT_EQ(may("a+b", "plain"), "--");
  EXPECT_EQ(may("u", "plain", "c#"), "--");
}

TEST_F(AclFile, PlaceholdersAreForPatternsAlone) {
  read("topic %c\ntopic ${clientid}\npattern p/${clientid}\n");
  EXPECT_EQ(may("", "%c"), "rw");
  EXPECT_EQ(may("", "c"), "--");
  EXPECT_EQ(may("", "${clientid}"), "rw");
  EXPECT_EQ(may("", "p/${clientid}"), "rw");
}

TEST_F(AclFile, AClientThatCallsItselfSysGetsNothingOfTheBrokers) {
  read("pattern %c/#\n");
  EXPECT_EQ(may("", "$SYS/x", "$SYS"), "--");
  EXPECT_EQ(may("", "a/x", "a"), "rw");
}

TEST_F(AclFile, Blanks) {
  read("  topic   read   a b  \r\n\t# comment\nuser  alice smith \ntopic read\n");
  EXPECT_EQ(may("", "a b"), "r-");
  EXPECT_EQ(may("alice smith", "read"), "rw");
}

TEST_F(AclFile, EveryErrorHasItsLine) {
  const auto errors = errors_of("topic\nuser\n\nnonsense x\ntopic a b\ntopic read a+\nTopic a\n");
  ASSERT_EQ(errors.size(), 6U);
  EXPECT_EQ(errors[0],
            "acl:1: the topic is empty; a topic filter has at least one character, and "
            "# is all topics");
  EXPECT_EQ(errors[1], "acl:2: has no user name; write user NAME");
  EXPECT_TRUE(errors[2].starts_with("acl:4: begins with \"nonsense\"; a line is `topic`"));
  EXPECT_TRUE(errors[3].starts_with("acl:5: \"a\" is no access; it is read, write, readwrite"));
  EXPECT_TRUE(errors[4].starts_with("acl:6: the topic has a wildcard in a wrong place"));
  EXPECT_TRUE(errors[5].starts_with("acl:7: begins with \"Topic\""));
}

TEST_F(AclFile, Bounds) {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += "nonsense\n";
  EXPECT_EQ(errors_of(text).size(), 100U);
  EXPECT_EQ(errors_of("topic a\ntopic b\ntopic c\n", {.rules = 2}),
            std::vector<std::string>{"acl:3: there are more than 2 rules; groups and patterns say "
                                     "more with fewer"});
  EXPECT_EQ(errors_of("topic " + std::string(200'000, 'a')),
            std::vector<std::string>{"acl:1: is longer than 131072 bytes"});
}

TEST_F(AclFile, FilesThatCannotBeRead) {
  RuleList list;
  std::vector<std::string> errors;
  EXPECT_FALSE(load_acl_file("/nonexistent/acl", list, errors));
  EXPECT_FALSE(load_acl_file("/", list, errors));
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_TRUE(errors[0].starts_with("/nonexistent/acl: cannot be read: "));
  EXPECT_EQ(errors[1], "/: is not a plain file");
}

}  // namespace
}  // namespace linnet::auth

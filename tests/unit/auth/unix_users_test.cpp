#include "auth/unix_users.hpp"

#include <gtest/gtest.h>

#include "auth/identity.hpp"

namespace linnet::auth {
namespace {

TEST(UnixUsers, TheFirstEntryThatFits) {
  std::vector<std::string> errors;
  const auto users = UnixUsers::resolve(
      {{"root", "", "admin"}, {"7", "8", "both"}, {"", "root", "wheel"}, {"7", "", "seven"}},
      errors);
  ASSERT_TRUE(users);
  EXPECT_FALSE(users->empty());
  EXPECT_EQ(users->find({0, 0}), "admin");
  EXPECT_EQ(users->find({7, 8}), "both");
  EXPECT_EQ(users->find({7, 0}), "wheel");
  EXPECT_EQ(users->find({7, 9}), "seven");
  EXPECT_EQ(users->find({9, 9}), "");
  EXPECT_TRUE(UnixUsers().empty());
}

TEST(UnixUsers, AnyOfTheGroupsFits) {
  std::vector<std::string> errors;
  const auto users = UnixUsers::resolve({{"7", "8", "both"}, {"", "20", "group"}}, errors);
  ASSERT_TRUE(users);
  EXPECT_EQ(users->find({7, 1, {3, 8}}), "both");
  EXPECT_EQ(users->find({9, 1, {8, 20}}), "group");
  EXPECT_EQ(users->find({9, 1, {8, 21}}), "");
}

TEST(UnixUsers, UnknownNames) {
  std::vector<std::string> errors;
  EXPECT_FALSE(UnixUsers::resolve(
      {{"no such user", "", "a"}, {"", "no such group", "b"}, {"4294967295", "", "c"}}, errors));
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0],
            "auth.unix.uid: the system has no user \"no such user\"; give the name or "
            "the number of one");
  EXPECT_EQ(errors[1],
            "auth.unix.gid: the system has no group \"no such group\"; give the name or "
            "the number of one");
}

TEST(Identity, MethodsHaveTheNamesOfTheConfiguration) {
  for (const std::string& name : AuthConfig().order) {
    bool found = false;
    for (int method = 0; method <= static_cast<int>(Method::scram); ++method)
      found = found || name_of(static_cast<Method>(method)) == name;
    EXPECT_TRUE(found) << name;
  }
  EXPECT_EQ(name_of(Method::none), "anonymous");
}

}  // namespace
}  // namespace linnet::auth

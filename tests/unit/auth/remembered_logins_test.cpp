#include "auth/remembered_logins.hpp"

#include <gtest/gtest.h>

#include "base/cat.hpp"

namespace linnet::auth {
namespace {

class RememberedLoginsTest : public testing::Test {
 protected:
  RememberedLoginsTest() {
    std::vector<std::string> errors;
    policy = Policy::load(AuthConfig(), errors);
  }
  [[nodiscard]] LoginJob job(int user) const {
    LoginJob job;
    job.policy = policy;
    job.user_name = cat("user ", user);
    job.password = Secret("pw");
    return job;
  }
  [[nodiscard]] int held(int users) {
    int count = 0;
    for (int user = 0; user < users; ++user)
      count += logins.holds(job(user)) ? 1 : 0;
    return count;
  }

  PolicyPtr policy;
  RememberedLogins logins{32};
};

TEST_F(RememberedLoginsTest, TheLastOnes) {
  for (int user = 0; user < 40; ++user)
    logins.add(job(user));
  EXPECT_EQ(held(40), 32);
  EXPECT_TRUE(logins.holds(job(39)));
  EXPECT_FALSE(logins.holds(job(7)));
  logins.resize(10);
  EXPECT_EQ(held(40), 10);
}

TEST_F(RememberedLoginsTest, FewerWhileMemoryIsShort) {
  for (int user = 0; user < 32; ++user)
    logins.add(job(user));
  logins.squeeze(true);
  EXPECT_EQ(held(32), 2);
  EXPECT_TRUE(logins.holds(job(31)));
  logins.add(job(0));
  EXPECT_EQ(held(32), 2);
  EXPECT_TRUE(logins.holds(job(0)));
  logins.squeeze(false);
  logins.add(job(1));
  EXPECT_EQ(held(32), 3);
}

}  // namespace
}  // namespace linnet::auth

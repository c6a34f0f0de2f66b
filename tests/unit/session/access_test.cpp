#include "session/access.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/cat.hpp"

namespace linnet::session {
namespace {

class AccessTest : public ::testing::Test {
 protected:
  AccessTest() {
    AuthConfig config;
    RuleConfig rule;
    rule.publish = {"odd/#"};
    config.rules = {rule};
    std::vector<std::string> errors;
    access_ = std::make_unique<Access>(auth::Policy::load(config, errors), identity_, "c");
    EXPECT_TRUE(errors.empty());
  }

  const auth::Decision& decide(int topic) {
    const std::string name = cat(topic % 2 == 1 ? "odd/" : "even/", topic);
    return access_->decide({.action = auth::Action::publish, .topic = name});
  }

 private:
  const auth::Identity identity_;
  std::unique_ptr<Access> access_;
};

TEST_F(AccessTest, RemembersEightTopicsWhateverTheyAreCalled) {
  std::set<const auth::Decision*> places;
  for (int topic = 0; topic < 8; ++topic)
    places.insert(&decide(topic));
  EXPECT_EQ(places.size(), 8U);
  for (int topic = 0; topic < 8; ++topic)
    EXPECT_EQ(places.count(&decide(topic)), 1U);
}

TEST_F(AccessTest, DecidesRightWhereTopicsHaveToMakeRoomForOthers) {
  for (int round = 0; round < 3; ++round) {
    for (int topic = 0; topic < 100; ++topic)
      EXPECT_EQ(decide(topic).denied(), topic % 2 == 0) << topic;
  }
}

}  // namespace
}  // namespace linnet::session

// What is wrong, in one line.
#include "control/health.hpp"

#include <gtest/gtest.h>

namespace linnet::control {
namespace {

HealthFacts sound() {
  HealthFacts facts;
  facts.memory_used = "24.1 of 32.0 MiB";
  facts.connections_left = facts.connections_max = 100;
  facts.sessions_left = facts.sessions_max = 100;
  return facts;
}

TEST(HealthTest, nothing_is_wrong) {
  HealthFacts facts = sound();
  EXPECT_EQ(health_line(facts), "healthy");
  facts.pressure = Pressure::spill_backlogs;  // it copes
  facts.connections_left = 6;
  EXPECT_EQ(health_line(facts), "healthy");
}

TEST(HealthTest, each_thing_that_can_be_wrong) {
  HealthFacts facts = sound();
  facts.connections_left = 5;
  EXPECT_EQ(health_line(facts), "of limits.connections_max = 100 5 are left");
  facts.sessions_left = -3;  // more than a reload allows now
  EXPECT_EQ(health_line(facts),
            "of limits.connections_max = 100 5 are left; of limits.sessions_max = 100 0 are left");
  facts = sound();
  facts.pressure = Pressure::drop_qos0;
  EXPECT_EQ(health_line(facts), "memory is short (24.1 of 32.0 MiB): the step is \"qos0\"");
  facts.store_alarm = "the disk is full";
  EXPECT_EQ(health_line(facts),
            "the disk is full; memory is short (24.1 of 32.0 MiB): the step is \"qos0\"");
}

}  // namespace
}  // namespace linnet::control

#include "broker/health.hpp"

#include <gtest/gtest.h>

namespace linnet {
namespace {

constexpr std::time_t kNow = 1'800'000'000;  // 2027-01-15
constexpr std::time_t kDay = 24 * 3'600;

HealthFacts well() {
  HealthFacts facts;
  facts.clients = 3;
  facts.connections = {4, 100};
  facts.sessions = {2, 100};
  facts.store = {1'000, 10'000};
  facts.memory_used = "8.0 of 32.0 MiB";
  facts.now = kNow;
  facts.certificates = {{"/etc/a.crt", kNow + 90 * kDay}};
  return facts;
}

TEST(Health, NothingIsWrong) {
  EXPECT_EQ(health_line(well()), "3 clients");
  HealthFacts one = well();
  one.clients = 1;
  EXPECT_EQ(health_line(one), "1 client");
  EXPECT_TRUE(health_problems(one).empty());
  EXPECT_EQ(health_line({}), "0 clients");
}

TEST(Health, AStoreThatRefusesIsNamed) {
  HealthFacts facts = well();
  facts.alarm = "/var/lib/linnet/data.mdb: No space left on device";
  EXPECT_EQ(health_line(facts),
            "3 clients; nothing is stored durably: /var/lib/linnet/data.mdb: No space left on "
            "device");
  facts.store.used = facts.store.max;  // which is then no news
  EXPECT_EQ(health_problems(facts).size(), 1U);
}

TEST(Health, AStoreThatIsNearlyFull) {
  HealthFacts facts = well();
  facts.store = {8'999, 10'000};
  EXPECT_EQ(health_line(facts), "3 clients");
  facts.store = {9'000, 10'000};
  EXPECT_EQ(health_line(facts),
            "3 clients; the store is nearly full: 90 % of limits.store_size_max");
  constexpr std::uint64_t kMost = UINT64_MAX;
  facts.store = {kMost, kMost};
  EXPECT_EQ(health_problems(facts).size(), 1U);
  facts.store = {1, 0};  // it has no limit
  EXPECT_TRUE(health_problems(facts).empty());
}

TEST(Health, LimitsThatAreReached) {
  HealthFacts facts = well();
  facts.connections = {99, 100};
  EXPECT_EQ(health_line(facts), "3 clients");
  facts.connections = {100, 100};
  facts.sessions = {101, 100};
  EXPECT_EQ(health_line(facts),
            "3 clients; new clients are refused: limits.connections_max = 100 is reached; "
            "new kept sessions are refused: limits.sessions_max = 100 is reached");
}

TEST(Health, MemoryCountsOnceSomebodyIsWorseOff) {
  HealthFacts facts = well();
  facts.memory_used = "30.0 of 32.0 MiB";
  facts.pressure = Pressure::spill_backlogs;
  EXPECT_EQ(health_line(facts), "3 clients");
  facts.pressure = Pressure::pause_publishers;
  EXPECT_EQ(health_line(facts),
            "3 clients; memory_max is short (30.0 of 32.0 MiB): publishers are held back");
  facts.pressure = Pressure::refuse_connections;
  EXPECT_NE(health_line(facts).find("new clients are refused"), std::string::npos);
}

TEST(Health, CertificatesThatEnd) {
  HealthFacts facts = well();
  facts.certificates = {{"/etc/a.crt", kNow + 14 * kDay},  // is renewed in time, still
                        {"/etc/b.crt", kNow + 14 * kDay - 1},
                        {"/etc/c.crt", kNow}};
  EXPECT_EQ(health_line(facts),
            "3 clients; certificate /etc/c.crt has expired on 2027-01-15; "
            "certificate /etc/b.crt expires in 13 days, on 2027-01-29");
  facts.certificates = {{"/etc/a.crt", kNow + kDay}};
  EXPECT_EQ(health_line(facts),
            "3 clients; certificate /etc/a.crt expires in 1 day, on 2027-01-16");
  facts.certificates = {{"/etc/a.crt", kNow + kDay - 1}};
  EXPECT_EQ(health_line(facts), "3 clients; certificate /etc/a.crt expires within a day");
}

TEST(Health, ManyCertificatesAreCounted) {
  HealthFacts facts = well();
  facts.certificates.assign(5, {"/etc/a.crt", kNow - kDay});
  const auto problems = health_problems(facts);
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_EQ(problems.back(), "2 more certificates end soon");
}

TEST(Health, TheWorstComesFirst) {
  HealthFacts facts = well();
  facts.certificates = {{"/etc/a.crt", kNow - kDay}};
  facts.connections = {100, 100};
  facts.pressure = Pressure::drop_qos0;
  facts.alarm = "the disk fails";
  const auto problems = health_problems(facts);
  ASSERT_EQ(problems.size(), 4U);
  EXPECT_NE(problems[0].find("the disk fails"), std::string::npos);
  EXPECT_NE(problems[1].find("memory_max"), std::string::npos);
  EXPECT_NE(problems[2].find("connections_max"), std::string::npos);
  EXPECT_NE(problems[3].find("certificate"), std::string::npos);
}

}  // namespace
}  // namespace linnet

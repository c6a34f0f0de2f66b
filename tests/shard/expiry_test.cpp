// What has proven a user name is good for a time: tokens, and a wall clock that jumps.
#include <gtest/gtest.h>

#include "support/access_fixture.hpp"

namespace linnet::test {

class Expiry : public AccessTest {
 protected:
  Expiry() : AccessTest(with_rules({})) {}

  /// A token of zoe's that ends in so many seconds.
  std::string token_for(int seconds) {
    return token(R"({"sub":"zoe","exp":)" + std::to_string(std::int64_t(c.wall_s()) + seconds) +
                 "}");
  }
};

INSTANTIATE_TEST_SUITE_P(Shapes, Expiry, all_shapes());

TEST_P(Expiry, EndsOnTime) {
  auto& a = traveller("a").logs_in_as("", token_for(30)).connects(kept).subscribes("x", qos1);
  auto& old = traveller("b").v3().logs_in_as("zoe", token_for(30)).connects();
  auto& for_ever = traveller("c").logs_in_as("zoe", token(R"({"sub":"zoe"})")).connects();
  c.after(29'999ms);
  a.is_open().pings();
  old.is_open().pings();
  c.after(1ms);
  a.gets_disconnect(ReasonCode::maximum_connect_time).gets_nothing();
  old.is_closed().gets_nothing();
  c.after(1000s);
  for_ever.is_open();
  a.sends_connect(kept).is_refused(ReasonCode::bad_user_name_or_password);
  EXPECT_EQ(c.counters().sessions, 1U);  // a kept one has its own expiry, and it is over
}

TEST_P(Expiry, BetweenTwoSeconds) {
  c.after(400ms);  // the wall clock stands at so many seconds and a part
  auto& a = traveller("a").logs_in_as("", token_for(2)).connects();
  c.after(1599ms);
  a.is_open();
  c.after(1ms);
  a.gets_disconnect(ReasonCode::maximum_connect_time);
}

TEST_P(Expiry, TheLeewayIsAddedOnce) {
  Config config = with_rules({});
  config.auth.jwt.leeway = 30s;
  c.reload(config);
  auto& a = traveller("a").logs_in_as("", token_for(-20)).connects();
  c.after(9'999ms);
  a.is_open();
  c.after(1ms);
  a.gets_disconnect(ReasonCode::maximum_connect_time);
  traveller("b")
      .logs_in_as("", token_for(-30))
      .sends_connect()
      .is_refused(ReasonCode::bad_user_name_or_password);
}

TEST_P(Expiry, ItIsAWillsMatter) {
  auto& w = c.client("w").connects().subscribes("w", qos1);
  const WillOptions now{.topic = "w", .payload = "gone", .qos = 1};
  WillOptions later = now;
  later.delay_s = 20;
  later.payload = "later";
  traveller("a").logs_in_as("", token_for(10)).connects({.will = now});
  auto& b = traveller("b").logs_in_as("", token_for(10));
  b.connects({.clean_start = false, .expiry_s = 100, .will = later});
  c.after(9s);
  w.receives_nothing();
  c.after(1s);
  w.receives("w", "gone");
  c.after(19s);
  w.receives_nothing();
  c.after(1s);
  w.receives("w", "later");
}

TEST_P(Expiry, WithAndWithoutKeepAlive) {
  auto& with = traveller("a").logs_in_as("", token_for(100)).connects({.keep_alive_s = 10});
  auto& without = traveller("b").logs_in_as("", token_for(100)).connects({.keep_alive_s = 0});
  for (int at = 0; at < 9; ++at) {
    c.after(11s);
    with.pings();
  }
  c.after(999ms);
  with.is_open();
  without.is_open();
  c.after(1ms);
  with.gets_disconnect(ReasonCode::maximum_connect_time);
  without.gets_disconnect(ReasonCode::maximum_connect_time);
  auto& silent = traveller("c").logs_in_as("", token_for(100)).connects({.keep_alive_s = 10});
  c.after(15s);
  silent.gets_disconnect(ReasonCode::keep_alive_timeout);
}

TEST_P(Expiry, TheClockJumps) {
  auto& a = traveller("a").logs_in_as("", token_for(3600)).connects();
  auto& b = traveller("b").logs_in_as("", token_for(3600)).connects({.keep_alive_s = 600});
  c.after(10s);
  c.set_wall_clock(2h);
  c.after(60s);  // it is asked at least every minute
  a.gets_disconnect(ReasonCode::maximum_connect_time);
  b.gets_disconnect(ReasonCode::maximum_connect_time);
  auto& d = traveller("d").logs_in_as("", token_for(100)).connects();
  c.set_wall_clock(-1h);
  c.after(3600s);
  d.is_open();
  c.after(100s);
  d.gets_disconnect(ReasonCode::maximum_connect_time);
}

TEST_P(Expiry, AVeryFarEnd) {
  auto& a = traveller("a").logs_in_as("", token(R"({"sub":"zoe","exp":9007199254740991})"));
  a.connects({.keep_alive_s = 0});
  c.after(1000s);
  a.is_open().pings();
}

TEST_P(Expiry, WhileTheLoginWaits) {
  c.logins().hold();
  auto& a = traveller("a").logs_in_as("", token_for(5)).sends_connect();
  c.after(6s);
  c.logins().release();
  c.settle();
  c.after(1s);
  a.is_closed();  // however it is told
  EXPECT_EQ(c.counters().clients_connected, 0U);
}

TEST_P(Expiry, ANewTokenForTheSameSession) {
  auto& a = traveller("a").logs_in_as("", token_for(30)).connects(kept);
  c.after(20s);
  auto& again = c.another(a.id()).logs_in_as("", token_for(60)).connects(kept);
  a.gets_disconnect(ReasonCode::session_taken_over);
  c.after(59s);
  again.is_open();
  c.after(1s);
  again.gets_disconnect(ReasonCode::maximum_connect_time);
}

TEST_P(Expiry, AClientThatIsSlowedEndsOnTime) {
  Config config = with_rules({});
  config.rates.client.publishes = 1;
  config.rates.burst = 1s;
  c.reload(config);
  auto& a = traveller("a").logs_in_as("", token_for(5)).connects();
  for (int at = 0; at < 9; ++at)
    a.writes(publish_packet(Version::v5, "x", "", {}));
  c.settle();
  EXPECT_FALSE(a.is_read());
  c.after(4'999ms);
  a.is_open();
  c.after(1ms);
  a.gets_disconnect(ReasonCode::maximum_connect_time);
}

}  // namespace linnet::test

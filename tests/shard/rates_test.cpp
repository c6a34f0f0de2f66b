// Rates and numbers by client, user and address: who sends too much is slowed down, then refused.
#include <algorithm>
#include <gtest/gtest.h>

#include "support/access_fixture.hpp"

namespace linnet::test {

class RatesTest : public AccessTest {
 protected:
  RatesTest() : AccessTest(with_rules({})) {}

  /// From now on: 10 per second, of which one second's can be saved up.
  void limit(RateLimits Rates::*whose, RateLimits limits) {
    Config config = with_rules({});
    config.rates.*whose = limits;
    config.rates.burst = 1s;
    config.limits.refuse_timeout = 10s;
    c.reload(config);
  }
  static RateLimits publishes(std::uint32_t rate) {
    RateLimits limits;
    limits.publishes = rate;
    return limits;
  }
  /// Writes so many messages at once.
  static void floods(Client& client, int messages, unsigned qos = 1, int first = 0) {
    for (int at = first; at < first + messages; ++at) {
      const auto id = static_cast<std::uint16_t>(qos == 0 ? 0 : 1 + at);
      client.writes(
          publish_packet(client.level(), "x", std::to_string(at), {.qos = qos, .packet_id = id}));
    }
  }
  static std::size_t acknowledged(Client& client) {
    return static_cast<std::size_t>(
        std::count_if(client.inbox().begin(), client.inbox().end(), [](const Packet& packet) {
          return packet.type == PacketType::puback && !failed(packet.reason);
        }));
  }
};

INSTANTIATE_TEST_SUITE_P(Shapes, RatesTest, all_shapes());

TEST_P(RatesTest, AFastClientIsSlowedAndLosesNothing) {
  limit(&Rates::client, publishes(10));
  auto& w = c.client("w").connects().subscribes("x", qos1);
  auto& a = traveller("a").connects({.keep_alive_s = 5});
  auto& quiet = traveller("q").connects({.keep_alive_s = 60});
  floods(a, 60);
  c.settle();
  const std::size_t at_once = acknowledged(a);
  EXPECT_GE(at_once, 10U);
  EXPECT_LE(at_once, 12U);
  EXPECT_FALSE(a.is_read());
  quiet.pings();
  c.after(1s);
  EXPECT_GE(acknowledged(a), at_once + 9);
  EXPECT_LE(acknowledged(a), at_once + 11);
  c.after(5s);
  EXPECT_EQ(acknowledged(a), 60U);
  for (int at = 0; at < 60; ++at)
    w.receives("x", std::to_string(at));
  w.receives_nothing();
  a.inbox().clear();
  a.is_open().pings();
  EXPECT_GT(c.counters().clients_slowed, 40U);
}

TEST_P(RatesTest, WhatIsSavedUpIsNoMoreThanTheBurst) {
  limit(&Rates::client, publishes(10));
  auto& a = traveller("a").connects();
  c.after(1000s);
  floods(a, 40);
  c.settle();
  EXPECT_LE(acknowledged(a), 12U);
  c.after(2s);
  EXPECT_LE(acknowledged(a), 32U);
  c.after(2s);
  EXPECT_EQ(acknowledged(a), 40U);
}

TEST_P(RatesTest, OfBytes) {
  RateLimits limits;
  limits.bytes = 1000;
  limit(&Rates::client, limits);
  auto& a = traveller("a").connects();
  a.publishes("x", std::string(5000, 'x'), {.qos = 1});  // goes through, and is paid for later
  EXPECT_FALSE(a.is_read());
  floods(a, 1, 1, 100);
  c.after(3900ms);
  EXPECT_EQ(acknowledged(a), 0U);
  c.after(200ms);
  EXPECT_EQ(acknowledged(a), 1U);
}

TEST_P(RatesTest, OfSubscriptions) {
  RateLimits limits;
  limits.subscriptions = 2;
  limit(&Rates::client, limits);
  auto& a = traveller("a").connects();
  a.subscribes("1").subscribes("2").subscribes("3");
  EXPECT_FALSE(a.is_read());
  a.sends_subscribe({"4"});
  a.gets_nothing();
  c.after(600ms);
  a.gets_suback({ReasonCode::success});
  c.after(60s);
  std::vector<std::string> many;
  for (int at = 0; at < 30; ++at)
    many.push_back("m" + std::to_string(at));
  a.sends_subscribe(many);  // 14 s, which is more than the patience
  a.gets_suback(std::vector<ReasonCode>(30, ReasonCode::quota_exceeded));
  EXPECT_EQ(c.counters().subscriptions, 4U);
  auto& old = traveller("b").v3().connects();
  old.sends_subscribe(many);
  old.gets_suback(std::vector<ReasonCode>(30, ReasonCode::unspecified_error));
  a.is_open().subscribes("5");
}

TEST_P(RatesTest, WhatWouldWaitTooLongIsRefused) {
  RateLimits limits;
  limits.bytes = 100;
  limit(&Rates::client, limits);
  auto& w = c.client("w").connects().subscribes("x", qos2);
  auto& a = traveller("a").connects();
  const std::string large(3000, 'x');  // 29 s
  for (const unsigned qos : {1U, 2U}) {
    const auto id = a.sends_publish("x", large, {.qos = qos});
    a.gets_ack(qos == 1 ? PacketType::puback : PacketType::pubrec, id, ReasonCode::quota_exceeded);
    a.publishes("x", "small", {.qos = qos});  // nothing was taken for the other one
    w.receives("x", "small");
  }
  a.publishes("x", large).gets_disconnect(ReasonCode::message_rate_too_high);
  auto& old = traveller("b").v3().connects();
  old.sends_publish("x", large, {.qos = 1});
  old.is_closed().gets_nothing();
  w.receives_nothing();
}

TEST_P(RatesTest, ARefusalIsOfOneMessageAlone) {
  RateLimits limits;
  limits.bytes = 100;
  limit(&Rates::client, limits);
  auto& w = c.client("w").connects().subscribes("x", qos2);
  auto& a = traveller("a").manual().connects();
  const std::string large(3000, 'x');
  // What is refused for another reason already.
  auto id = a.sends_publish("$SYS/x", large, {.qos = 1});
  a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  a.publishes("x", "1", {.qos = 1});
  w.receives("x", "1");
  // What is not published a second time.
  a.sends_publish("x", "2", {.qos = 2, .packet_id = 77});
  a.gets_ack(PacketType::pubrec, 77);
  a.sends_publish("x", large, {.qos = 2, .dup = true, .packet_id = 77});
  a.gets_ack(PacketType::pubrec, 77);
  a.publishes("x", "3", {.qos = 1});
  w.receives("x", "2");
  w.receives("x", "3");
  w.receives_nothing();
}

TEST_P(RatesTest, AUserSharesItsRate) {
  limit(&Rates::user, publishes(10));
  auto& a = c.client(c.name_at(0, "a")).logs_in_as("anna", "a").connects();
  auto& b = traveller("b").logs_in_as("anna", "a").connects();
  auto& other = traveller("c").logs_in_as("berta", "b").connects();
  auto& nobody = traveller("d").connects();  // no user, no limit
  for (Client* one : {&a, &b, &other, &nobody})
    floods(*one, 30);
  c.settle();
  EXPECT_GE(acknowledged(a) + acknowledged(b), 10U);
  EXPECT_LE(acknowledged(a) + acknowledged(b), 13U);
  EXPECT_LE(acknowledged(other), 12U);
  EXPECT_EQ(acknowledged(nobody), 30U);
  c.after(2s);
  EXPECT_EQ(acknowledged(other), 30U);
  EXPECT_LT(acknowledged(a) + acknowledged(b), 40U);
  c.after(5s);
  EXPECT_EQ(acknowledged(a) + acknowledged(b), 60U);
}

TEST_P(RatesTest, AnAddressSharesItsRate) {
  limit(&Rates::address, publishes(10));
  auto& a = c.client(c.name_at(0, "a")).from("2001:db8::1").connects();
  auto& b = traveller("b").from("2001:db8::2").logs_in_as("anna", "a").connects();
  auto& other = traveller("c").from("2001:db8:0:1::1").connects();
  for (Client* one : {&a, &b, &other})
    floods(*one, 20);
  c.settle();
  EXPECT_LE(acknowledged(a) + acknowledged(b), 13U);
  c.after(1s);
  EXPECT_EQ(acknowledged(other), 20U);
  EXPECT_LT(acknowledged(a) + acknowledged(b), 26U);
  c.after(3s);
  EXPECT_EQ(acknowledged(a) + acknowledged(b), 40U);
}

TEST_P(RatesTest, TogetherWithAFullStore) {
  limit(&Rates::client, publishes(10));
  auto& w = traveller("w").connects(kept).subscribes("x", qos1);
  auto& a = traveller("a").v3().connects({.keep_alive_s = 60});
  c.store().set_full(true);
  floods(a, 30);
  c.settle();
  EXPECT_EQ(acknowledged(a), 0U);
  EXPECT_FALSE(a.is_read());
  c.after(5s);  // less than limits.refuse_timeout
  c.store().set_full(false);
  c.settle();
  EXPECT_GE(acknowledged(a), 10U);
  c.after(3s);
  EXPECT_EQ(acknowledged(a), 30U);
  for (int at = 0; at < 30; ++at)
    w.receives("x", std::to_string(at));
  w.receives_nothing();
  a.is_open();
}

TEST_P(RatesTest, AMessageThatIsParkedIsPaidForOnce) {
  limit(&Rates::client, publishes(1));
  auto& w = traveller("w").connects(kept).subscribes("x", qos1);
  auto& a = traveller("a").v3().connects({.keep_alive_s = 60});
  for (int round = 0; round < 3; ++round) {
    c.after(5s);
    c.store().set_full(true);
    floods(a, 1, 1, round);
    c.after(4s);
    EXPECT_EQ(acknowledged(a), 0U);
    c.store().set_full(false);
    c.settle();
    EXPECT_EQ(acknowledged(a), 1U);
    a.inbox().clear();
    EXPECT_TRUE(a.is_read());
    w.receives("x", std::to_string(round));
  }
}

TEST_P(RatesTest, SlownessIsNoSilence) {
  limit(&Rates::client, publishes(1));
  auto& a = traveller("a").connects({.keep_alive_s = 1});
  floods(a, 12);
  for (int at = 0; at < 11; ++at) {
    c.after(1s);
    a.is_open();
  }
  EXPECT_EQ(acknowledged(a), 12U);
  c.after(3s);
  a.gets_disconnect(ReasonCode::keep_alive_timeout);
}

TEST_P(RatesTest, ComeAndGoWithAReload) {
  auto& a = traveller("a").connects();
  floods(a, 50);
  c.settle();
  EXPECT_EQ(acknowledged(a), 50U);
  limit(&Rates::client, publishes(10));
  floods(a, 40, 1, 50);
  c.settle();
  EXPECT_LE(acknowledged(a), 62U);
  limit(&Rates::client, publishes(0));
  c.after(1s);
  EXPECT_EQ(acknowledged(a), 90U);
}

TEST_P(RatesTest, ConnectionsOfAUser) {
  Config config = with_rules({});
  config.limits.connections_per_user_max = 2;
  c.reload(config);
  auto& a = c.client(c.name_at(0, "a")).logs_in_as("anna", "a").connects();
  auto& b = traveller("b").logs_in_as("anna", "a").connects(kept);
  auto& d = traveller("c").logs_in_as("anna", "a");
  d.sends_connect().is_refused(ReasonCode::quota_exceeded);
  c.client("other").logs_in_as("berta", "b").connects();
  c.client("nobody").connects();
  auto& again = c.another(b.id()).logs_in_as("anna", "a").connects(kept);  // its own place
  b.gets_disconnect(ReasonCode::session_taken_over);
  again.connects(kept);
  d.sends_connect().is_refused(ReasonCode::quota_exceeded);
  again.drops();  // a session that is away takes no place
  d.connects();
  again.sends_connect(kept).is_refused(ReasonCode::quota_exceeded);
  a.disconnects();
  again.connects(kept);
  for (Client* one : {&again, &d})
    one->drops();
  EXPECT_EQ(c.accounts().of_user("anna")->connections, 0U);
}

TEST_P(RatesTest, ConnectionsOfAnAddress) {
  Config config = with_rules({});
  config.limits.connections_per_address_max = 2;
  c.reload(config);
  auto& a = c.client(c.name_at(0, "a")).from("192.0.2.7").connects();
  auto& b = traveller("b").from("192.0.2.7").connects(kept);
  auto& d = traveller("c").from("192.0.2.7");
  d.sends_connect().is_refused(ReasonCode::quota_exceeded);
  c.client("other").from("192.0.2.8").connects();
  c.client("nowhere").connects();
  auto& again = c.another(b.id()).from("192.0.2.7").connects(kept);  // its own place
  b.gets_disconnect(ReasonCode::session_taken_over);
  d.sends_connect().is_refused(ReasonCode::quota_exceeded);
  auto& elsewhere = c.another(b.id()).from("192.0.2.9").connects(kept);
  again.gets_disconnect(ReasonCode::session_taken_over);
  d.connects();
  for (Client* one : {&a, &elsewhere, &d})
    one->drops();
  const auto address = net::Endpoint::parse("192.0.2.7", 0).value();
  EXPECT_EQ(c.accounts().of_address(address)->connections, 0U);
}

TEST_P(RatesTest, SessionsOfAUser) {
  Config config = with_rules({});
  config.limits.sessions_per_user_max = 2;
  c.reload(config);
  auto& a = c.client(c.name_at(0, "a")).logs_in_as("anna", "a").connects(kept).drops();
  auto& b = traveller("b").logs_in_as("anna", "a").connects(kept).drops();
  auto& d = traveller("c").logs_in_as("anna", "a");
  d.sends_connect(kept).is_refused(ReasonCode::quota_exceeded);
  d.connects().disconnects();  // one that is not kept is none of them
  b.connects(kept);
  b.connects({.clean_start = true, .expiry_s = 1000});
  EXPECT_FALSE(b.connack().session_present);
  d.sends_connect(kept).is_refused(ReasonCode::quota_exceeded);
  a.connects({.clean_start = true, .expiry_s = 0});
  d.connects(kept);
  b.drops();
  c.after(1001s);
  EXPECT_EQ(c.accounts().of_user("anna")->sessions, 1U);
  d.connects({.clean_start = true});
  EXPECT_EQ(c.accounts().of_user("anna")->sessions, 0U);
}

TEST_P(RatesTest, ConnectingTooOften) {
  RateLimits limits;
  limits.connections = 1;
  limit(&Rates::user, limits);
  auto& a = traveller("a").logs_in_as("anna", "a").connects();
  a.sends_connect().is_refused(ReasonCode::connection_rate_exceeded);
  auto& old = traveller("b").v3().logs_in_as("anna", "a");
  old.sends_connect().is_refused(kV3Unavailable);
  traveller("c").logs_in_as("berta", "b").connects();
  c.after(1s);
  old.connects();
  a.sends_connect().is_refused(ReasonCode::connection_rate_exceeded);
  c.after(1s);
  a.connects();
}

}  // namespace linnet::test

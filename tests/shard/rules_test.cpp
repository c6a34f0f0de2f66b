// What clients may do: publishing, subscribing, receiving, Wills, and rules of a token.
// rules_reload_test.cpp has what happens when the rules change.
#include <gtest/gtest.h>
#include <set>

#include "support/access_fixture.hpp"

namespace linnet::test {

namespace {

/// Nobody reads or writes secret/#, nobody writes listen/#, and own/ and user/ are each one's own.
Config usual() {
  return with_rules({deny().topics({"secret/#"}), deny().publish({"listen/#"}),
                     allow().topics({"own/${clientid}/#", "user/${username}/#"}),
                     deny().topics({"own/#", "user/#"}), allow().topics({"#"})});
}

}  // namespace

class Rules : public AccessTest {
 protected:
  Rules() : AccessTest(usual()) {}
};

INSTANTIATE_TEST_SUITE_P(Shapes, Rules, all_shapes());

TEST_P(Rules, PublishingIsDeniedByQosAndVersion) {
  auto& w = c.client("w").connects().subscribes("listen/#", qos2);
  auto& a = c.client("a").connects(kept);
  a.publishes("listen/x", "0").gets_nothing();
  auto id = a.sends_publish("listen/x", "1", {.qos = 1});
  a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  id = a.sends_publish("listen/x", "2", {.qos = 2});
  a.gets_ack(PacketType::pubrec, id, ReasonCode::not_authorized);
  for (const unsigned level : {3U, 4U}) {  // MQTT-3.3.5-2
    auto& old = c.client("old" + std::to_string(level)).version(level).connects();
    old.publishes("listen/x", "0");
    old.publishes("listen/x", "1", {.qos = 1});
    old.publishes("listen/x", "2", {.qos = 2});
    old.gets_nothing().is_open();
  }
  w.receives_nothing();
  EXPECT_EQ(c.counters().publish_denied, 9U);
  a.publishes("x", "1", {.qos = 1}).is_open();
}

TEST_P(Rules, ADeniedQos2MessageFreesItsIdentifier) {
  auto& w = c.client("w").connects().subscribes("#", qos2);
  auto& a = c.client("a").connects(kept);
  for (int round = 0; round < 3; ++round) {
    a.sends_publish("listen/x", "no", {.qos = 2, .dup = round > 0, .packet_id = 7});
    a.gets_ack(PacketType::pubrec, 7, ReasonCode::not_authorized);
  }
  a.publishes("x", "yes", {.qos = 2, .packet_id = 7});
  w.receives("x", "yes");
  // More than the Receive Maximum of CONNACK in all, and never more at a time.
  for (unsigned id = 1; id <= 250; ++id) {
    a.sends_publish("listen/x", "no", {.qos = 1 + id % 2, .packet_id = std::uint16_t(id)});
  }
  a.is_open().inbox().clear();
  a.publishes("x", "more", {.qos = 2});
  w.receives("x", "more");
  w.receives_nothing();
}

TEST_P(Rules, AnOldClientSendsADeniedMessageAgain) {
  auto& w = c.client("w").connects().subscribes("#", qos2);
  auto& a = c.client("a").v3().manual().connects({.clean_start = false});
  a.sends_publish("listen/x", "no", {.qos = 2, .packet_id = 7});
  a.gets_ack(PacketType::pubrec, 7);
  a.drops().connects({.clean_start = false});
  a.sends_publish("listen/x", "no", {.qos = 2, .dup = true, .packet_id = 7});
  a.gets_ack(PacketType::pubrec, 7);
  a.sends_ack(PacketType::pubrel, 7).gets_ack(PacketType::pubcomp, 7);
  a.sends_publish("x", "yes", {.qos = 2, .packet_id = 7});
  a.gets_ack(PacketType::pubrec, 7);
  a.sends_ack(PacketType::pubrel, 7).gets_ack(PacketType::pubcomp, 7);
  w.receives("x", "yes");
  w.receives_nothing();
}

TEST_P(Rules, ATopicAliasHidesNothing) {
  auto& w = c.client("w").connects().subscribes("#", qos1);
  auto& a = c.client("a").connects();
  auto id = a.sends_publish("listen/x", "1", {.qos = 1, .alias = 3});
  a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  id = a.sends_publish("", "2", {.qos = 1, .alias = 3});
  a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  a.publishes("x", "3", {.qos = 1, .alias = 3});
  a.publishes("", "4", {.qos = 1, .alias = 3});
  w.receives("x", "3");
  w.receives("x", "4");
  w.receives_nothing();
}

TEST_P(Rules, RetainedMessages) {
  c.reload(with_rules({deny().publish({"a/#"}).retain(RuleKind::only),
                       deny().publish({"b/#"}).retain(RuleKind::never), allow().topics({"#"})}));
  auto& a = c.client("a").connects();
  auto id = a.sends_publish("a/x", "kept", {.qos = 1, .retain = true});
  a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  a.publishes("a/x", "live", {.qos = 1});
  id = a.sends_publish("b/x", "live", {.qos = 1});
  a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  a.publishes("b/x", "kept", {.qos = 1, .retain = true});
  // What it may not keep it may not delete either.
  c.reload(with_rules({deny().publish({"b/#"}).retain(RuleKind::only), allow().topics({"#"})}));
  id = a.sends_publish("b/x", "", {.qos = 1, .retain = true});
  a.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  auto& b = c.client("b").connects().subscribes("#", qos1);
  b.receives("b/x", "kept");
  b.receives_nothing();
}

TEST_P(Rules, Subscribing) {
  auto& a = c.client("a").connects();
  a.sends_subscribe({"x/#", "secret/#", "secret/x/y", "secret", "own/b/x", "own/a/x"}, qos1);
  a.gets_suback({ReasonCode::granted_qos_1, ReasonCode::not_authorized, ReasonCode::not_authorized,
                 ReasonCode::not_authorized, ReasonCode::not_authorized,
                 ReasonCode::granted_qos_1});
  a.subscribes("own/a/#").subscribes("#").subscribes("+/x");
  EXPECT_EQ(c.counters().subscriptions, 5U);
  EXPECT_EQ(c.counters().subscriptions_denied, 4U);
  for (const unsigned level : {3U, 4U}) {
    auto& old = c.client("old" + std::to_string(level)).version(level).connects();
    old.sends_subscribe({"secret/x", "x"}, qos1);
    old.gets_suback({ReasonCode::unspecified_error, ReasonCode::granted_qos_1});
  }
}

TEST_P(Rules, SharedSubscriptionsAreAllOrNothing) {
  auto& a = c.client("a").connects();
  a.sends_subscribe({"$share/g/x", "$share/g/secret/x", "$share/g/#", "$share/g/own/+/x"}, qos1);
  a.gets_suback({ReasonCode::granted_qos_1, ReasonCode::not_authorized, ReasonCode::not_authorized,
                 ReasonCode::not_authorized});
  EXPECT_EQ(c.counters().shared_subscriptions, 1U);
  c.client("p").connects().publishes("x", "1", {.qos = 1});
  a.receives("x", "1");
  c.reload(with_rules({deny().subscribe({"x"}).shared(RuleKind::only),
                       deny().subscribe({"y"}).shared(RuleKind::never), allow().topics({"#"})}));
  EXPECT_EQ(c.counters().shared_subscriptions, 0U);
  a.sends_subscribe({"$share/g/x", "x", "$share/g/y", "y"}, qos1);
  a.gets_suback({ReasonCode::not_authorized, ReasonCode::granted_qos_1, ReasonCode::granted_qos_1,
                 ReasonCode::not_authorized});
}

TEST_P(Rules, TheQosThatARuleAllows) {
  c.reload(with_rules({allow().topics({"low/#"}).up_to(Qos::at_most_once),
                       allow().topics({"mid/#"}).up_to(Qos::at_least_once)}));
  auto& a = c.client("a").connects();
  a.sends_subscribe({"low/x", "mid/x", "high/x"}, qos2);
  a.gets_suback({ReasonCode::success, ReasonCode::granted_qos_1, ReasonCode::not_authorized});
  auto& p = c.client("p").connects();
  p.publishes("mid/x", "1", {.qos = 1});
  EXPECT_EQ(a.receives("mid/x", "1").qos, 1U);
  auto id = p.sends_publish("mid/x", "2", {.qos = 2});
  p.gets_ack(PacketType::pubrec, id, ReasonCode::not_authorized);
  id = p.sends_publish("low/x", "1", {.qos = 1});
  p.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  p.publishes("low/x", "0");
  EXPECT_EQ(a.receives("low/x", "0").qos, 0U);
  a.receives_nothing();
}

TEST_P(Rules, LiveMessagesAreFiltered) {
  std::vector<Client*> all;
  for (std::uint32_t home = 0; home < c.shards(); ++home) {
    all.push_back(&c.client(c.name_at(home, "n")).connects().subscribes("#", qos2));
  }
  c.reload(with_rules({deny().subscribe({"secret/#"}), allow().topics({"#"})}));
  auto& p = c.client("p").connects();
  for (const unsigned qos : {0U, 1U, 2U}) {
    p.publishes("secret/x", "no", {.qos = qos});
    p.publishes("x", "yes", {.qos = qos});
    for (Client* one : all)
      one->receives("x", "yes");
  }
  for (Client* one : all)
    one->receives_nothing();
  // Also where another subscription of the same client would do.
  all[0]->sends_subscribe({"secret/x"}, qos1);
  all[0]->gets_suback({ReasonCode::not_authorized});
  p.publishes("secret/x", "no", {.qos = 1});
  all[0]->receives_nothing();
}

TEST_P(Rules, RetainedMessagesAreFiltered) {
  c.reload(with_rules({deny().subscribe({"secret/#"}), allow().topics({"#"})}));
  auto& p = c.client("p").connects();
  p.publishes("secret/x", "no", {.qos = 1, .retain = true});
  p.publishes("x", "yes", {.qos = 1, .retain = true});
  c.store().hold();  // also what is not in the store yet
  p.sends_publish("secret/y", "no", {.qos = 1, .retain = true});
  p.sends_publish("y", "yes", {.qos = 1, .retain = true});
  auto& a = c.client("a").connects();
  a.sends_subscribe({"#"}, qos1);
  c.store().release_all();
  c.settle();
  std::set<std::string> topics;
  for (const Packet& message : a.takes_messages())
    topics.insert(message.topic);
  EXPECT_EQ(topics, (std::set<std::string>{"x", "y"}));
  auto& b = c.client("b").connects();
  b.subscribes("+/x").receives_nothing();
}

TEST_P(Rules, TheBacklogIsFiltered) {
  auto& a = traveller("a").connects(kept).subscribes("#", qos1);
  auto& flight = traveller("f").manual().connects(kept).subscribes("#", qos2);
  a.drops();
  auto& p = c.client("p").connects();
  for (const unsigned qos : {1U, 2U}) {
    p.publishes("first/x", "1", {.qos = qos});
    p.publishes("second/x", "2", {.qos = qos});
  }
  flight.drops();  // it has acknowledged none
  c.reload(with_rules({deny().subscribe({"first/#"}), allow().topics({"#"})}));
  for (int round = 0; round < 2; ++round) {
    flight.connects(kept);
    for (const Packet& message : flight.takes_messages())
      EXPECT_EQ(message.topic, "second/x");
    flight.drops();
  }
  a.connects(kept).receives("second/x", "2");
  a.receives("second/x", "2");
  a.receives_nothing();
}

TEST_P(Rules, OnesOwnTopics) {
  auto& a = c.client("a").logs_in_as("anna", "a").connects();
  a.subscribes("own/a/#").subscribes("user/anna/x");
  a.sends_subscribe({"own/b/x", "user/berta/x", "user/+/x"});
  a.gets_suback({ReasonCode::not_authorized, ReasonCode::not_authorized, ReasonCode::success});
  a.publishes("own/a/x", "1").receives("own/a/x", "1");
  auto& b = c.client("b").logs_in_as("berta", "b").connects();
  b.publishes("user/anna/x", "stolen");
  b.publishes("own/a/x", "stolen");
  b.subscribes("user/+/x").publishes("user/berta/x", "mine").receives("user/berta/x", "mine");
  a.receives_nothing();
  // A name that is a wildcard or has levels is nobody's.
  for (const std::string id : {"+", "#", "a/x"}) {
    auto& sly = c.client(id).connects();
    sly.sends_subscribe({"own/a/x", "own/" + id}, qos1);
    sly.gets_suback({ReasonCode::not_authorized, ReasonCode::not_authorized});
    sly.publishes("own/a/x", "stolen");
    sly.publishes("user/anna/x", "stolen");
  }
  a.receives_nothing();
  b.receives_nothing();
}

TEST_P(Rules, AWillThatIsDenied) {
  auto& w = c.client("w").connects().subscribes("#", qos1);
  const auto will = [](const std::string& topic) {
    return ConnectOptions{.clean_start = false,
                          .expiry_s = 100,
                          .will = WillOptions{.topic = topic, .payload = "gone", .qos = 1}};
  };
  traveller("a").sends_connect(will("listen/x")).is_refused(ReasonCode::not_authorized);
  traveller("b").v3().sends_connect(will("secret/x")).is_refused(kV3NotAuthorized);
  EXPECT_EQ(c.counters().sessions, 1U);
  auto& a = traveller("a").connects(will("x/1"));
  auto& b = traveller("d").connects(will("x/2"));
  a.drops();
  w.receives("x/1", "gone");
  c.reload(with_rules({deny().publish({"x/#"}), allow().topics({"#"})}));
  b.drops();
  w.receives_nothing();
}

TEST_P(Rules, ADelayedWillIsJudgedWhenItIsPublished) {
  auto& w = c.client("w").connects().subscribes("#", qos1);
  const ConnectOptions with_will{
      .clean_start = false,
      .expiry_s = 100,
      .will = WillOptions{.topic = "x", .payload = "gone", .qos = 1, .delay_s = 10}};
  auto& a = traveller("a").connects(with_will).drops();
  auto& b = traveller("b").connects(with_will).drops();
  c.after(5s);
  c.reload(with_rules({deny().clients({a.id()}).publish({"x"}), allow().topics({"#"})}));
  c.after(10s);
  EXPECT_EQ(w.receives("x", "gone").qos, 1U);
  w.receives_nothing();
  EXPECT_EQ(c.counters().publish_denied, 1U);
  b.connects();
}

TEST_P(Rules, RulesOfAToken) {
  c.reload(with_rules({deny().topics({"listen/#"}), allow().groups({"staff"}).topics({"staff/#"}),
                       allow().topics({"all/#"})}));
  auto& a = traveller("a").logs_in_as("zoe", token(R"({"sub":"zoe","groups":["staff"],"acl":[
      {"permission":"deny","action":"subscribe","topic":"all/secret/#"},
      {"permission":"allow","action":"all","topic":"listen/${clientid}/#"}]})"));
  a.connects(kept);
  a.sends_subscribe({"all/#", "all/secret/x", "staff/x", "listen/" + a.id(), "listen/other"}, qos1);
  a.gets_suback({ReasonCode::granted_qos_1, ReasonCode::not_authorized, ReasonCode::granted_qos_1,
                 ReasonCode::granted_qos_1, ReasonCode::not_authorized});
  a.publishes("all/secret/x", "may write", {.qos = 1});
  auto& b = c.client("b").logs_in_as("anna", "a").connects();
  const auto id = b.sends_publish("staff/x", "no", {.qos = 1});
  b.gets_ack(PacketType::puback, id, ReasonCode::not_authorized);
  b.publishes("all/secret/x", "no", {.qos = 1});
  b.publishes("all/x", "yes", {.qos = 1});
  a.receives("all/x", "yes");
  a.receives_nothing();
  a.drops();
  b.publishes("all/secret/x", "no", {.qos = 1});
  b.publishes("all/x", "yes", {.qos = 1});
  // With a new token the client may do something else.
  a.logs_in_as("zoe", token(R"({"sub":"zoe"})")).connects(kept);
  EXPECT_TRUE(a.connack().session_present);
  a.receives("all/x", "yes");  // the other one has never been queued
  a.receives_nothing();
  b.publishes("all/x", "2", {.qos = 1});
  a.receives("all/x", "2");
  EXPECT_EQ(c.counters().subscriptions, 1U);
  a.sends_subscribe({"staff/x"});
  a.gets_suback({ReasonCode::not_authorized});
}

TEST_P(Rules, OfATokenWhereThereAreNoOthers) {
  c.reload(with_rules({}));
  auto& a = traveller("a").logs_in_as(
      "zoe", token(R"({"sub":"zoe","acl":[{"permission":"allow","action":"all","topic":"z/#"}]})"));
  a.connects(kept);
  a.sends_subscribe({"z/x", "x"});
  a.gets_suback({ReasonCode::success, ReasonCode::not_authorized});
  auto& b = c.client("b").connects().subscribes("#");
  a.publishes("x", "no").publishes("z/x", "yes");
  b.receives("z/x", "yes");
  b.receives_nothing();
  c.reload(with_rules({deny().topics({"z/#"})}));  // the client's own come first
  a.publishes("z/x", "2").receives("z/x", "yes");
  a.receives("z/x", "2");
}

}  // namespace linnet::test

// From CONNECT to the session: logins that take their time, that fail, and that travel to another
// shard.
#include <gtest/gtest.h>
#include <set>

#include "support/access_fixture.hpp"

namespace linnet::test {

class Login : public AccessTest {
 protected:
  Login() : AccessTest(with_passwords()) {}
};

INSTANTIATE_TEST_SUITE_P(Shapes, Login, all_shapes());

TEST_P(Login, EveryoneGetsInWithTheRightPassword) {
  for (std::uint32_t acceptor = 0; acceptor < c.shards(); ++acceptor) {
    for (std::uint32_t home = 0; home < c.shards(); ++home) {
      auto& a = c.client(c.name_at(home, "h")).at(acceptor).logs_in_as("anna", "a-secret");
      a.connects().subscribes("x").publishes("x", "1").receives("x", "1");
      a.disconnects();
    }
  }
  c.client("w")
      .logs_in_as("anna", "b-secret")
      .sends_connect()
      .is_refused(ReasonCode::bad_user_name_or_password);
  c.client("w")
      .logs_in_as("carla", "a-secret")
      .sends_connect()
      .is_refused(ReasonCode::bad_user_name_or_password);
  c.client("no name").connects();  // the listener allows it
  EXPECT_EQ(c.counters().clients_connected, 1U);
  EXPECT_EQ(c.logins().waiting(), 0U);
}

TEST_P(Login, ReturnCodesOfMqtt3) {
  for (const unsigned level : {3U, 4U}) {
    auto& a = c.client("a" + std::to_string(level)).version(level);
    a.logs_in_as("anna", "wrong").sends_connect().is_refused(kV3BadLogin);
    c.listener().allow_anonymous = false;
    c.another("b").version(level).sends_connect().is_refused(kV3NotAuthorized);
    c.listener().allow_anonymous = true;
    c.logins().set_room(0);
    a.logs_in_as("anna", "a-secret").sends_connect().is_refused(kV3Unavailable);
    c.logins().set_room(10);
    a.connects().pings();
  }
}

TEST_P(Login, NothingIsReadUntilTheVerdictComes) {
  c.logins().hold();
  auto& a = traveller().logs_in_as("anna", "a-secret").opens();
  a.writes(connect_packet(Version::v5, a.id(), {.user_name = "anna", .password = "a-secret"}) +
           subscribe_packet(Version::v5, 1, {"x"}, qos1) +
           publish_packet(Version::v5, "x", "early", {.qos = 1, .packet_id = 2}));
  c.settle();
  a.gets_nothing();
  EXPECT_FALSE(a.is_read());
  a.sends_hex("c0 00").gets_nothing();
  EXPECT_EQ(c.logins().waiting(), 1U);
  EXPECT_EQ(c.counters().sessions, 0U);
  EXPECT_EQ(c.counters().clients_connected, 0U);
  c.after(5s);
  a.gets_nothing().is_open();
  c.logins().release();
  EXPECT_EQ(a.next().type, PacketType::connack);
  a.gets_ack(PacketType::suback, 1);
  a.gets_ack(PacketType::puback, 2);
  a.receives("x", "early");
  a.gets(PacketType::pingresp);
  EXPECT_EQ(c.counters().clients_connected, 1U);
  c.after(60s);  // connect_timeout is not its matter any more
  a.is_open();
}

TEST_P(Login, ByteByByte) {
  const std::string bytes =
      connect_packet(Version::v5, "a", {.user_name = "anna", .password = "a-secret"}) +
      publish_packet(Version::v5, "x", "early", {.qos = 2, .packet_id = 2}) + from_hex("c0 00");
  for (std::uint32_t acceptor = 0; acceptor < c.shards(); ++acceptor) {
    auto& a = c.client("a").at(acceptor).opens();
    for (const char one : bytes)
      a.sends(std::string(1, one));
    EXPECT_EQ(a.next().type, PacketType::connack);
    a.gets_ack(PacketType::pubrec, 2, ReasonCode::no_matching_subscribers);
    a.gets(PacketType::pingresp);
  }
}

TEST_P(Login, AClientThatGoesWhileItWaitsLeavesNothing) {
  c.logins().hold();
  auto& a = traveller("a").logs_in_as("anna", "a-secret").sends_connect(kept);
  auto& b = traveller("b").logs_in_as("anna", "wrong").sends_connect(kept);
  a.drops();
  b.drops();
  EXPECT_EQ(c.logins().waiting(), 2U);  // the worker has them already
  c.logins().release();
  c.settle();
  EXPECT_EQ(c.logins().waiting(), 0U);
  EXPECT_EQ(c.counters().sessions, 0U);
  EXPECT_EQ(c.counters().clients_connected, 0U);
  EXPECT_EQ(c.counters().connections_total, 0U);
  EXPECT_EQ(c.accounts().size(), 0U);
  a.connects(kept);
  EXPECT_FALSE(a.connack().session_present);
}

TEST_P(Login, ManyComeAndGoWhileVerdictsAreLate) {
  Config config = with_passwords();
  config.limits.connections_max = 10;
  Cluster few{{.shards = GetParam().shards, .config = config, .seed = GetParam().seed}};
  few.logins().hold();
  for (int round = 0; round < 40; ++round) {
    auto& a = few.client("n" + std::to_string(round % 13)).logs_in_as("anna", "a-secret");
    a.sends_connect();
    if (round % 3 != 0) a.drops();
    if (round % 7 == 0) few.logins().release();
    few.settle();
    few.logins().hold();
    if (round % 3 == 0) a.drops();
  }
  few.logins().release();
  few.settle();
  EXPECT_EQ(few.counters().clients_connected, 0U);
  EXPECT_EQ(few.counters().sessions, 0U);
  for (int at = 0; at < 10; ++at) {  // every place has been given back
    few.client("m" + std::to_string(at)).logs_in_as("anna", "a-secret").connects();
  }
  few.client("one more").sends_connect().is_refused(ReasonCode::quota_exceeded);
}

TEST_P(Login, TheBrokerStopsWhileItWaits) {
  c.logins().hold();
  auto& v5 = traveller("a").logs_in_as("anna", "a-secret").sends_connect(kept);
  auto& v3 = traveller("b").v3().logs_in_as("anna", "a-secret").sends_connect();
  auto& greeting = c.client("c").opens();
  c.stop();
  EXPECT_TRUE(c.stopped());
  v5.is_refused(ReasonCode::server_unavailable).gets_nothing();
  v3.is_refused(kV3Unavailable).gets_nothing();
  greeting.is_closed().gets_nothing();
  EXPECT_EQ(c.counters().clients_connected, 0U);
  c.logins().release();  // the verdict finds nobody
  c.settle();
  EXPECT_EQ(c.counters().sessions, 0U);
}

TEST_P(Login, TheVerdictComesWhileTheBrokerStops) {
  for (int turns = 0; turns < 6; ++turns) {
    Cluster one{{.shards = GetParam().shards, .config = with_passwords(), .seed = GetParam().seed}};
    auto& other = one.client("o").connects({.expiry_s = 100});
    one.store().hold();
    other.sends_publish("x", "1", {.qos = 1, .retain = true});
    one.logins().hold();
    auto& a = one.client(one.name_at(one.shards() - 1)).at(0).logs_in_as("anna", "a-secret");
    a.sends_connect(kept);
    one.stop();
    EXPECT_FALSE(one.stopped());  // the store still owes an answer
    one.logins().release();
    for (int turn = 0; turn < turns; ++turn)
      one.step(0);
    one.store().release_all();
    one.settle();
    one.after(10s);
    EXPECT_TRUE(one.stopped());
    a.is_closed();
    if (!a.inbox().empty()) {
      EXPECT_EQ(a.inbox().front().type, PacketType::connack);
    }
  }
}

TEST_P(Login, AFailedLoginTouchesNoSession) {
  auto& a = traveller("a").logs_in_as("anna", "a-secret").connects(kept);
  a.subscribes("x", qos1);
  auto& thief = c.another(a.id());
  thief.logs_in_as("anna", "wrong").sends_connect();
  thief.is_refused(ReasonCode::bad_user_name_or_password);
  thief.logs_in_as("berta", "b-secret").sends_connect();
  thief.is_refused(ReasonCode::not_authorized);  // she is who she is, and this is anna's session
  c.another(a.id()).sends_connect().is_refused(ReasonCode::not_authorized);
  a.is_open().pings().publishes("x", "1", {.qos = 1}).receives("x", "1");
  a.drops();
  thief.logs_in_as("berta", "b-secret").sends_connect({.clean_start = true});
  thief.is_refused(ReasonCode::not_authorized);
  c.client("p").connects().publishes("x", "2", {.qos = 1});
  a.connects(kept).receives("x", "2");
  EXPECT_TRUE(a.connack().session_present);
}

TEST_P(Login, ALongUserNameIsItsSessionsOwner) {
  const std::string longer = "a-user-name-that-no-small-string-has-room-for";
  Config config;
  config.auth.password_file = access_files().users({{longer, "x"}, {longer + "2", "x"}});
  c.reload(config);
  auto& a = traveller("a").logs_in_as(longer, "x").connects(kept).subscribes("x", qos1);
  c.another(a.id())
      .logs_in_as(longer + "2", "x")
      .sends_connect(kept)
      .is_refused(ReasonCode::not_authorized);
  auto& again = c.another(a.id()).logs_in_as(longer, "x").connects(kept);
  EXPECT_TRUE(again.connack().session_present);
  a.gets_disconnect(ReasonCode::session_taken_over);
}

TEST_P(Login, TheSessionIsTakenOverWhenTheVerdictHasCome) {
  auto& a = traveller("a").logs_in_as("anna", "a-secret").connects(kept);
  a.subscribes("x", qos1);
  c.logins().hold();
  auto& again = c.another(a.id()).logs_in_as("anna", "a-secret").sends_connect(kept);
  a.is_open().pings().publishes("x", "1", {.qos = 1}).receives("x", "1");
  again.gets_nothing();
  c.logins().release();
  again.gets_in();
  EXPECT_TRUE(again.connack().session_present);
  a.gets_disconnect(ReasonCode::session_taken_over);
  again.publishes("x", "2", {.qos = 1}).receives("x", "2");
  EXPECT_EQ(c.counters().clients_connected, 1U);
}

TEST_P(Login, TwoAtOnceWithTheSameIdentifier) {
  for (std::uint64_t seed = 1; seed < 6; ++seed) {
    Cluster one{{.shards = GetParam().shards, .config = with_passwords(), .seed = GetParam().seed}};
    one.logins().reorder(seed);
    one.logins().hold();
    std::vector<Client*> all;
    for (std::uint32_t at = 0; at < 4; ++at) {
      auto& next = one.another("same").at(at % one.shards()).logs_in_as("anna", "a-secret");
      all.push_back(&next.sends_connect(kept));
    }
    auto& wrong = one.another("same").at(0).logs_in_as("anna", "wrong").sends_connect(kept);
    one.logins().release();
    one.settle();
    wrong.is_refused(ReasonCode::bad_user_name_or_password);
    int open = 0;
    int fresh = 0;
    for (Client* client : all) {
      // Who is taken over before the store has its session gets no CONNACK.
      if (client->closed() && client->inbox().empty()) continue;
      client->gets_in();
      if (!client->connack().session_present) ++fresh;
      if (!client->closed()) {
        ++open;
        client->pings();
      } else {
        client->gets_disconnect(ReasonCode::session_taken_over);
      }
    }
    EXPECT_EQ(open, 1);
    EXPECT_LE(fresh, 1);
    EXPECT_EQ(one.counters().clients_connected, 1U);
    EXPECT_EQ(one.counters().sessions, 1U);
  }
}

TEST_P(Login, AFullQueueRefuses) {
  c.logins().hold();
  c.logins().set_room(2);
  auto& a = traveller("a").logs_in_as("anna", "a-secret").sends_connect();
  auto& b = traveller("b").logs_in_as("anna", "a-secret").sends_connect();
  auto& d = traveller("d").logs_in_as("anna", "a-secret").sends_connect();
  d.is_refused(ReasonCode::server_busy);
  c.client("no name").connects();  // needs no verdict
  c.logins().release();
  a.gets_in();
  b.gets_in();
  d.connects();
}

TEST_P(Login, AWorkerThatNeverAnswers) {
  c.logins().hold();
  auto& a = traveller("a").logs_in_as("anna", "a-secret").sends_connect();
  auto& b = traveller("b").v3().logs_in_as("anna", "a-secret").sends_connect();
  c.after(9999ms);
  a.is_open();
  c.after(1ms);
  a.is_refused(ReasonCode::server_busy);
  b.is_refused(kV3Unavailable);
  c.logins().release();
  c.settle();
  EXPECT_EQ(c.counters().clients_connected, 0U);
  a.connects();
}

TEST_P(Login, AnAssignedIdentifierSurvivesTheWait) {
  c.logins().hold();
  std::set<std::string> ids;
  std::vector<Client*> all;
  for (std::uint32_t at = 0; at < c.shards(); ++at) {
    auto& a = c.another("").at(at).logs_in_as("anna", "a-secret");
    all.push_back(&a.sends_connect());
  }
  c.logins().release();
  for (Client* a : all) {
    a->gets_in();
    const std::string id = a->connack().text(Property::assigned_client_identifier);
    EXPECT_FALSE(id.empty());
    ids.insert(id);
    c.another(id).logs_in_as("anna", "a-secret").connects();
    a->gets_disconnect(ReasonCode::session_taken_over);
  }
  EXPECT_EQ(ids.size(), c.shards());
  c.another("")
      .version(3)
      .logs_in_as("anna", "a-secret")
      .sends_connect()
      .is_refused(static_cast<ReasonCode>(2));
}

TEST_P(Login, WhoMayComeWithoutAName) {
  c.listener().allow_anonymous = false;
  c.client("a").sends_connect().is_refused(ReasonCode::not_authorized);
  c.listener().local = true;  // its own machine is trusted only as long as there are no logins
  c.client("a").sends_connect().is_refused(ReasonCode::not_authorized);
  c.client("a").logs_in_as("anna", "a-secret").connects();
  Cluster open{{.shards = GetParam().shards, .seed = GetParam().seed}};
  open.listener().allow_anonymous = false;
  open.client("a").sends_connect().is_refused(ReasonCode::not_authorized);
  open.client("a").logs_in_as("anna", "any").sends_connect().is_refused(ReasonCode::not_authorized);
  open.listener().local = true;
  open.client("b").connects();
  open.client("b").logs_in_as("anna", "any").connects();
}

TEST_P(Login, AUserThatIsRemovedMeanwhileDoesNotGetIn) {
  c.logins().hold();
  auto& a = traveller("a").logs_in_as("anna", "a-secret").sends_connect(kept);
  auto& b = traveller("b").logs_in_as("berta", "b-secret").sends_connect(kept);
  Config fewer = with_passwords();
  fewer.auth.password_file = access_files().users({{"berta", "b-secret"}});
  c.reload(fewer);
  c.logins().release();
  c.settle();
  a.is_refused(ReasonCode::not_authorized);
  b.gets_in();
  EXPECT_EQ(c.counters().sessions, 1U);
}

TEST_P(Login, AUserThatIsRemovedWhileTheLinkMoves) {
  // The home has the new settings before the link comes, which was let in under the old ones.
  c.logins().hold();
  auto& a = traveller("a").logs_in_as("anna", "a-secret").sends_connect(kept);
  auto& nobody = traveller("n").opens();
  c.freeze(0);
  c.logins().release();
  c.settle();
  nobody.writes(connect_packet(Version::v5, nobody.id(), {.expiry_s = 10}));
  Config fewer = with_passwords();
  fewer.auth.password_file = access_files().users({{"berta", "b-secret"}});
  c.listener().allow_anonymous = false;
  c.reload(fewer);
  c.thaw(0);
  a.is_closed();
  nobody.is_closed();
  for (Client* one : {&a, &nobody}) {
    if (!one->inbox().empty()) one->is_refused(ReasonCode::not_authorized);
  }
  EXPECT_EQ(c.counters().clients_connected, 0U);
}

TEST_P(Login, WrongLoginsCountAgainstTheirAddress) {
  Config config = with_passwords();
  config.auth.ban.after = 3;
  c.reload(config);
  const auto address = net::Endpoint::parse("192.0.2.7", 0).value();
  for (int at = 0; at < 3; ++at) {
    EXPECT_FALSE(c.bans().is_banned(address, c.now_ms()));
    auto& a = traveller("a").from("192.0.2.7").logs_in_as("anna", at == 0 ? "a-secret" : "wrong");
    if (at == 0) {
      a.connects().disconnects();
      a.logs_in_as("anna", "wrong");
    }
    // The one that leads to the ban is told so.
    a.sends_connect().is_refused(at < 2 ? ReasonCode::bad_user_name_or_password
                                        : ReasonCode::banned);
  }
  EXPECT_TRUE(c.bans().is_banned(address, c.now_ms()));
  EXPECT_EQ(c.counters().connections_total, 1U);
  EXPECT_EQ(c.counters().sessions, 0U);
}

}  // namespace linnet::test

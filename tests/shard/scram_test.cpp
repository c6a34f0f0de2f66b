// Enhanced authentication (MQTT 5.0, section 4.12): SCRAM-SHA-256 before CONNACK, and again later.
#include <gtest/gtest.h>

#include "support/access_fixture.hpp"

namespace linnet::test {

namespace {

constexpr std::string_view kMethod = ScramExchange::kMethod;
constexpr auto kGoOn = ReasonCode::continue_authentication;

}  // namespace

class Scram : public AccessTest {
 protected:
  Scram() : AccessTest(with_passwords(auth::HashKind::scram)) {}
};

INSTANTIATE_TEST_SUITE_P(Shapes, Scram, all_shapes());

TEST_P(Scram, LogsIn) {
  for (std::uint32_t acceptor = 0; acceptor < c.shards(); ++acceptor) {
    for (std::uint32_t home = 0; home < c.shards(); ++home) {
      auto& a = c.client(c.name_at(home, "h")).at(acceptor);
      ScramExchange(a, "anna", "a-secret").logs_in(kept);
      EXPECT_EQ(a.connack().session_present, acceptor > 0);
      a.publishes("x", "1", {.qos = 1});
      a.drops();
    }
  }
  // The same entry serves plain passwords, and the session is the same user's.
  auto& a = c.client(c.name_at(0, "h")).logs_in_as("anna", "a-secret").connects(kept);
  EXPECT_TRUE(a.connack().session_present);
  EXPECT_FALSE(a.connack().has(Property::authentication_method));
}

TEST_P(Scram, WithAnAssignedIdentifier) {
  auto& a = c.client("");
  ScramExchange(a, "anna", "a-secret").logs_in();
  const std::string id = a.connack().text(Property::assigned_client_identifier);
  EXPECT_FALSE(id.empty());
  c.client(id).logs_in_as("anna", "a-secret").connects();
  a.gets_disconnect(ReasonCode::session_taken_over);
}

TEST_P(Scram, WrongProof) {
  for (const auto& [user, password] : AccessFiles::Users{{"anna", "b-secret"}, {"nobody", "x"}}) {
    auto& a = traveller();
    ScramExchange exchange(a, user, password);
    exchange.begins().proves();
    a.is_refused(ReasonCode::bad_user_name_or_password).gets_nothing();
  }
  auto& a = traveller();
  ScramExchange(a, "anna", "a-secret").begins();
  a.sends_auth(kGoOn, kMethod, "garbage").is_refused(ReasonCode::not_authorized);
  a.authenticates(kMethod, "garbage").is_refused(ReasonCode::not_authorized);
  a.authenticates(kMethod, "").is_refused(ReasonCode::not_authorized);
  EXPECT_EQ(c.counters().sessions, 0U);
  EXPECT_EQ(c.counters().clients_connected, 0U);
}

TEST_P(Scram, AFailedExchangeTouchesNoSession) {
  auto& a = traveller("a");
  ScramExchange(a, "anna", "a-secret").logs_in(kept);
  auto& thief = c.another(a.id());
  ScramExchange exchange(thief, "anna", "wrong");
  exchange.begins(kept);
  a.is_open().pings();
  exchange.proves();
  thief.is_refused(ReasonCode::bad_user_name_or_password);
  ScramExchange(thief, "berta", "b-secret").begins(kept).proves();
  thief.is_refused(ReasonCode::not_authorized);
  a.is_open().pings();
  auto& again = c.another(a.id());
  ScramExchange(again, "anna", "a-secret").logs_in(kept);
  EXPECT_TRUE(again.connack().session_present);
  a.gets_disconnect(ReasonCode::session_taken_over);
}

TEST_P(Scram, NothingButAuthMayComeBeforeConnack) {
  for (const std::string& bytes :
       {publish_packet(Version::v5, "x", "early", {.qos = 1, .packet_id = 1}),
        subscribe_packet(Version::v5, 1, {"x"}, {}), from_hex("c0 00"),
        connect_packet(Version::v5, "n", {})}) {
    auto& a = traveller();
    ScramExchange exchange(a, "anna", "a-secret");
    exchange.begins();
    a.sends(bytes).is_closed();
    while (!a.inbox().empty())
      EXPECT_EQ(a.next().type, PacketType::connack);
  }
  EXPECT_EQ(c.counters().sessions, 0U);
  EXPECT_EQ(c.counters().publish_received, 0U);
}

TEST_P(Scram, DisconnectInTheMiddle) {
  auto& a = traveller();
  ScramExchange(a, "anna", "a-secret")
      .begins({.expiry_s = 100, .will = WillOptions{.topic = "w", .payload = "w"}});
  auto& w = c.client("w").connects().subscribes("w");
  a.disconnects().gets_nothing();
  w.receives_nothing();
  ScramExchange(a, "anna", "a-secret")
      .begins({.expiry_s = 100, .will = WillOptions{.topic = "w", .payload = "w"}});
  a.drops();
  w.receives_nothing();  // it was never connected
  EXPECT_EQ(c.counters().sessions, 1U);
}

TEST_P(Scram, SilenceIsTimedOut) {
  auto& a = traveller();
  ScramExchange(a, "anna", "a-secret").begins();
  c.after(9999ms);
  a.is_open();
  c.after(2ms);
  a.is_refused(ReasonCode::not_authorized);
  EXPECT_EQ(c.counters().clients_connected, 0U);
}

TEST_P(Scram, TheBrokerStopsInTheMiddle) {
  auto& a = traveller();
  ScramExchange(a, "anna", "a-secret").begins();
  c.stop();
  a.is_refused(ReasonCode::server_unavailable).gets_nothing();
  EXPECT_TRUE(c.stopped());
}

TEST_P(Scram, AuthOutOfPlace) {
  // Before CONNECT.
  c.client("a").opens().sends_auth(kGoOn, kMethod, "x").is_closed().gets_nothing();
  // With a reason that does not fit, and with another method.
  for (const auto reason : {ReasonCode::success, ReasonCode::reauthenticate}) {
    auto& a = traveller();
    ScramExchange exchange(a, "anna", "a-secret");
    exchange.begins();
    a.sends_auth(reason, kMethod, exchange.proof()).is_closed();
    EXPECT_TRUE(a.inbox().empty());
  }
  auto& other = traveller();
  ScramExchange exchange(other, "anna", "a-secret");
  exchange.begins();
  other.sends_auth(kGoOn, "PLAIN", exchange.proof()).is_closed();
  // In an open connection that has begun nothing.
  auto& b = traveller("b");
  ScramExchange(b, "anna", "a-secret").logs_in();
  b.sends_auth(kGoOn, kMethod, "x").gets_disconnect(ReasonCode::protocol_error);
  // Without a method.
  b.logs_in_as("anna", "a-secret").connects();
  b.sends_auth(ReasonCode::reauthenticate, kMethod, "x");
  b.gets_disconnect(ReasonCode::protocol_error);
  auto& anonymous = c.client("c").connects();
  anonymous.sends_auth(ReasonCode::reauthenticate, kMethod, "x");
  anonymous.gets_disconnect(ReasonCode::protocol_error);
  auto& v3 = c.client("d").v3().connects();
  v3.sends_auth(ReasonCode::reauthenticate, kMethod, "x").is_closed();
  EXPECT_EQ(c.counters().clients_connected, 0U);
}

TEST_P(Scram, AuthWhileConnackWaitsForTheStore) {
  auto& a = traveller();
  ScramExchange exchange(a, "anna", "a-secret");
  exchange.begins(kept);
  c.store().hold();
  exchange.proves();
  a.gets_nothing().is_open();
  a.sends_auth(ReasonCode::reauthenticate, kMethod, "n,,n=anna,r=abcdefghijklmnopqrst");
  a.is_closed().gets_nothing();  // MQTT-3.2.0-1: nothing before CONNACK
  c.store().release_all();
  c.settle();
  a.gets_nothing();
}

TEST_P(Scram, OtherMethodsAreRefused) {
  traveller().authenticates("PLAIN", "x").is_refused(ReasonCode::bad_authentication_method);
  traveller()
      .authenticates("SCRAM-SHA-1", "n,,n=anna,r=x")
      .is_refused(ReasonCode::bad_authentication_method);
  Cluster none{{.shards = GetParam().shards, .seed = GetParam().seed}};
  none.client("a")
      .authenticates(kMethod, "n,,n=anna,r=x")
      .is_refused(ReasonCode::bad_authentication_method);
}

TEST_P(Scram, AuthenticatesAgainWhileMessagesFlow) {
  auto& a = traveller("a");
  ScramExchange exchange(a, "anna", "a-secret");
  exchange.logs_in(kept);
  a.subscribes("x", qos2);
  auto& p = c.client("p").connects();
  for (int round = 0; round < 3; ++round) {
    ScramExchange again(a, "anna", "a-secret");
    p.publishes("x", "before", {.qos = 1});
    again.begins_again();
    p.publishes("x", "between", {.qos = 2});
    a.publishes("x", "own", {.qos = 1}).pings();
    again.proves();
    EXPECT_TRUE(again.accepts(a.gets_auth(ReasonCode::success, kMethod)));
    p.publishes("x", "after", {.qos = 1});
    for (const auto* payload : {"before", "between", "own", "after"})
      a.receives("x", payload);
  }
  a.gets_nothing().is_open();
}

TEST_P(Scram, AuthenticatesAgainInVain) {
  auto& w = c.client("w").connects().subscribes("w/#");
  const ConnectOptions with_will{.will = WillOptions{.topic = "w/a", .payload = "gone"}};
  const auto log_in = [&]() -> Client& {
    auto& a = traveller("a");
    ScramExchange(a, "anna", "a-secret").logs_in(with_will);
    return a;
  };
  {
    auto& a = log_in();  // as somebody else, whose password is right
    ScramExchange(a, "berta", "b-secret").begins_again().proves();
    a.gets_disconnect(ReasonCode::not_authorized).gets_nothing();
    w.receives("w/a", "gone");
  }
  {
    auto& a = log_in();
    ScramExchange(a, "anna", "wrong").begins_again().proves();
    a.gets_disconnect(ReasonCode::not_authorized).gets_nothing();
    w.receives("w/a", "gone");
  }
  {
    auto& a = log_in();
    a.sends_auth(ReasonCode::reauthenticate, "PLAIN", "x");
    a.gets_disconnect(ReasonCode::protocol_error);
    w.receives("w/a", "gone");
  }
  {
    auto& a = log_in();  // begun twice
    ScramExchange(a, "anna", "a-secret").begins_again();
    a.sends_auth(ReasonCode::reauthenticate, kMethod, "n,,n=anna,r=abcdefghijklmnopqrst");
    a.gets_disconnect(ReasonCode::protocol_error);
    w.receives("w/a", "gone");
  }
  EXPECT_EQ(c.counters().sessions, 1U);
}

TEST_P(Scram, AUserThatIsRemovedInTheMiddle) {
  auto& a = traveller("a");
  ScramExchange exchange(a, "anna", "a-secret");
  exchange.begins();
  auto& b = traveller("b");
  ScramExchange(b, "anna", "a-secret").logs_in();
  auto& d = traveller("d");
  ScramExchange(d, "berta", "b-secret").logs_in();
  ScramExchange again(d, "berta", "b-secret");
  again.begins_again();
  Config fewer = with_passwords(auth::HashKind::scram);
  fewer.auth.password_file = access_files().users({{"berta", "b-secret"}}, auth::HashKind::scram);
  c.reload(fewer);
  b.gets_disconnect(ReasonCode::not_authorized);
  exchange.proves();
  a.is_refused(ReasonCode::not_authorized);
  again.proves();
  EXPECT_TRUE(again.accepts(d.gets_auth(ReasonCode::success, kMethod)));
  Config none = with_passwords(auth::HashKind::scram);
  none.auth.password_file.clear();
  c.reload(none);
  d.gets_disconnect(ReasonCode::not_authorized);
  EXPECT_EQ(c.counters().clients_connected, 0U);
}

}  // namespace linnet::test

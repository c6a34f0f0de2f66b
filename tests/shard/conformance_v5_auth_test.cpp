// MQTT 5.0, section 4.12: enhanced authentication.
#include "conformance_v5.hpp"
#include "support/access.hpp"

namespace linnet::test {

namespace {

constexpr std::string_view kMethod = ScramExchange::kMethod;

/// A broker with the user anna, whose password is "secret".
class ScramBroker {
 public:
  ScramBroker() : cluster({.shards = 2, .config = config()}) {}

 private:
  Config config() {
    Config config;
    config.auth.password_file = files_.users({{"anna", "secret"}}, auth::HashKind::scram);
    return config;
  }
  AccessFiles files_;

 public:
  Cluster cluster;
  Client& a = cluster.client("a");
};

}  // namespace

CONFORMS_V5(AuthAsksForMore, "MQTT-4.12.0-2", "MQTT-4.12.0-3") {
  ScramBroker b;
  ScramExchange exchange(b.a, "anna", "secret");
  exchange.begins();  // it wants AUTH 0x18
  b.a.is_open().gets_nothing();
  // The right data, and the wrong reason: nobody gets in by that.
  b.a.sends_auth(ReasonCode::success, kMethod, exchange.proof()).is_closed();
  ScramExchange right(b.a, "anna", "secret");
  right.logs_in();
}

CONFORMS_V5(AuthGivenUpCloses, "MQTT-4.12.0-4") {
  ScramBroker b;
  ScramExchange exchange(b.a, "anna", "wrong");
  exchange.begins().proves();
  b.a.is_refused(ReasonCode::bad_user_name_or_password).gets_nothing();
}

CONFORMS_V5(AuthNamesTheMethod, "MQTT-4.12.0-5") {
  ScramBroker b;
  ScramExchange exchange(b.a, "anna", "secret");
  exchange.logs_in();  // each AUTH, and CONNACK
  ScramExchange again(b.a, "anna", "secret");
  again.begins_again().proves();
  EXPECT_TRUE(again.accepts(b.a.gets_auth(ReasonCode::success, kMethod)));
  for (const std::string_view method : {"PLAIN", ""}) {
    ScramExchange other(b.a, "anna", "secret");
    other.begins();
    b.a.sends_auth(ReasonCode::continue_authentication, method, other.proof()).is_closed();
  }
}

CONFORMS_V5(AuthAgainUsesTheMethod, "MQTT-4.12.1-1") {
  ScramBroker b;
  ScramExchange(b.a, "anna", "secret").logs_in();
  b.a.sends_auth(ReasonCode::reauthenticate, "PLAIN", "x");
  b.a.gets_disconnect(ReasonCode::protocol_error);
}

CONFORMS_V5(AuthAgainInVainCloses, "MQTT-4.12.1-2") {
  ScramBroker b;
  ScramExchange(b.a, "anna", "secret").logs_in();
  ScramExchange(b.a, "anna", "wrong").begins_again().proves();
  b.a.gets_disconnect(ReasonCode::not_authorized).gets_nothing();
}

}  // namespace linnet::test

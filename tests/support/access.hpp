// What the tests of access say beside the language of cluster.hpp: users, tokens, rules, and SCRAM.
//
//   AccessFiles files;
//   Config config;
//   config.auth.password_file = files.users({{"anna", "secret"}});
//   config.auth.rules = {allow().users({"anna"}).topics({"a/#"}), deny().subscribe({"b"})};
//   Cluster c{{.config = config}};
//   c.client("a").logs_in_as("anna", "secret").connects();
#pragma once

#include <cstdint>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/password_hash.hpp"
#include "support/cluster.hpp"
#include "unit/auth/jwt_maker.hpp"
#include "unit/auth/scram_client.hpp"

namespace linnet::test {

/// How many shards there are, and whether turns are drawn at random.
struct Shape {
  std::uint32_t shards = 1;
  std::uint64_t seed = 0;

  friend void PrintTo(const Shape& shape, std::ostream* out) {
    *out << shape.shards << " shards, seed " << shape.seed;
  }
};

inline auto all_shapes() {
  return ::testing::Values(Shape{1, 0}, Shape{2, 0}, Shape{4, 0}, Shape{1, 11}, Shape{2, 12},
                           Shape{4, 13}, Shape{4, 14});
}

/// Files of users and keys, in a directory that goes with it.
class AccessFiles {
 public:
  using Users = std::vector<std::pair<std::string, std::string>>;

  /// A password file with these users and passwords; each call writes a new one.
  [[nodiscard]] std::string users(const Users& users,
                                  auth::HashKind kind = auth::HashKind::pbkdf2) {
    std::string text;
    for (const auto& [user, password] : users)
      text += user + ":" + entry(password, kind) + "\n";
    return write("users", text);
  }
  /// The key that make_token() signs with.
  [[nodiscard]] std::string key() { return write("key", std::string(auth::samples::kSecret)); }

 private:
  static const std::string& entry(const std::string& password, auth::HashKind kind) {
    static std::map<std::pair<std::string, auth::HashKind>, std::string> known;
    auto& hash = known[{password, kind}];
    const std::uint32_t iterations = kind == auth::HashKind::pbkdf2 ? 1'000 : 4'096;
    if (hash.empty()) hash = auth::make_password_hash(password, {kind, iterations});
    return hash;
  }
  std::string write(std::string_view name, const std::string& text) {
    std::string path = directory_.path() + "/" + std::string(name) + std::to_string(++written_);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  TemporaryDirectory directory_;
  int written_ = 0;
};

/// A rule under construction; its filters and names as the configuration has them.
class RuleMaker {
 public:
  using Texts = std::vector<std::string>;

  explicit RuleMaker(RuleEffect effect) { rule_.effect = effect; }
  RuleMaker& users(Texts names) { return set(&RuleConfig::users, std::move(names)); }
  RuleMaker& groups(Texts names) { return set(&RuleConfig::groups, std::move(names)); }
  RuleMaker& clients(Texts ids) { return set(&RuleConfig::clients, std::move(ids)); }
  RuleMaker& publish(Texts filters) { return set(&RuleConfig::publish, std::move(filters)); }
  RuleMaker& subscribe(Texts filters) { return set(&RuleConfig::subscribe, std::move(filters)); }
  RuleMaker& topics(Texts filters) { return set(&RuleConfig::topics, std::move(filters)); }
  RuleMaker& retain(RuleKind kind) {
    rule_.retain = kind;
    return *this;
  }
  RuleMaker& shared(RuleKind kind) {
    rule_.shared = kind;
    return *this;
  }
  RuleMaker& up_to(Qos qos) {
    rule_.qos_max = qos;
    return *this;
  }
  operator RuleConfig() const { return rule_; }  // NOLINT: it is one

 private:
  RuleMaker& set(Texts RuleConfig::*member, Texts texts) {
    rule_.*member = std::move(texts);
    return *this;
  }

  RuleConfig rule_;
};

inline RuleMaker allow() {
  return RuleMaker(RuleEffect::allow);
}
inline RuleMaker deny() {
  return RuleMaker(RuleEffect::deny);
}

/// HS256 over these claims: R"({"sub":"anna"})".
inline std::string token(std::string_view claims) {
  return auth::test::make_token(auth::test::kHeader, claims);
}

/// Reasons that a CONNACK of MQTT 3 has.
inline constexpr auto kV3BadLogin = static_cast<ReasonCode>(4);
inline constexpr auto kV3NotAuthorized = static_cast<ReasonCode>(5);
inline constexpr auto kV3Unavailable = static_cast<ReasonCode>(3);

/// A client's side of one SCRAM-SHA-256 exchange.
class ScramExchange {
 public:
  static constexpr std::string_view kMethod = "SCRAM-SHA-256";

  ScramExchange(Client& client, std::string_view user, std::string_view password)
      : client_(client) {
    scram_.user = user;
    scram_.password = password;
  }

  /// CONNECT, and the server's first message.
  ScramExchange& begins(const ConnectOptions& options = {}, Where where = Where::current()) {
    client_.authenticates(kMethod, scram_.first(), options, where);
    server_first_ = client_.gets_auth(ReasonCode::continue_authentication, kMethod, where);
    return *this;
  }
  /// The same in an open connection.
  ScramExchange& begins_again(Where where = Where::current()) {
    client_.sends_auth(ReasonCode::reauthenticate, kMethod, scram_.first(), where);
    server_first_ = client_.gets_auth(ReasonCode::continue_authentication, kMethod, where);
    return *this;
  }
  /// The proof; nothing is expected.
  ScramExchange& proves(Where where = Where::current()) {
    client_.sends_auth(ReasonCode::continue_authentication, kMethod, proof(), where);
    return *this;
  }
  [[nodiscard]] std::string proof() { return scram_.final(server_first_); }
  [[nodiscard]] bool accepts(const std::string& data) const { return scram_.accepts(data); }

  /// CONNECT, the exchange, and a CONNACK with the method and the server's proof.
  void logs_in(const ConnectOptions& options = {}, Where where = Where::current()) {
    begins(options, where).proves(where);
    client_.gets_in(where);
    const Packet& connack = client_.connack();
    if (connack.text(Property::authentication_method) != kMethod ||
        !accepts(connack.text(Property::authentication_data))) {
      ADD_FAILURE_AT(where.file, where.line) << "CONNACK is to end the exchange";
    }
  }

 private:
  Client& client_;
  auth::test::ScramClient scram_;
  std::string server_first_;
};

}  // namespace linnet::test

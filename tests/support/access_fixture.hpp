// What the tests of logins, rules, tokens and rates have in common: users, a key for tokens, a
// cluster of each shape.
#pragma once

#include "support/access.hpp"

namespace linnet::test {

inline AccessFiles& access_files() {
  static AccessFiles files;
  return files;
}

/// The users anna, berta and carl with the passwords a, b and c, tokens, and these rules.
inline Config with_rules(std::vector<RuleConfig> rules) {
  static const std::string users =
      access_files().users({{"anna", "a"}, {"berta", "b"}, {"carl", "c"}});
  static const std::string key = access_files().key();
  Config config;
  config.auth.password_file = users;
  config.auth.jwt.keys = {key};
  config.auth.jwt.leeway = 0ms;
  config.auth.rules = std::move(rules);
  return config;
}

/// The users anna and berta with the passwords a-secret and b-secret, and no rules.
inline Config with_passwords(auth::HashKind kind = auth::HashKind::pbkdf2) {
  static std::map<auth::HashKind, std::string> path_of_kind;
  std::string& path = path_of_kind[kind];
  if (path.empty()) {
    path = access_files().users({{"anna", "a-secret"}, {"berta", "b-secret"}}, kind);
  }
  Config config;
  config.auth.password_file = path;
  return config;
}

class AccessTest : public ::testing::TestWithParam<Shape> {
 protected:
  explicit AccessTest(Config config)
      : c({.shards = GetParam().shards, .config = std::move(config), .seed = GetParam().seed}) {}

  /// A client whose home is the last shard, through the first one.
  Client& traveller(std::string_view prefix = "n") {
    return c.client(c.name_at(c.shards() - 1, prefix)).at(0);
  }

  Cluster c;
  const ConnectOptions kept{.clean_start = false, .expiry_s = 1000};
};

}  // namespace linnet::test

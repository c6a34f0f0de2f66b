// JSON Web Tokens (RFC 7519, signed as RFC 7515 says): HS256, RS256, ES256, EdDSA (Ed25519).
// Immutable once loaded; any thread. A token never chooses its own kind of key: each key is for one
// algorithm, and `none` is for none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.hpp"

namespace linnet::auth {

/// What came of a token.
struct TokenVerdict {
  bool valid = false;
  std::string fault;  // why not, for the log: "the token has expired"; never a part of the token
  Identity identity;  // with groups, rules and end of the token
};

class Jwt {
 public:
  /// Reads the keys. Null if anything is wrong: `errors` then has every error, with file and key.
  [[nodiscard]] static std::unique_ptr<const Jwt> load(const JwtConfig& config,
                                                       std::vector<std::string>& errors);
  ~Jwt();
  Jwt(const Jwt&) = delete;
  Jwt& operator=(const Jwt&) = delete;

  /// Whether a password is meant to be a token: three parts of base64url between two dots, of which
  /// the first begins as a JSON object does. Cheap.
  [[nodiscard]] static bool looks_like_token(std::string_view password) noexcept;
  /// Checks signature, exp, nbf, iss and aud; at most 16 KiB are looked at. `now_s` is the wall
  /// clock. Where CONNECT has a user name, it must be the token's.
  [[nodiscard]] TokenVerdict verify(std::string_view token, std::string_view user_name,
                                    std::uint64_t now_s) const;

 private:
  struct Impl;
  explicit Jwt(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

}  // namespace linnet::auth

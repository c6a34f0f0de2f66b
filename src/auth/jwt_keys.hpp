// Reads the files of auth.jwt.keys: PEM public keys, a JWK Set (RFC 7517), or a shared secret. What
// could be anything but a secret is never taken for one, since who knows a public key would sign
// tokens with it. Start-up and reload; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/jwt_key.hpp"

namespace linnet::auth {

/// Appends the file's keys, one or more. False if anything is wrong: `errors` then has it, "FILE:
/// what is wrong; the mend", and never a part of a key.
[[nodiscard]] bool load_jwt_keys(const std::string& file, std::vector<JwtKey>& keys,
                                 std::vector<std::string>& errors);
/// The same from a text; `name` is what errors call it.
[[nodiscard]] bool parse_jwt_keys(std::string_view text, const std::string& name,
                                  std::vector<JwtKey>& keys, std::vector<std::string>& errors);

/// The part for a JWK Set, or one JWK alone. Keys for other uses and other algorithms are skipped,
/// as the sets of identity providers have them; `error` is about the first that is broken.
[[nodiscard]] bool parse_jwk_set(std::string_view text, std::vector<JwtKey>& keys,
                                 std::string& error);

}  // namespace linnet::auth

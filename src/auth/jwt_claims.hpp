// The claims of a token whose signature is right (RFC 7519, section 4): whether it counts here and
// now, and who its bearer is. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/identity.hpp"

namespace linnet::auth {

inline constexpr std::size_t kClaimGroupsMax = 64;
inline constexpr std::size_t kUserNameBytesMax = 65'535;  // MQTT's own limit

/// What a token is held against.
struct TokenFacts {
  std::string_view user_name;  // CONNECT's; empty: it has none
  std::uint64_t now_s = 0;     // the wall clock
};

/// `text` is the JSON of the claims. Nothing if they are refused: `fault` then says why, without
/// any part of the text: "the token has expired".
[[nodiscard]] std::optional<Identity> read_claims(const JwtConfig& config, std::string_view text,
                                                  const TokenFacts& facts, std::string& fault);

}  // namespace linnet::auth

// The messages of SCRAM (RFC 5802, section 7) as a server reads and writes them. Pure functions,
// any thread. A message that breaks the grammar anywhere is refused as a whole; one of more than
// kScramMessageMax bytes is not looked at. Views are into the message that was parsed.
//
//   client-first   n,,n=user,r=NONCE
//   server-first   r=NONCE-OF-BOTH,s=SALT,i=4096
//   client-final   c=biws,r=NONCE-OF-BOTH,p=PROOF
//   server-final   v=SIGNATURE, or e=ERROR
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/system/result.hpp>

#include "auth/password_hash.hpp"

namespace linnet::auth {

inline constexpr std::size_t kScramMessageMax = 4096;
inline constexpr std::size_t kScramKeySize = 32;  // of SHA-256

/// The errors of RFC 5802, section 7, that this server has a use for. `unknown-user` is not among
/// them: it would tell which users there are.
enum class ScramError : std::uint8_t {
  invalid_encoding,
  extensions_not_supported,
  invalid_proof,
  channel_bindings_dont_match,
  channel_binding_not_supported,
  invalid_username_encoding,
  no_resources,
  other_error,
};

/// "invalid-encoding": as it stands behind e=.
[[nodiscard]] std::string_view name_of(ScramError error) noexcept;

/// What is wrong with a message: for the client, and a literal for the log.
struct ScramFault {
  ScramError error = ScramError::other_error;
  const char* text = "";
};
template <class T>
using ScramParsed = boost::system::result<T, ScramFault>;

struct ClientFirst {
  std::string_view gs2_header;  // "n,," or "n,a=user,"
  std::string authzid;          // the user to act as; empty: none was named
  std::string user_name;        // never empty
  std::string_view nonce;       // the client's
  std::string_view bare;        // all behind the GS2 header
};
[[nodiscard]] ScramParsed<ClientFirst> parse_client_first(std::string_view message);

struct ClientFinal {
  std::string channel_binding;  // decoded; without channel binding, the GS2 header again
  std::string_view nonce;       // of both
  std::string proof;            // kScramKeySize bytes
  std::string_view without_proof;
};
[[nodiscard]] ScramParsed<ClientFinal> parse_client_final(std::string_view message);

[[nodiscard]] std::string make_server_first(std::string_view nonce, const ScramKeys& keys);
[[nodiscard]] std::string make_server_final(std::string_view signature);
[[nodiscard]] std::string make_server_error(ScramError error);

/// Printable ASCII without a comma, and not empty.
[[nodiscard]] bool is_scram_nonce(std::string_view text) noexcept;

}  // namespace linnet::auth

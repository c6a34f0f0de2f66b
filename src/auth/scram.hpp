// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding, as the enhanced
// authentication of MQTT 5.0, section 4.12. One object per exchange, one thread; it does no I/O and
// knows no packets.
//
//   ScramServer scram(passwords, secret, nonce);
//   step = scram.next(client_first);   // send step.data with AUTH 0x18
//   step = scram.next(client_final);   // send step.data with CONNACK, or AUTH 0x00
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/password_file.hpp"
#include "auth/secret.hpp"

namespace linnet::auth {

inline constexpr std::string_view kScramMethod = "SCRAM-SHA-256";

class ScramServer {
 public:
  /// `passwords` outlives the exchange. `secret` makes the salts that users get whom there are
  /// none of, always the same for the same name, so that nobody can tell; `nonce` is random and
  /// printable, without a comma, of 18 characters or more.
  ScramServer(const PasswordFile& passwords, std::string_view secret, std::string nonce);

  struct Step {
    enum class State : std::uint8_t { go_on, done, failed };
    State state = State::failed;
    std::string data;   // for the client
    std::string fault;  // why it failed, for the log
    bool wrong_login = false;  // it failed for the password or the user, not for its form
  };
  [[nodiscard]] Step next(std::string_view message);
  /// Once it is done.
  [[nodiscard]] const std::string& user_name() const noexcept { return user_name_; }

 private:
  std::string user_name_;
};

}  // namespace linnet::auth

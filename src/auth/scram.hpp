// The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding, as the enhanced
// authentication of MQTT 5.0, section 4.12. One object per exchange, one thread; it does no I/O and
// knows no packets. An exchange costs a few microseconds: the slow hashing is the client's work.
//
// User names are compared byte by byte. SASLprep leaves printable ASCII as it is and forbids
// control characters, which are refused here too; other characters are not mapped, so a client that
// maps them has to come to the very bytes that stand in the password file.
//
//   ScramServer scram(passwords, secret, nonce);
//   step = scram.next(client_first);   // send step.data with AUTH 0x18
//   step = scram.next(client_final);   // send step.data with CONNACK, or AUTH 0x00
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/password_file.hpp"
#include "auth/scram_message.hpp"
#include "auth/secret.hpp"

namespace linnet::auth {

inline constexpr std::string_view kScramMethod = "SCRAM-SHA-256";

class ScramServer {
 public:
  /// `passwords` and `secret` outlive the exchange. `secret`, of 16 bytes or more, makes the salts
  /// that users get whom there are none of, always the same for the same name, so that nobody can
  /// tell: it has to be the same for all threads, and should survive a restart. `nonce` is random
  /// and printable, without a comma, of 18 characters or more.
  ScramServer(const PasswordFile& passwords, std::string_view secret, std::string nonce);

  struct Step {
    enum class State : std::uint8_t { go_on, done, failed };
    State state = State::failed;
    std::string data;          // for the client
    std::string fault;         // why it failed, for the log alone: it tells which users there are
    bool wrong_login = false;  // it failed for the password or the user, not for its form
  };
  /// The client's next message. An exchange that is done or has failed takes none any more.
  [[nodiscard]] Step next(std::string_view message);
  /// Empty until it is done.
  [[nodiscard]] const std::string& user_name() const noexcept { return user_name_; }

 private:
  enum class Expects : std::uint8_t { client_first, client_final, nothing };
  /// Why the login can only fail, though the client is not to know it.
  enum class Flaw : std::uint8_t { none, no_such_user, other_hash };

  Step on_client_first(std::string_view message);
  Step on_client_final(std::string_view message);
  Step wrong_login() const;
  [[nodiscard]] bool find_keys();

  const PasswordFile* passwords_;
  std::string_view secret_;
  std::string nonce_;  // ours; then of both
  Expects expects_ = Expects::client_first;
  Flaw flaw_ = Flaw::none;
  std::string claimed_name_;
  std::string gs2_header_;
  std::string first_messages_;       // the client's without its GS2 header, a comma, and ours
  ScramKeys decoy_;                  // what a user gets whom there is none of
  const ScramKeys* keys_ = nullptr;  // in `passwords_`; null: the decoy
  std::string user_name_;
};

}  // namespace linnet::auth

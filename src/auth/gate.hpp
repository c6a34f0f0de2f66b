// The gate: who may connect, and what may they do. For now every client of a listener that allows
// anonymous clients may do all; users and rules come in behind the same three questions.
#pragma once

#include <string>
#include <string_view>

#include "auth/identity.hpp"
#include <linnet/types.hpp>

namespace linnet::auth {

/// What is known of a client when it asks to be let in.
struct ConnectFacts {
  std::string_view client_id;
  std::string_view user_name;  // empty: none was given
  std::string_view password;
  bool allow_anonymous = false;  // its listener's word
  bool proven = false;           // by a certificate or a key, below MQTT
  std::string_view proven_name;  // the user that this stands for; empty: none
};

struct Admission {
  ReasonCode reason = ReasonCode::success;
  const char* text = "";  // for the log and the reason string
  Identity identity;
};

[[nodiscard]] Admission admit(const ConnectFacts& facts);

}  // namespace linnet::auth

#include "auth/gate.hpp"

namespace linnet::auth {

Admission admit(const ConnectFacts& facts) {
  if (facts.proven) {
    return {ReasonCode::success, "", {.user_name = std::string(facts.proven_name), .grants = {}}};
  }
  if (!facts.allow_anonymous) {
    return {ReasonCode::not_authorized,
            "this listener does not allow anonymous clients; show a certificate, or set "
            "allow_anonymous = true for it",
            {}};
  }
  // No user is known, so a user name proves nothing: the client stays an anonymous one.
  return {};
}

}  // namespace linnet::auth

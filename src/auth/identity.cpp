#include "auth/identity.hpp"

namespace linnet::auth {

std::string_view name_of(Method method) noexcept {
  switch (method) {
    case Method::none: return "anonymous";
    case Method::certificate: return "certificate";
    case Method::psk: return "psk";
    case Method::unix: return "unix";
    case Method::password: return "password";
    case Method::jwt: return "jwt";
    case Method::http: return "http";
    case Method::scram: return "scram";
  }
  return "anonymous";
}

}  // namespace linnet::auth

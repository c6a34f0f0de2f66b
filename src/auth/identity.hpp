// Who a client is, once it has been let in. Belongs to its connection and travels with its link to
// its home shard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "auth/rule.hpp"

namespace linnet::auth {

/// How a client has proven its user name.
enum class Method : std::uint8_t {
  none,  // it has not: it is anonymous
  certificate,
  psk,
  unix,
  password,
  jwt,
  http,
  scram,
};

/// "password", as the configuration writes it; "anonymous" for none.
[[nodiscard]] std::string_view name_of(Method method) noexcept;

/// What rules may refer to of a client's certificate; empty where there is none.
struct CertificateNames {
  std::string cn;
  std::string subject;
  std::string san;
};

/// What only some clients have beside a user name.
struct Grants {
  std::vector<std::string> groups;  // by a token or a service, beside those of the configuration
  RuleList rules;                   // come before all others, and are about this client alone
  CertificateNames certificate;
  std::uint64_t expires_at_s = 0;  // seconds of the wall clock since 1970; 0: never
};

struct Identity {
  std::string user_name;  // empty: anonymous, or known by a nameless certificate
  std::unique_ptr<const Grants> grants;
  Method method = Method::none;
};

}  // namespace linnet::auth

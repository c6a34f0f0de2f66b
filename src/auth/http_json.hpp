// The words between the broker and the service that it asks who may connect: the question as JSON,
// and what a response means. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/http_callout.hpp"

namespace linnet::auth {

inline constexpr std::size_t kHttpGroupsMax = 100;
inline constexpr std::size_t kHttpNameMax = 1'024;  // bytes of a user's or a group's name

/// {"clientid": …, "username": …, "password": …, "address": …, "listener": …,
///  "certificate_cn": …, "protocol": 5}
/// A password that is not UTF-8 has the name "password_base64" instead.
[[nodiscard]] Secret question_json(const HttpQuestion& question);

/// What a response has come to.
struct HttpVerdict {
  HttpAnswer answer;  // its fault goes on where "the service" ends: "has answered 500; …"
  /// Of allow: how long it may be remembered, from now; its end of validity is in it. 0: not.
  std::uint64_t remember_ms = 0;
};

/// What a response is held against.
struct HttpTerms {
  std::string_view user_name;  // who is allowed where the service does not say so
  std::uint64_t now_s = 0;     // the wall clock
  std::uint64_t cache_ms = 0;  // how long a yes is remembered that does not say so
};

[[nodiscard]] HttpVerdict read_response(unsigned status, std::string_view body,
                                        const HttpTerms& terms);

/// A copy: an answer that is remembered or that several wait for.
[[nodiscard]] Identity copy_of(const Identity& identity);

}  // namespace linnet::auth

// A password from a terminal, which shows nothing of it, or from standard input. One thread.
#pragma once

#include <optional>
#include <string>

#include "auth/secret.hpp"

namespace linnet::cli {

/// What MQTT's password field can hold.
inline constexpr std::size_t kPasswordBytesMax = 65'535;

/// Asks on standard error, if standard input is a terminal: with `twice` again, since a mistake
/// would not be seen. Else takes the first line of standard input, without its end. Nothing if
/// there is none, it is empty or too long, or the two differ: `error` says so.
[[nodiscard]] std::optional<auth::Secret> ask_password(const std::string& prompt, bool twice,
                                                       std::string& error);

}  // namespace linnet::cli

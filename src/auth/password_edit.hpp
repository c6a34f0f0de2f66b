// Changes to the text of a password file, which leave all other lines as they are: comments, their
// order, and even what is wrong with them. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "auth/secret.hpp"

namespace linnet::auth {

struct PasswordEdit {
  Secret text;              // of the whole file from now on
  std::size_t changed = 0;  // lines that were replaced, left out or hashed
  std::size_t kept = 0;     // upgrade: users that had a hash already
  std::string error;        // "LINE: …", if there is nothing to write
};

/// Gives a user a new hash, where the line is, or at the end. A user who has been there twice is
/// there once from now on.
[[nodiscard]] PasswordEdit with_user(std::string_view text, std::string_view user,
                                     std::string_view hash);

[[nodiscard]] PasswordEdit without_user(std::string_view text, std::string_view user);

/// Hashes the passwords of a file "user:password". What has a hash keeps it; a password may hold
/// colons, and blanks at its ends.
[[nodiscard]] PasswordEdit with_hashes(std::string_view text,
                                       const std::function<std::string(std::string_view)>& hash_of);

}  // namespace linnet::auth

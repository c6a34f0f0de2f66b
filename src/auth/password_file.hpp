// The users of a password file, Mosquitto's format: one "user:hash" a line; empty lines and lines
// that begin with # are skipped. Immutable once read; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/password_hash.hpp"

namespace linnet::auth {

class PasswordFile {
 public:
  /// Reads a file. All errors are added to `errors`, "FILE:LINE: what is wrong; what is allowed";
  /// nothing if there is any. No error ever shows a hash.
  [[nodiscard]] static std::optional<PasswordFile> load(const std::string& path,
                                                        std::vector<std::string>& errors);
  /// The same from a text; `name` is what errors call it.
  [[nodiscard]] static std::optional<PasswordFile> parse(std::string_view text,
                                                         const std::string& name,
                                                         std::vector<std::string>& errors);

  /// Null if there is no such user.
  [[nodiscard]] const PasswordHash* find(std::string_view user) const;
  [[nodiscard]] std::size_t size() const noexcept { return users_.size(); }
  /// Spends about as much time as verifying one of the file's passwords, for a user that is not in
  /// it: so that nobody can tell which users there are.
  void verify_nobody(std::string_view password) const;

 private:
  std::unordered_map<std::string, PasswordHash> users_;
};

}  // namespace linnet::auth

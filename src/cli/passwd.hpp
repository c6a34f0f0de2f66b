// `linnet passwd`: what it is asked for, and what it does to password files, see
// src/auth/password_file.hpp.
#pragma once

#include <cstdint>
#include <string>

namespace linnet::cli {

struct PasswdOptions {
  std::string file;
  std::string user;
  std::string password;          // with batch only
  std::string kind;              // pbkdf2, argon2id or scram; empty: pbkdf2
  std::uint32_t iterations = 0;  // 0: as is usual for the kind
  bool batch = false;
  bool from_stdin = false;
  bool create = false;
  bool force = false;
  bool remove = false;
  bool check = false;
  bool upgrade = false;
  bool json = false;
};

/// The exit code, see src/cli/options.hpp. With `check` kFailed means a wrong password alone.
[[nodiscard]] int passwd(const PasswdOptions& options);

}  // namespace linnet::cli

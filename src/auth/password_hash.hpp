// What stands behind "user:" in a password file, and the check of a password against it. Any
// thread; verify() takes milliseconds on purpose.
//
//   $7$ITERATIONS$SALT$HASH                          Mosquitto: PBKDF2 with HMAC-SHA-512
//   $6$SALT$HASH                                     Mosquitto before 2.0: salted SHA-512
//   $argon2id$v=19$m=…,t=…,p=…$SALT$HASH             Argon2id (RFC 9106)
//   SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER      RFC 5803; for SCRAM and for plain passwords
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace linnet::auth {

struct Pbkdf2Hash {
  std::uint32_t iterations = 0;
  std::string salt;
  std::string hash;  // 64 bytes
};
struct Sha512Hash {
  std::string salt;
  std::string hash;  // 64 bytes
};
struct Argon2Hash {
  std::uint32_t memory_kib = 0;
  std::uint32_t passes = 0;
  std::uint32_t lanes = 0;
  std::string salt;
  std::string hash;
};
/// What a server keeps of a password for SCRAM-SHA-256 (RFC 5802, section 3).
struct ScramKeys {
  std::uint32_t iterations = 0;
  std::string salt;
  std::string stored_key;  // 32 bytes
  std::string server_key;  // 32 bytes
};

using PasswordHash = std::variant<Pbkdf2Hash, Sha512Hash, Argon2Hash, ScramKeys>;

/// Parses an entry; nothing if it is none, and `error` says what is wrong and what is known, and
/// never shows the entry. Parameters that would take more than seconds or 256 MiB are refused here.
[[nodiscard]] std::optional<PasswordHash> parse_password_hash(std::string_view text,
                                                              std::string& error);
/// Whether a text begins as an entry does, right or wrong: so no plain password is hashed twice.
[[nodiscard]] bool looks_hashed(std::string_view text) noexcept;

/// False as well if there is no memory to find out, which the log then says.
[[nodiscard]] bool verify(const PasswordHash& hash, std::string_view password);

/// Whether somebody who gets hold of the entry can try millions of passwords in a second.
[[nodiscard]] bool is_weak(const PasswordHash& hash) noexcept;

enum class HashKind : std::uint8_t { pbkdf2, argon2id, scram };
struct HashParameters {
  HashKind kind = HashKind::pbkdf2;
  std::uint32_t iterations = 0;  // passes of Argon2id; 0: the default of the kind
};
inline constexpr std::size_t kNewSaltBytes = 16;
/// What new entries may have.
struct IterationRange {
  std::uint32_t least = 0;
  std::uint32_t most = 0;
  std::uint32_t usual = 0;
};
[[nodiscard]] IterationRange iteration_range(HashKind kind) noexcept;

/// A new entry with a random salt, as it stands in a file. Throws std::runtime_error if the system
/// has no randomness or no memory for it; the iterations are in their range.
[[nodiscard]] std::string make_password_hash(std::string_view password, HashParameters parameters);

}  // namespace linnet::auth

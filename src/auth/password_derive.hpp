// The functions that turn a password into the bytes of a hash, by OpenSSL and libargon2. Any
// thread; milliseconds on purpose. They throw std::runtime_error if there is no memory for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "auth/password_hash.hpp"
#include "auth/secret.hpp"

namespace linnet::auth {

inline constexpr std::size_t kSha512Bytes = 64;
inline constexpr std::size_t kSha256Bytes = 32;

/// Of 64 bytes, with HMAC-SHA-512.
[[nodiscard]] Secret pbkdf2_sha512(std::string_view password, std::string_view salt,
                                   std::uint32_t iterations);
/// SHA-512 of the password, and then the salt.
[[nodiscard]] Secret salted_sha512(std::string_view password, std::string_view salt);
/// As long as `hash.hash` is; it is computed in this thread, however many lanes there are.
[[nodiscard]] Secret argon2id(std::string_view password, const Argon2Hash& hash);

/// The keys of a password for SCRAM-SHA-256 (RFC 5802, section 3). The password is taken as it is:
/// SASLprep (RFC 4013) changes none that is ASCII.
[[nodiscard]] ScramKeys scram_keys(std::string_view password, std::string salt,
                                   std::uint32_t iterations);

/// From the kernel's generator by way of OpenSSL's.
[[nodiscard]] std::string random_salt(std::size_t bytes);

}  // namespace linnet::auth

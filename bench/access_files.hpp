// The password and acl files that both brokers read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace linnet::bench {

/// What every user's password is.
extern const std::string kRightPassword;

/// Writes a file in which all users have the same entry, $7$ (PBKDF2 with HMAC-SHA-512).
void write_passwords(const std::string& path, const std::vector<std::string>& users,
                     std::uint32_t iterations);

/// About everybody: the last of them allows what the steady traffic does.
void write_common_rules(const std::string& path, std::uint32_t rules);
/// The same for each user: the last of its rules allows what the steady traffic does.
void write_rules_of_users(const std::string& path, const std::vector<std::string>& users,
                          std::uint32_t rules_each);

}  // namespace linnet::bench

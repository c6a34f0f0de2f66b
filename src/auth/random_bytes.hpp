// Random numbers that nobody can guess, for keys, salts and nonces. Any thread.
#pragma once

#include <cstddef>
#include <string>

namespace linnet::auth {

/// Throws std::runtime_error if the system has none; that does not happen once it has booted.
[[nodiscard]] std::string random_bytes(std::size_t count);

}  // namespace linnet::auth

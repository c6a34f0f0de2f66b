// How late the messages of established clients are, and how long right logins wait, while somebody
// guesses passwords.
#pragma once

#include <cstdint>

#include "access_options.hpp"

namespace linnet::bench {

/// Prints its tables. Returns how many messages Linnet lost.
[[nodiscard]] std::uint64_t measure_guesses(const AccessOptions& options);

}  // namespace linnet::bench

// What the salts are made of that SCRAM shows for users whom there are none of: see ScramServer.
// Whoever asks twice must not see them change, or he could tell these users from the others. So it
// lies with the data, in a file of its own that is written once, readable by its owner alone.
// Start-up only.
#pragma once

#include <string>

#include "auth/secret.hpp"

namespace linnet::auth {

inline constexpr const char* kDecoyFile = "decoy.secret";

/// The secret of a data directory that this process has for itself; made where there is none yet,
/// for the directory's owner if root makes it, and anew where the file has another size. One that
/// others have access to is kept, and closed to them if that can be done. All but the first is
/// logged. What can't be read or kept lasts as long as the process. Throws std::runtime_error if
/// the system has no randomness.
[[nodiscard]] Secret load_decoy_secret(const std::string& directory);

/// One that goes with the process.
[[nodiscard]] Secret make_decoy_secret();

}  // namespace linnet::auth

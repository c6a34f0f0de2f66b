// Finds the broker that a command of the command line is about.
#pragma once

#include <string>

namespace linnet::cli {

/// The directory that a broker uses now, which has its control socket; `configured` may be empty.
/// Empty if none does, and `error` says so.
[[nodiscard]] std::string find_broker(const std::string& configured, std::string& error);

}  // namespace linnet::cli

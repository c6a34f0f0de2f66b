// The parts of the manual pages that the binary knows best, as roff: the hidden command `linnet
// manual commands|keys`. packaging/man has the pages that they stand in; `./dev docs` puts them
// there.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace linnet::cli {

/// All commands with their options.
[[nodiscard]] std::string manual_of_commands(const CLI::App& app);
/// All keys of the configuration.
[[nodiscard]] std::string manual_of_keys();

}  // namespace linnet::cli

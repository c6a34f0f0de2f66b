// The options of `linnet passwd`, with its help.
#pragma once

#include "cli/passwd.hpp"

namespace CLI {
class App;
}

namespace linnet::cli {

/// Adds the command to the binary's. `options` has to live as long as `app`.
CLI::App* add_passwd_command(CLI::App& app, PasswdOptions& options);

}  // namespace linnet::cli

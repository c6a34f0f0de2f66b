// The options of `linnet cert`, with its help.
#pragma once

#include "cli/options.hpp"

namespace CLI {
class App;
}

namespace linnet::cli {

/// One subcommand for each action. `options` has to live as long as `app`.
void add_cert_options(CLI::App& app, CertOptions& options);

}  // namespace linnet::cli

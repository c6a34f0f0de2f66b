// The options of `linnet explain`, with its help.
#pragma once

#include "cli/options.hpp"

namespace CLI {
class App;
}

namespace linnet::cli {

/// `options` has to live as long as `app`.
void add_explain_options(CLI::App& app, ExplainOptions& options);

}  // namespace linnet::cli

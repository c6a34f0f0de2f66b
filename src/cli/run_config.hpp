// The configuration that `linnet run` serves with.
#pragma once

#include "cli/options.hpp"
#include "config/load.hpp"

namespace linnet::cli {

/// The file, and over it what the command line says. The errors are all that there are. Start-up
/// and reload.
[[nodiscard]] config::LoadResult read_config(const RunOptions& options);

}  // namespace linnet::cli

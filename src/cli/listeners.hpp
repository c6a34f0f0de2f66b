// Whether each listener of a configuration can be served, its certificates included, and is not
// open to strangers by accident.
#pragma once

#include <string>
#include <vector>

#include "config/load.hpp"

namespace linnet::cli {

/// One error for each listener that cannot be; `file` is where the listeners come from. Start-up
/// only; resolves no names.
[[nodiscard]] std::vector<config::ConfigError> listener_errors(const config::LoadResult& result,
                                                               const std::string& file);

}  // namespace linnet::cli

// Commands that are not for people and not shown: what shells and manual pages are told about the
// command line.
#pragma once

#include <optional>

namespace CLI {
class App;
}

namespace linnet::cli {

/// The exit code of `linnet complete` or `linnet manual`; nothing if it is neither.
[[nodiscard]] std::optional<int> describe(const CLI::App& app, int argc, const char* const* argv);

}  // namespace linnet::cli

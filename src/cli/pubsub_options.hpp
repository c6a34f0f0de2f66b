// The command lines of `linnet pub`, `linnet sub` and `linnet rr`.
#pragma once

#include <optional>

#include "pubsub/options.hpp"

namespace CLI {
class App;
}

namespace linnet::cli {

struct PubsubOptions {
  pubsub::Options pub;
  pubsub::Options sub;
  pubsub::Options rr;
};

/// Adds the three commands.
void add_pubsub_commands(CLI::App& app, PubsubOptions& options);

/// Runs the one of them that was given, and returns its exit code; nothing if none was.
[[nodiscard]] std::optional<int> run_pubsub(const CLI::App& app, PubsubOptions& options);

}  // namespace linnet::cli

// The commands that look into a broker that runs: status, clients, sessions, kick, retained, top,
// trace and log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/broker_choice.hpp"

namespace linnet::cli {

struct InspectOptions {
  BrokerChoice broker;
  std::string action;  // the command's name; of retained: "retained ls" or "retained rm"
  std::string client_id;
  std::string filter;
  std::string after;
  std::uint64_t limit = 100;
  std::uint64_t count = 0;  // of top and trace: lines or pictures; 0: without end
  std::string interval = "2s";
  std::vector<std::string> levels;  // of log: ROOM=LEVEL
  bool ends_session = false;
};

/// Adds all of them. Whichever is there on the command line fills in `options.action`.
void add_inspect_commands(CLI::App& app, InspectOptions& options);

/// Does what `options.action` says.
[[nodiscard]] int inspect(const InspectOptions& options);

// One file each
[[nodiscard]] int top(const InspectOptions& options);
[[nodiscard]] int trace(const InspectOptions& options);

}  // namespace linnet::cli

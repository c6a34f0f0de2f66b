// The command line of `linnet ban`.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace linnet::cli {

struct BanOptions {
  std::string action;       // list, add or lift
  std::string config_path;  // empty: no file
  std::string data_dir;     // empty: as the file says
  std::string address;
  std::string time;  // "1h"; empty: until the ban is lifted
  bool all = false;
  bool json = false;
};

void add_ban_options(CLI::App& app, BanOptions& options);

/// Asks the broker that runs.
[[nodiscard]] int ban(const BanOptions& options);

}  // namespace linnet::cli

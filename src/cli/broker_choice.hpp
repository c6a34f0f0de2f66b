// Which broker a command asks: the options that the commands of an administrator share, and the
// way to its control socket.
#pragma once

#include <string>
#include <vector>

#include <boost/json/fwd.hpp>

namespace CLI {
class App;
}

namespace linnet::cli {

struct BrokerChoice {
  std::string config_path;            // empty: no file
  std::string data_dir;               // empty: as the file says
  std::vector<std::string> settings;  // KEY=VALUE each
  bool json = false;
};

/// --config, --data-dir, --set and --json.
void add_broker_options(CLI::App& app, BrokerChoice& choice);

/// The directory of the broker that runs; empty if there is none: then it has been said why, and
/// `code` is how the command ends.
[[nodiscard]] std::string find_broker(const BrokerChoice& choice, int& code);

/// Says that a command failed, as the choice wants it said. Returns the exit code.
int fail(const BrokerChoice& choice, const std::string& error);

/// Asks the broker. False if it did not do it: then it has been said why.
[[nodiscard]] bool ask_broker(const BrokerChoice& choice, const boost::json::object& request,
                              boost::json::object& reply, int& code);

/// The answer as one line of JSON, with "ok" in front.
void print_json(const boost::json::object& reply);

}  // namespace linnet::cli

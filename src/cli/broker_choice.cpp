#include "cli/broker_choice.hpp"

#include <CLI/CLI.hpp>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "cli/answer_text.hpp"
#include "cli/options.hpp"
#include "cli/running_broker.hpp"
#include "config/load.hpp"
#include "control/client.hpp"

namespace linnet::cli {

namespace json = boost::json;

void add_broker_options(CLI::App& app, BrokerChoice& choice) {
  app.add_option("--config", choice.config_path, "Read this TOML file for the data directory")
      ->type_name("FILE");
  app.add_option("--data-dir", choice.data_dir, "The data directory of the broker")
      ->type_name("DIR");
  app.add_option("--set", choice.settings, "Set a key of the configuration, for one run")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--json", choice.json, "Print JSON, for scripts");
}

std::string find_broker(const BrokerChoice& choice, int& code) {
  config::LoadResult result;
  if (!choice.config_path.empty()) result = config::load(choice.config_path);
  for (const std::string& setting : choice.settings) {
    auto error = config::apply_setting(result.config, setting);
    if (error) result.errors.push_back(std::move(*error));
  }
  for (const config::ConfigError& error : result.errors)
    print_error(to_string(error));
  code = kWrongUsage;
  if (!result.ok()) return {};
  log::init(log::Level::warn, log::Format::text);
  std::string error;
  std::string directory;
  if (result.config.persistence) {
    directory =
        find_broker(choice.data_dir.empty() ? result.config.data_dir : choice.data_dir, error);
  } else {
    error = "with persistence = false a broker has no control socket";
  }
  code = directory.empty() ? fail(choice, error) : kOk;
  return directory;
}

int fail(const BrokerChoice& choice, const std::string& error) {
  if (choice.json) {
    print_line(json_text({{"ok", false}, {"error", error}}));
  } else {
    print_error(cat("linnet: ", log::escaped_text(error)));
  }
  return kFailed;
}

bool ask_broker(const BrokerChoice& choice, const json::object& request, json::object& reply,
                int& code) {
  const std::string directory = find_broker(choice, code);
  if (directory.empty()) return false;
  std::string error;
  if (control::ask(directory, request, reply, error)) return true;
  code = fail(choice, error);
  return false;
}

void print_json(const json::object& reply) {
  json::object line{{"ok", true}};
  for (const auto& member : reply)
    line.insert(member);
  print_line(json_text(line));
}

}  // namespace linnet::cli

#include "cli/ban_options.hpp"

#include <CLI/CLI.hpp>

#include "config/value.hpp"

namespace linnet::cli {

void add_ban_options(CLI::App& app, BanOptions& options) {
  app.require_subcommand(1);
  const auto add = [&](const char* action, const char* text) {
    CLI::App* command = app.add_subcommand(action, text);
    command->add_option("--config", options.config_path, "Read this TOML file")->type_name("FILE");
    command->add_option("--data-dir", options.data_dir, "The data directory of the broker")
        ->type_name("DIR");
    command->add_flag("--json", options.json, "Print one line of JSON, for scripts");
    command->callback([&options, action] { options.action = action; });
    return command;
  };
  add("list", "Say which addresses are banned, and how long");

  CLI::App* ban = add("add", "Ban an address; of IPv6, the /64 that it is in");
  ban->add_option("ADDRESS", options.address, "192.0.2.7 or 2001:db8::1")->required();
  const auto is_time = [](const std::string& text) {
    const auto time_ms = config::parse_duration_ms(text);
    return time_ms && *time_ms > 0 ? "" : "write a time like 10m, 1h or 30d";
  };
  ban->add_option("--time", options.time, "How long, like 1h; without it until the ban is lifted")
      ->type_name("TIME")
      ->check(is_time);

  CLI::App* lift = add("lift", "End a ban, and forget what led to it");
  auto* address = lift->add_option("ADDRESS", options.address, "As it is listed");
  auto* all = lift->add_flag("--all", options.all, "End all bans");
  address->excludes(all);
  lift->callback([&options] {
    options.action = "lift";
    if (options.address.empty() && !options.all) throw CLI::RequiredError("ADDRESS or --all");
  });
}

}  // namespace linnet::cli

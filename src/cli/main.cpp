// The door of the binary: which command, and its options. `linnet` alone is `linnet run`.
#include <CLI/CLI.hpp>

#include "cli/ban_options.hpp"
#include "cli/bench_options.hpp"
#include "cli/cert_options.hpp"
#include "cli/describe.hpp"
#include "cli/explain_options.hpp"
#include "cli/inspect_options.hpp"
#include "cli/options.hpp"
#include "cli/passwd_options.hpp"
#include "cli/pubsub_options.hpp"

namespace {

using namespace linnet::cli;

void add_run_options(CLI::App& app, RunOptions& options) {
  app.add_option("--config", options.config_path, "Read this TOML file")->type_name("FILE");
  app.add_option("--listen", options.listen_urls, "Listen here instead of where the file says")
      ->type_name("URL")
      ->allow_extra_args(false);
  app.add_option("--data-dir", options.data_dir, "Keep everything in this folder")
      ->type_name("DIR");
  app.add_option("--set", options.settings, "Set a key of the configuration, for one run")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--allow-anonymous", options.allow_anonymous,
               "Let anybody connect who reaches a listener");
}

void add_check_options(CLI::App& app, CheckOptions& options) {
  auto* config = app.add_option("--config", options.config_path, "Check this TOML file");
  config->type_name("FILE");
  // No group: it is for the documentation's sake, and not shown.
  auto* keys = app.add_flag("--print-keys-markdown", options.print_keys_markdown)->group("");
  config->excludes(keys);
}

/// One subcommand for each action.
void add_store_options(CLI::App& app, StoreOptions& options) {
  app.require_subcommand(1);
  const auto add = [&](const char* action, const char* text) {
    CLI::App* command = app.add_subcommand(action, text);
    command->add_option("--config", options.config_path, "Read this TOML file")->type_name("FILE");
    command->add_option("--data-dir", options.data_dir, "Where the store is")->type_name("DIR");
    command->add_option("--set", options.settings, "Set a key of the configuration, for one run")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
    command->add_flag("--json", options.json, "Print one line of JSON, for scripts");
    command->callback([&options, action] { options.action = action; });
    return command;
  };
  add("stats", "Say what the store holds and how large it is");
  add("check", "Read all of the store and say what is damaged");
  add("compact", "Make the file as small as what it holds");
  add("backup", "Copy the store, without stopping the broker")
      ->add_option("DIR", options.target, "A folder for the copy; it is made where it is missing")
      ->required();
}

/// They say which broker; that knows its own file.
void add_reload_options(CLI::App& app, ReloadOptions& options) {
  app.add_option("--config", options.config_path, "Read this TOML file for the data directory")
      ->type_name("FILE");
  app.add_option("--data-dir", options.data_dir, "The data directory of the broker")
      ->type_name("DIR");
  app.add_option("--set", options.settings, "Set a key of the configuration, for one run")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--json", options.json, "Print one line of JSON, for scripts");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Linnet, an MQTT broker. Without a command: linnet run.", "linnet");
  app.set_version_flag("--version", version_text(), "Print the version and exit");
  app.require_subcommand(0, 1);

  RunOptions run_options;
  CheckOptions check_options;
  add_run_options(app, run_options);
  add_run_options(*app.add_subcommand("run", "Serve until SIGTERM or SIGINT"), run_options);
  CLI::App* check_command = app.add_subcommand("check", "Say what is wrong with a configuration");
  add_check_options(*check_command, check_options);
  StoreOptions store_options;
  CLI::App* store_command = app.add_subcommand("store", "Look after what the broker keeps");
  add_store_options(*store_command, store_options);
  ReloadOptions reload_options;
  CLI::App* reload_command =
      app.add_subcommand("reload", "Let the broker that runs read its configuration again");
  add_reload_options(*reload_command, reload_options);
  BanOptions ban_options;
  CLI::App* ban_command = app.add_subcommand("ban", "Keep addresses out of a broker that runs");
  add_ban_options(*ban_command, ban_options);
  CertOptions cert_options;
  CLI::App* cert_command = app.add_subcommand("cert", "Make and show certificates and keys");
  add_cert_options(*cert_command, cert_options);
  PasswdOptions passwd_options;
  CLI::App* passwd_command = add_passwd_command(app, passwd_options);
  ExplainOptions explain_options;
  CLI::App* explain_command = app.add_subcommand("explain", "Say what a client may do, and why");
  add_explain_options(*explain_command, explain_options);
  BenchOptions bench_options;
  CLI::App* bench_command = app.add_subcommand("bench", "Measure a broker: any, at a URL");
  add_bench_options(*bench_command, bench_options);
  PubsubOptions pubsub_options;
  add_pubsub_commands(app, pubsub_options);
  InspectOptions inspect_options;
  add_inspect_commands(app, inspect_options);
  CLI::App* version_command = app.add_subcommand("version", "Print the version");
  if (const auto code = describe(app, argc, argv)) return *code;

  try {
    app.parse(argc, argv);
    const bool checks = check_command->parsed();
    if (checks && check_options.config_path.empty() && !check_options.print_keys_markdown) {
      throw CLI::RequiredError("--config");
    }
  } catch (const CLI::ParseError& error) {
    const bool asked = error.get_exit_code() == kOk;
    app.exit(error);
    return asked ? kOk : kWrongUsage;
  }
  if (version_command->parsed()) {
    print_line(version_text());
    return kOk;
  }
  if (!inspect_options.action.empty()) return inspect(inspect_options);
  if (store_command->parsed()) return store(store_options);
  if (reload_command->parsed()) return reload(reload_options);
  if (ban_command->parsed()) return ban(ban_options);
  if (cert_command->parsed()) return cert(cert_options);
  if (passwd_command->parsed()) return passwd(passwd_options);
  if (explain_command->parsed()) return explain(explain_options);
  if (bench_command->parsed()) return bench(bench_options);
  if (const auto code = run_pubsub(app, pubsub_options)) return *code;
  return check_command->parsed() ? check(check_options) : run(run_options);
}

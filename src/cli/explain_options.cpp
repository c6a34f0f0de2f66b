#include "cli/explain_options.hpp"

#include <CLI/CLI.hpp>

namespace linnet::cli {

void add_explain_options(CLI::App& app, ExplainOptions& options) {
  app.add_option("--config", options.config_path, "The TOML file with the rules")
      ->type_name("FILE")
      ->required();
  app.add_option("--user", options.user, "The client's user name; without one it is anonymous")
      ->type_name("USER");
  app.add_option("--clientid", options.client_id, "Its client identifier")->type_name("ID");
  app.add_option("--cert-cn", options.cert_cn, "The common name in its certificate")
      ->type_name("NAME");
  app.add_option("--group", options.groups, "A group that a token gives it; may come again")
      ->type_name("GROUP")
      ->allow_extra_args(false);
  app.add_flag("--json", options.json, "Print one line of JSON, for scripts");
  app.require_subcommand(1);
  app.fallthrough();  // options may stand behind the topic, too
  const auto add = [&](const char* action, const char* text, const char* topic) {
    CLI::App* command = app.add_subcommand(action, text);
    command->add_option(topic, options.topic)->required();
    command->add_option("--qos", options.qos, "The quality of service")
        ->type_name("QOS")
        ->check(CLI::Range(0, 2).description(""));
    command->callback([&options, action] { options.action = action; });
    return command;
  };
  add("publish", "May it publish to a topic?", "TOPIC")
      ->add_flag("--retain", options.retain, "As a retained message");
  add("subscribe", "May it subscribe with a topic filter? $share/group/FILTER is one, too",
      "FILTER");
  add("receive", "May it receive a message of a topic that it has subscribed to?", "TOPIC");
  app.footer(
      "The exit code is 0 if it may, 1 if it may not, 2 if the question or the file is wrong.\n"
      "Examples:\n"
      "  linnet explain --config linnet.toml --user alice publish home/kitchen/light --qos 1\n"
      "  linnet explain --config linnet.toml --clientid lamp subscribe 'home/#'");
}

}  // namespace linnet::cli

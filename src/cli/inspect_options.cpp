#include "cli/inspect_options.hpp"

#include <CLI/CLI.hpp>

#include "config/value.hpp"

namespace linnet::cli {

namespace {

/// A command, its options that all have, and its examples.
CLI::App* add(CLI::App& app, InspectOptions& options, const char* action, const char* text,
              const char* examples) {
  const std::string name = action;
  CLI::App* command = app.add_subcommand(name.substr(name.find(' ') + 1), text);
  add_broker_options(*command, options.broker);
  command->footer(std::string("Examples:\n") + examples);
  command->callback([&options, name] { options.action = name; });
  return command;
}

void add_page(CLI::App& command, InspectOptions& options) {
  command.add_option("--limit", options.limit, "How many at most; 100 without it")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  command.add_option("--after", options.after, "Go on behind this one")->type_name("NAME");
}

void add_client_id(CLI::App& command, InspectOptions& options) {
  command.add_option("CLIENT_ID", options.client_id, "The client identifier")->required();
}

void add_lists(CLI::App& app, InspectOptions& options) {
  add(app, options, "status", "Say what a broker does, and what is wrong with it",
      "  linnet status\n"
      "  linnet status --data-dir /var/lib/linnet --json");
  CLI::App* clients =
      add(app, options, "clients", "List the clients that are connected, by client identifier",
          "  linnet clients\n"
          "  linnet clients --limit 1000 --after sensor-0999 --json");
  add_page(*clients, options);
  CLI::App* sessions = add(app, options, "sessions",
                           "List all sessions, also of clients that are away, or describe one",
                           "  linnet sessions\n"
                           "  linnet sessions sensor-17        with its subscriptions\n"
                           "  linnet sessions --limit 1000 --json");
  add_page(*sessions, options);
  sessions->add_option("CLIENT_ID", options.client_id, "This one alone, with its subscriptions");
  CLI::App* kick = add(app, options, "kick", "End a client's connection",
                       "  linnet kick sensor-17\n"
                       "  linnet kick sensor-17 --end-session    and forget what it was owed");
  add_client_id(*kick, options);
  kick->add_flag("--end-session", options.ends_session,
                 "End its session, too, whether it is connected or not");
}

void add_retained(CLI::App& app, InspectOptions& options) {
  CLI::App* retained = app.add_subcommand("retained", "List or erase retained messages");
  retained->require_subcommand(1);
  CLI::App* list =
      add(*retained, options, "retained ls", "List those whose topics a filter matches",
          "  linnet retained ls '#'\n"
          "  linnet retained ls 'sensors/+/state' --limit 10");
  list->add_option("FILTER", options.filter, "A topic filter; all of them without it");
  add_page(*list, options);
  CLI::App* erase =
      add(*retained, options, "retained rm", "Erase those whose topics a filter matches",
          "  linnet retained rm sensors/17/state\n"
          "  linnet retained rm 'old/#'");
  erase->add_option("FILTER", options.filter, "A topic filter")->required();
}

void add_views(CLI::App& app, InspectOptions& options) {
  CLI::App* top =
      add(app, options, "top", "Watch rates, heavy topics and clients, and those that lag behind",
          "  linnet top                         q ends it\n"
          "  linnet top --count 3 --interval 10s > load.txt\n"
          "  linnet top --json | jq .counters");
  top->add_option("--count", options.count, "End after so many pictures; on a terminal: never")
      ->type_name("N");
  const auto is_time = [](const std::string& text) {
    const auto time_ms = config::parse_duration_ms(text);
    return time_ms && *time_ms >= 100 && *time_ms <= 3'600'000 ? "" : "write a time of 100ms to 1h";
  };
  top->add_option("--interval", options.interval, "How often; 2s without it")
      ->type_name("TIME")
      ->check(is_time);
  CLI::App* trace = add(app, options, "trace", "Follow what happens to messages, and why",
                        "  linnet trace --client sensor-17\n"
                        "  linnet trace --topic 'sensors/#' --count 20\n"
                        "  linnet trace --client sensor-17 --topic 'alarms/#' --json");
  trace->add_option("--client", options.client_id, "Messages from this client, and for it")
      ->type_name("ID");
  trace->add_option("--topic", options.filter, "Messages whose topics this filter matches")
      ->type_name("FILTER");
  trace->add_option("--count", options.count, "End after so many lines")->type_name("N");
  trace->callback([&options] {
    options.action = "trace";
    if (options.client_id.empty() && options.filter.empty()) {
      throw CLI::RequiredError("--client or --topic");
    }
  });
}

void add_log(CLI::App& app, InspectOptions& options) {
  CLI::App* log = add(app, options, "log",
                      "Say or change how much the parts of a broker log, until its next reload",
                      "  linnet log\n"
                      "  linnet log session=debug auth=debug\n"
                      "  linnet log all=warn session=default");
  const auto is_level = [](const std::string& text) {
    const auto sign = text.find('=');
    const bool valid = sign != std::string::npos && sign > 0 && sign + 1 < text.size();
    return valid ? "" : "write ROOM=LEVEL, like session=debug";
  };
  log->add_option("LEVELS", options.levels,
                  "A part, or all, and trace, debug, info, warn, error, off or default")
      ->type_name("ROOM=LEVEL ...")
      ->check(is_level);
}

}  // namespace

void add_inspect_commands(CLI::App& app, InspectOptions& options) {
  add_lists(app, options);
  add_retained(app, options);
  add_views(app, options);
  add_log(app, options);
}

}  // namespace linnet::cli

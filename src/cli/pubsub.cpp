// `linnet pub`, `linnet sub` and `linnet rr`: a client for any broker.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "cli/options.hpp"
#include "cli/pubsub_options.hpp"
#include "pubsub/output.hpp"
#include "pubsub/run.hpp"

namespace linnet::cli {

namespace {

using pubsub::Command;

/// Each -D has four texts, of which the last is empty where three were given.
std::vector<std::string> without_fillers(const std::vector<std::string>& texts) {
  std::vector<std::string> kept;
  for (std::size_t at = 0; at < texts.size(); ++at) {
    const bool is_fourth = at % 4 == 3;
    if (is_fourth && texts[at].empty() && texts[at - 2] != "user-property") continue;
    kept.push_back(texts[at]);
  }
  return kept;
}

int run_command(Command command, pubsub::Options& options) {
  log::init(log::Level::warn, log::Format::text);
  // See no-color.org.
  const char* no_color = std::getenv("NO_COLOR");
  const bool wants_none = no_color != nullptr && *no_color != '\0';
  options.output_is_terminal =
      ::isatty(STDOUT_FILENO) == 1 && options.color == "auto" && !wants_none;
  // Without colours a terminal still obeys what is sent to it.
  options.escapes = ::isatty(STDOUT_FILENO) == 1;
  options.properties = without_fillers(options.properties);
  std::string error;
  const auto settings = pubsub::resolve(command, options, error);
  if (!settings) {
    pubsub::complain(error);
    return kWrongUsage;
  }
  switch (command) {
    case Command::pub: return pubsub::publish(*settings);
    case Command::sub: return pubsub::subscribe(*settings);
    case Command::rr: break;
  }
  return pubsub::request(*settings);
}

}  // namespace

std::optional<int> run_pubsub(const CLI::App& app, PubsubOptions& options) {
  if (app.got_subcommand("pub")) return run_command(Command::pub, options.pub);
  if (app.got_subcommand("sub")) return run_command(Command::sub, options.sub);
  if (app.got_subcommand("rr")) return run_command(Command::rr, options.rr);
  return std::nullopt;
}

}  // namespace linnet::cli

// `linnet reload`: the broker that runs reads its configuration again, and says what came of it.
#include <optional>
#include <string>
#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "cli/options.hpp"
#include "cli/running_broker.hpp"
#include "config/load.hpp"
#include "control/client.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;

constexpr const char* kUnchanged = "linnet: nothing was changed: the broker goes on as before";

/// Nothing if it is wrong; `code` then says how the command ends.
std::optional<Config> read_options(const ReloadOptions& options, int& code) {
  config::LoadResult result;
  if (!options.config_path.empty()) result = config::load(options.config_path);
  code = result.ok() ? kOk : kFailed;
  for (const std::string& setting : options.settings) {
    auto error = config::apply_setting(result.config, setting);
    if (!error) continue;
    result.errors.push_back(std::move(*error));
    code = kWrongUsage;
  }
  for (const config::ConfigError& error : result.errors)
    print_error(to_string(error));
  if (code == kFailed) print_error(kUnchanged);
  if (code != kOk) return std::nullopt;
  if (!options.data_dir.empty()) result.config.data_dir = options.data_dir;
  return std::move(result.config);
}

void print_lines(const json::object& reply, const char* name, const char* before,
                 const char* after) {
  const json::value* lines = reply.if_contains(name);
  if (lines == nullptr || !lines->is_array()) return;
  for (const json::value& line : lines->as_array()) {
    if (line.is_string()) print_line(cat(before, std::string(line.as_string()), after));
  }
}

bool was_applied(const json::object& reply) {
  const json::value* applied = reply.if_contains("applied");
  return applied != nullptr && applied->is_bool() && applied->as_bool();
}

void print_answer(const json::object& reply, bool applied) {
  if (applied) {
    print_line("reloaded");
    print_lines(reply, "changed", "  ", "");
    print_lines(reply, "needs_restart", "  needs a restart: ", "");
    return;
  }
  const json::value* errors = reply.if_contains("errors");
  if (errors != nullptr && errors->is_array()) {
    for (const json::value& line : errors->as_array()) {
      if (line.is_string()) print_error(std::string(line.as_string()));
    }
  }
  print_error(kUnchanged);
}

}  // namespace

int reload(const ReloadOptions& options) {
  int code = kOk;
  const auto config = read_options(options, code);
  if (!config) return code;
  log::init(log::Level::warn, log::Format::text);
  std::string error;
  std::string directory;
  if (config->persistence) {
    directory = find_broker(config->data_dir, error);
  } else {
    error =
        "with persistence = false a broker has no control socket; send it SIGHUP instead, and "
        "read its log";
  }
  json::object reply;
  const json::object request{{"command", "reload"}};
  const bool asked = !directory.empty() && control::ask(directory, request, reply, error);
  const bool applied = asked && was_applied(reply);
  if (options.json) {
    json::object line{{"ok", applied}};
    if (!asked) line["error"] = error;
    for (const auto& member : reply) {
      if (member.key() != "ok" && member.key() != "error") line.insert(member);
    }
    print_line(std::string(json::serialize(line)));
  } else if (asked) {
    print_answer(reply, applied);
  } else {
    print_error(cat("linnet: ", error));
  }
  return applied ? kOk : kFailed;
}

}  // namespace linnet::cli

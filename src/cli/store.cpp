#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "cli/options.hpp"
#include "cli/store_print.hpp"
#include "config/load.hpp"
#include "control/client.hpp"
#include "control/store_commands.hpp"
#include "store/data_dir.hpp"
#include "store/inspect.hpp"
#include "store/upkeep.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;

/// What came of it: the answer, or an error.
struct Answer {
  json::object reply;
  std::string error;
};

std::optional<Config> read_config(const StoreOptions& options) {
  config::LoadResult result;
  if (!options.config_path.empty()) result = config::load(options.config_path);
  for (const std::string& setting : options.settings) {
    if (auto error = config::apply_setting(result.config, setting)) result.errors.push_back(*error);
  }
  for (const config::ConfigError& error : result.errors)
    print_error(to_string(error));
  if (!result.ok()) return std::nullopt;
  if (!options.data_dir.empty()) result.config.data_dir = options.data_dir;
  return std::move(result.config);
}

Answer ask_broker(const StoreOptions& options, const store::DataDirProblem& problem) {
  json::object request{{"command", cat("store.", options.action)}};
  if (!options.target.empty()) request["directory"] = options.target;
  Answer answer;
  if (!control::ask(problem.path, request, answer.reply, answer.error) && answer.reply.empty()) {
    answer.error += cat(" (", problem.text, ")");
  }
  return answer;
}

/// A stopped store is read page by page, so that damage can't hurt; only a sound one is opened.
Answer use_store(const StoreOptions& options, const Config& config,
                 const store::DataDir& directory) {
  Answer answer;
  const bool checks = options.action == "check";
  const bool reads_all = checks || !directory.clean();
  const store::Inspection inspection =
      store::inspect(directory.path(), checks      ? store::InspectLimits{}
                                       : reads_all ? store::kStartLimits
                                                   : store::kHeadLimits);
  if (checks) control::fill_check(inspection, answer.reply);
  if (inspection.verdict == store::Verdict::foreign ||
      inspection.verdict == store::Verdict::failed) {
    answer.error = inspection.problems.front();
  } else if (!checks && inspection.verdict == store::Verdict::damaged) {
    answer.error = cat("the store is damaged: ", inspection.problems.front(),
                       "; `linnet store check` says more, and a broker that starts on it saves "
                       "what is whole");
  }
  if (checks || !answer.error.empty()) return answer;
  const SystemClock clock;
  store::DatabaseOptions database_options;
  database_options.environment.directory = directory.path();
  database_options.environment.map_bytes = config.limits.store_size_max;
  database_options.environment.ahead_bytes = 0;
  store::Status status = store::Status::ok;
  const auto database = store::Database::open(database_options, clock, status, answer.error);
  if (database == nullptr) return answer;
  const control::StoreDoor door{directory.path(),
                                database.get(),
                                [&](auto step) {
                                  step(*database);
                                  return true;
                                },
                                {}};
  if (options.action == "stats") answer.error = control::store_stats(door, answer.reply);
  if (options.action == "compact") answer.error = control::store_compact(door, answer.reply);
  if (options.action == "backup") {
    answer.error = control::store_backup(door, options.target, answer.reply);
  }
  return answer;
}

int print(const StoreOptions& options, const Answer& answer) {
  const bool ok = answer.error.empty();
  if (options.json) {
    json::object line{{"ok", ok}};
    if (!ok) line["error"] = answer.error;
    for (const auto& member : answer.reply) {
      if (member.key() != "ok" && member.key() != "error") line.insert(member);
    }
    print_line(std::string(json::serialize(line)));
  } else if (ok) {
    print_store_answer(options.action, answer.reply);
  } else {
    print_error("linnet: " + answer.error);
  }
  if (!ok) return kFailed;
  const json::value* sound = answer.reply.if_contains("sound");
  return sound != nullptr && !(sound->is_bool() && sound->as_bool()) ? kFailed : kOk;
}

}  // namespace

int store(const StoreOptions& given) {
  StoreOptions options = given;
  const std::optional<Config> config = read_config(options);
  if (!config) return kWrongUsage;
  if (!options.target.empty()) {
    std::error_code ignored;
    options.target = std::filesystem::absolute(options.target, ignored).string();
  }
  log::init(log::Level::warn, log::Format::text);
  store::DataDirProblem problem;
  const auto directory =
      store::DataDir::open(config->data_dir, store::DataDir::Use::administer, problem);
  Answer answer;
  if (directory) {
    answer = use_store(options, *config, *directory);
    directory->leave_to_owner();
  } else if (problem.held) {
    answer = ask_broker(options, problem);
  } else {
    answer.error = problem.text;
  }
  return print(options, answer);
}

}  // namespace linnet::cli

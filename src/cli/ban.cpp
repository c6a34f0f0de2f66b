// `linnet ban`: bans live in the broker that runs, so it is asked.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "cli/ban_options.hpp"
#include "cli/options.hpp"
#include "cli/running_broker.hpp"
#include "config/load.hpp"
#include "config/value.hpp"
#include "control/client.hpp"

namespace linnet::cli {
namespace {

namespace json = boost::json;

/// The data directory that is configured, which may be none.
std::optional<std::string> configured_dir(const BanOptions& options) {
  config::LoadResult result;
  if (!options.config_path.empty()) result = config::load(options.config_path);
  for (const config::ConfigError& error : result.errors)
    print_error(to_string(error));
  if (!result.ok()) return std::nullopt;
  return options.data_dir.empty() ? std::move(result.config.data_dir) : options.data_dir;
}

json::object request_of(const BanOptions& options) {
  json::object request{{"command", cat("ban.", options.action)}};
  if (!options.address.empty()) request["address"] = options.address;
  if (!options.time.empty()) request["time_ms"] = *config::parse_duration_ms(options.time);
  if (options.all) request["all"] = true;
  return request;
}

/// "3 h 20 min", in the two units that matter.
std::string time_text(std::uint64_t time_ms) {
  const std::uint64_t seconds = (time_ms + 999) / 1000;
  if (seconds < 60) return cat(seconds, " s");
  const std::uint64_t minutes = seconds / 60;
  if (minutes < 60) return cat(minutes, " min ", seconds % 60, " s");
  const std::uint64_t hours = minutes / 60;
  if (hours < 24) return cat(hours, " h ", minutes % 60, " min");
  return cat(hours / 24, " d ", hours % 24, " h");
}

std::uint64_t number(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return 0;
  boost::system::error_code code;
  const auto result = value->to_number<std::uint64_t>(code);
  return code ? 0 : result;
}

std::string text(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? value->as_string().c_str() : std::string();
}

std::string why_text(const json::object& ban) {
  const json::value* by_hand = ban.if_contains("by_hand");
  if (by_hand != nullptr && by_hand->is_bool() && by_hand->as_bool()) return "by hand";
  const std::uint64_t times = number(ban, "times");
  return times > 1 ? cat("wrong logins, for the ", times,
                         times == 2   ? "nd"
                         : times == 3 ? "rd"
                                      : "th",
                         " time")
                   : "wrong logins";
}

void print_list(const json::object& reply) {
  const json::value* bans = reply.if_contains("bans");
  if (bans == nullptr || !bans->is_array() || bans->as_array().empty()) {
    return print_line("no address is banned");
  }
  for (const json::value& value : bans->as_array()) {
    if (!value.is_object()) continue;
    const json::object& ban = value.as_object();
    const std::uint64_t left_ms = number(ban, "left_ms");
    constexpr std::size_t kColumn = 26;
    std::string row = text(ban, "address");
    row.resize(std::max(kColumn, row.size() + 1), ' ');
    row += left_ms == 0 ? "until it is lifted" : cat("for ", time_text(left_ms));
    print_line(cat(row, ", ", why_text(ban)));
  }
}

void print_answer(const BanOptions& options, const json::object& reply) {
  if (options.action == "list") return print_list(reply);
  if (options.action == "add") {
    return print_line(
        cat("banned: ", text(reply, "address"),
            options.time.empty() ? ", until it is lifted" : cat(", for ", options.time)));
  }
  print_line(options.all ? cat("lifted: ", number(reply, "lifted"))
                         : cat("lifted: ", options.address));
}

}  // namespace

int ban(const BanOptions& options) {
  const auto configured = configured_dir(options);
  if (!configured) return kWrongUsage;
  log::init(log::Level::warn, log::Format::text);
  std::string error;
  json::object reply;
  const std::string directory = find_broker(*configured, error);
  const bool ok = !directory.empty() && control::ask(directory, request_of(options), reply, error);
  if (options.json) {
    json::object line{{"ok", ok}};
    if (!ok) line["error"] = error;
    for (const auto& member : reply) {
      if (member.key() != "ok" && member.key() != "error") line.insert(member);
    }
    print_line(std::string(json::serialize(line)));
  } else if (ok) {
    print_answer(options, reply);
  } else {
    print_error(cat("linnet: ", error));
  }
  return ok ? kOk : kFailed;
}

}  // namespace linnet::cli

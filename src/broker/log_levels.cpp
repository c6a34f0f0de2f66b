#include "broker/log_levels.hpp"

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet {

namespace {

namespace json = boost::json;
using log::Level;

constexpr std::array<std::string_view, 7> kNames{"trace", "debug", "info",   "warn",
                                                 "error", "off",   "default"};
constexpr std::string_view kAll = "all";

std::string_view name_of(std::optional<Level> level) noexcept {
  return level ? kNames[static_cast<std::size_t>(*level)] : kNames.back();
}

/// Of a room that is named: nothing as value means "default".
using Wish = std::pair<std::string_view, std::optional<Level>>;

std::string read_wish(const json::key_value_pair& member, std::vector<Wish>& wishes) {
  const std::string_view room(member.key().data(), member.key().size());
  const bool known = room == kAll || log::is_room(room);
  if (!known) {
    std::string rooms;
    for (const std::string_view one : log::rooms())
      rooms += cat(", ", one);
    return cat("there is no room \"", room, "\"; there are all", rooms);
  }
  std::size_t at = kNames.size();
  if (member.value().is_string()) {
    const json::string& text = member.value().as_string();
    for (at = 0;
         at < kNames.size() && text != json::string_view(kNames[at].data(), kNames[at].size());)
      ++at;
  }
  if (at == kNames.size() || (room == kAll && at + 1 == kNames.size())) {
    return cat("the level of ", room, " is trace, debug, info, warn, error or off",
               room == kAll ? "" : ", or default: as all others");
  }
  const bool preset = at + 1 == kNames.size();
  wishes.emplace_back(room, preset ? std::nullopt : std::optional(static_cast<Level>(at)));
  return {};
}

std::string answer(const json::object& request, json::object& reply) {
  std::vector<Wish> wishes;
  if (const json::value* levels = request.if_contains("levels"); levels != nullptr) {
    if (!levels->is_object()) return "\"levels\" is an object: {\"session\":\"debug\"}";
    for (const json::key_value_pair& member : levels->as_object()) {
      std::string error = read_wish(member, wishes);
      if (!error.empty()) return error;
    }
  }
  for (const auto& [room, level] : wishes) {
    if (room == kAll) {
      log::set_level(*level);
    } else {
      log::set_room_level(room, level);
    }
    log::info("control", cat("log level of ", room, ": ", name_of(level)));
  }
  json::object now{
      {"all", json::string_view(name_of(log::level()).data(), name_of(log::level()).size())}};
  for (const std::string_view room : log::rooms()) {
    const std::string_view name = name_of(log::room_level(room));
    now[json::string_view(room.data(), room.size())] = json::string_view(name.data(), name.size());
  }
  reply["levels"] = std::move(now);
  return {};
}

}  // namespace

void use_log_levels(const Config& config) noexcept {
  const LogLevels& levels = config.log_levels;
  const auto use = [](std::string_view room, RoomLogLevel level) {
    const bool preset = level == RoomLogLevel::as_all;
    log::set_room_level(room, preset ? std::nullopt : std::optional(static_cast<Level>(level)));
  };
  log::set_level(static_cast<Level>(config.log_level));
  use("auth", levels.auth);
  use("broker", levels.broker);
  use("cli", levels.cli);
  use("control", levels.control);
  use("memory", levels.memory);
  use("net", levels.net);
  use("reload", levels.reload);
  use("session", levels.session);
  use("shard", levels.shard);
  use("store", levels.store);
  use("tls", levels.tls);
  use("transport", levels.transport);
}

void add_log_command(control::Control& control) {
  control.add("log", answer);
}

}  // namespace linnet

#include "control/ban_commands.hpp"

#include <initializer_list>
#include <optional>
#include <string_view>

#include <boost/json.hpp>

#include "auth/address_key.hpp"
#include "base/cat.hpp"
#include "base/clock.hpp"

namespace linnet::control {
namespace {

namespace json = boost::json;

std::uint64_t now_ms() {
  return SystemClock().now_ms();
}

/// An address as people write it, or with one of these as it is listed. A wider network is not for
/// this.
std::optional<net::Endpoint> read_address(const json::object& request,
                                          std::initializer_list<std::string_view> networks,
                                          std::string& error) {
  const json::value* value = request.if_contains("address");
  if (value == nullptr || !value->is_string()) {
    error = "the request needs an \"address\"";
    return std::nullopt;
  }
  const std::string_view text(value->as_string().data(), value->as_string().size());
  std::string_view bare = text;
  for (const std::string_view network : networks) {
    if (text.ends_with(network) && text.find(':') != text.npos) bare.remove_suffix(network.size());
  }
  auto address = net::Endpoint::parse(bare, 0);
  if (!address) {
    error = cat("\"", text,
                "\" is not an address: write 192.0.2.7 or 2001:db8::1, without a port; "
                "whole networks are refused by listener.deny");
  }
  return address;
}

/// Nothing if it is there and wrong.
std::optional<std::uint64_t> read_time(const json::object& request) {
  const json::value* value = request.if_contains("time_ms");
  if (value == nullptr) return 0;
  boost::system::error_code code;
  const auto time_ms = value->to_number<std::uint64_t>(code);
  if (code || time_ms == 0) return std::nullopt;
  return time_ms;
}

std::string list(const auth::Bans& bans, json::object& reply) {
  json::array array;
  for (const auth::Ban& ban : bans.list(now_ms())) {
    json::object object{{"address", ban.address}};
    if (ban.left_ms != 0) object["left_ms"] = ban.left_ms;
    object["times"] = ban.times;
    object["by_hand"] = ban.by_hand;
    array.push_back(std::move(object));
  }
  reply["bans"] = std::move(array);
  return {};
}

std::string add(auth::Bans& bans, const json::object& request, json::object& reply) {
  std::string error;
  const auto address = read_address(request, {"/64"}, error);
  if (!address) return error;
  const auto time_ms = read_time(request);
  if (!time_ms) return "\"time_ms\" is a number of milliseconds, 1 or more";
  error = bans.add(*address, *time_ms, now_ms());
  if (!error.empty()) return error;
  reply["address"] = auth::AddressKey::of(*address)->text();
  return {};
}

std::string lift(auth::Bans& bans, const json::object& request, json::object& reply) {
  const json::value* all = request.if_contains("all");
  if (all != nullptr && all->is_bool() && all->as_bool()) {
    reply["lifted"] = bans.lift_all(now_ms());
    return {};
  }
  std::string error;
  const auto address = read_address(request, {"/64", "/48"}, error);
  if (!address) return error;
  if (!bans.lift(*address, now_ms())) return cat(address->address_text(), " is not banned");
  reply["lifted"] = 1;
  return {};
}

}  // namespace

void add_ban_commands(Control& control, auth::Bans& bans) {
  control.add("ban.list",
              [&bans](const json::object&, json::object& reply) { return list(bans, reply); });
  control.add("ban.add", [&bans](const json::object& request, json::object& reply) {
    return add(bans, request, reply);
  });
  control.add("ban.lift", [&bans](const json::object& request, json::object& reply) {
    return lift(bans, request, reply);
  });
}

}  // namespace linnet::control

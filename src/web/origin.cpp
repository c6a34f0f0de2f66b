#include "web/origin.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "web/rules.hpp"

namespace linnet::web {

namespace {

constexpr std::string_view kSchemeRest = "abcdefghijklmnopqrstuvwxyz0123456789+-.";
constexpr std::string_view kNotInHosts = " \t/?#@[]\\,\"'<>";

// Not std::tolower: it depends on the locale.
std::string lowered(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return result;
}

std::uint16_t default_port(std::string_view scheme) noexcept {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return 0;
}

bool parse_port(std::string_view text, std::uint16_t& port) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

/// Splits "host:port" and "[host]:port"; the port's text is empty if there is none.
bool split_port(std::string_view text, std::string_view& host, std::string_view& port) noexcept {
  const bool bracketed = text.starts_with('[');
  const auto end = bracketed ? text.find(']') : text.find(':');
  host = text.substr(bracketed ? 1 : 0, bracketed && end != text.npos ? end - 1 : end);
  if (end == text.npos) return !bracketed;
  std::string_view rest = text.substr(bracketed ? end + 1 : end);
  if (rest.empty()) return true;
  port = rest.substr(1);
  return rest.front() == ':' && !port.empty();
}

bool has_address(std::string_view host, const net::Endpoint& local) {
  const auto address = net::Endpoint::parse(host, 0);
  return address && address->family() == local.family() && address->bytes() == local.bytes();
}

bool is_all_addresses(std::string_view host) noexcept {
  return host.empty() || host == "*" || host == "0.0.0.0" || host == "::";
}

}  // namespace

std::optional<Origin> parse_origin(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == text.npos || colon == 0) return std::nullopt;
  Origin origin;
  origin.scheme = lowered(text.substr(0, colon));
  if (origin.scheme.front() < 'a' || origin.scheme.front() > 'z') return std::nullopt;
  if (origin.scheme.find_first_not_of(kSchemeRest) != std::string::npos) return std::nullopt;
  std::string_view host;
  std::string_view port;
  if (!split_port(text.substr(colon + 3), host, port)) return std::nullopt;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.find_first_of(kNotInHosts) != host.npos) return std::nullopt;
  origin.host = lowered(host);
  origin.port = default_port(origin.scheme);
  if (!port.empty() && !parse_port(port, origin.port)) return std::nullopt;
  return origin;
}

bool is_loopback_host(std::string_view host) {
  const std::string name = lowered(host);
  if (name == "localhost" || (name.ends_with(".localhost") && name.size() > 10)) return true;
  const auto address = net::Endpoint::parse(name, 0);
  return address && address->is_loopback();
}

bool is_same_host(std::string_view one, std::string_view other) {
  const auto address = net::Endpoint::parse(one, 0);
  return address ? has_address(other, *address) : lowered(one) == lowered(other);
}

/// With all addresses, any name could be made to lead here: so none counts but the machine's own.
bool is_own(std::string_view host, const ReadyRules& rules, const net::Endpoint& local) {
  if (!is_all_addresses(rules.own_host)) return is_same_host(host, rules.own_host);
  const auto is_name = [host](const std::string& name) { return is_same_host(host, name); };
  return has_address(host, local) ||
         std::any_of(rules.machine_names.begin(), rules.machine_names.end(), is_name);
}

bool is_allowed_origin(std::string_view text, const ReadyRules& rules, const net::Endpoint& local) {
  if (rules.allows_all) return true;
  const auto origin = parse_origin(text);
  if (!origin) return false;
  if (is_loopback_host(origin->host)) return true;
  return is_own(origin->host, rules, local) ||
         std::find(rules.allowed.begin(), rules.allowed.end(), *origin) != rules.allowed.end();
}

ReadyRules::ReadyRules(Rules rules) : Rules(std::move(rules)) {
  for (std::string_view text : origins) {
    if (text == "*") allows_all = true;
    // People write the slash that a browser's address line shows.
    if (text.ends_with('/')) text.remove_suffix(1);
    if (auto origin = parse_origin(text)) allowed.push_back(*std::move(origin));
  }
}

}  // namespace linnet::web

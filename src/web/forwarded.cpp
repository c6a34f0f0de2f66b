#include "web/forwarded.hpp"

#include <charconv>
#include <cstdint>

namespace linnet::web {

namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) noexcept {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// "192.0.2.7", "192.0.2.7:51234", "2001:db8::1" or "[2001:db8::1]:51234".
std::optional<net::Endpoint> parse_hop(std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return std::nullopt;
    host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const auto colon = text.find(':'); colon == text.rfind(':') && colon != text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon);
  }
  std::uint16_t number = 0;
  if (!port.empty()) {
    const char* last = port.data() + port.size();
    const auto [end, error] = std::from_chars(port.data() + 1, last, number);
    if (port.front() != ':' || error != std::errc{} || end != last) return std::nullopt;
  }
  return net::Endpoint::parse(host, number);
}

}  // namespace

std::optional<net::Endpoint> told_client(std::string_view value, const net::Networks& trusted) {
  std::optional<net::Endpoint> client;
  while (!value.empty()) {
    const auto comma = value.rfind(',');
    const auto hop = trimmed(comma == value.npos ? value : value.substr(comma + 1));
    value = comma == value.npos ? std::string_view{} : value.substr(0, comma);
    if (hop.empty()) continue;
    client = parse_hop(hop);
    if (!client || !trusted.contains(*client)) return client;
  }
  return client;
}

}  // namespace linnet::web

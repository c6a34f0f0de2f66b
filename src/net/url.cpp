#include "net/url.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <optional>

#include "base/cat.hpp"

namespace linnet::net {

namespace {

struct SchemeTraits {
  std::string_view name;
  Scheme scheme;
  std::uint16_t port;
  std::string_view path;  // the default; empty if a path has no meaning
  bool tls;
};

constexpr std::array kSchemes = {
    SchemeTraits{"mqtt", Scheme::mqtt, 1883, "", false},
    SchemeTraits{"mqtts", Scheme::mqtts, 8883, "", true},
    SchemeTraits{"ws", Scheme::ws, 8083, "/mqtt", false},
    SchemeTraits{"wss", Scheme::wss, 8084, "/mqtt", true},
    SchemeTraits{"http", Scheme::http, 80, "/", false},
    SchemeTraits{"https", Scheme::https, 443, "/", true},
    SchemeTraits{"any", Scheme::any, 1883, "", false},
    SchemeTraits{"unix", Scheme::unix_socket, 0, "", false},
};

/// The kernel's sockaddr_un holds 108 bytes with the zero at the end.
constexpr std::size_t kUnixPathMax = 107;

UrlError wrong(std::string_view text, std::string_view why) {
  return {cat("'", text, "' ", why)};
}

const SchemeTraits* find_scheme(std::string_view name) noexcept {
  const auto* found = std::find_if(kSchemes.begin(), kSchemes.end(),
                                   [name](const auto& traits) { return traits.name == name; });
  return found == kSchemes.end() ? nullptr : found;
}

const SchemeTraits& traits_of(Scheme scheme) noexcept {
  return *std::find_if(kSchemes.begin(), kSchemes.end(),
                       [scheme](const auto& traits) { return traits.scheme == scheme; });
}

std::optional<std::uint16_t> parse_port(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5) return std::nullopt;
  std::uint32_t port = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    port = port * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  if (port > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

bool is_host_name(std::string_view host) noexcept {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

bool is_ipv6(std::string_view host) {
  in6_addr address{};
  const auto zone = host.find('%');
  return ::inet_pton(AF_INET6, std::string(host.substr(0, zone)).c_str(), &address) == 1;
}

/// Splits "host:port"; what is missing stays empty.
struct Authority {
  std::string_view host;
  std::string_view port;
  bool has_port = false;
  const char* error = nullptr;
};

Authority split_authority(std::string_view text) {
  Authority parts;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) {
      parts.error = "has no ']' behind its IPv6 address; write for example mqtt://[::1]:1883";
      return parts;
    }
    parts.host = text.substr(1, end - 1);
    if (!is_ipv6(parts.host)) {
      parts.error = "has no IPv6 address in its brackets; write for example mqtt://[::1]:1883";
    }
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') {
      parts.error = "has something between ']' and the port; write for example mqtt://[::1]:1883";
    }
  } else {
    const auto end = text.find(':');
    parts.host = text.substr(0, end);
    text.remove_prefix(parts.host.size());
    if (parts.host == "*") parts.host = {};
    if (text.find(':', 1) != std::string_view::npos) {
      parts.error =
          "has more than one ':'; an IPv6 address stands in brackets, for example "
          "mqtt://[::1]:1883";
    } else if (!parts.host.empty() && !is_host_name(parts.host)) {
      parts.error =
          "has a host with characters that no host has; write for example "
          "mqtt://127.0.0.1:1883, or mqtt://*:1883 for all addresses";
    }
  }
  parts.has_port = !text.empty();
  if (parts.has_port) parts.port = text.substr(1);
  return parts;
}

boost::system::result<Url, UrlError> parse_unix(std::string_view whole, std::string_view path) {
  if (path.starts_with("//")) path.remove_prefix(2);
  if (!path.starts_with('/') || path.size() < 2) {
    return wrong(whole, "has no absolute path; write for example unix:/run/linnet/mqtt.sock");
  }
  if (path.size() > kUnixPathMax || path.find('\0') != std::string_view::npos) {
    return wrong(whole, "has a path that is too long for a Unix socket (at most 107 bytes)");
  }
  return Url{Scheme::unix_socket, "", 0, std::string(path)};
}

}  // namespace

boost::system::result<Url, UrlError> parse_url(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  if (text.starts_with(kUnix)) return parse_unix(text, text.substr(kUnix.size()));
  const auto end = text.find("://");
  if (end == std::string_view::npos) {
    return wrong(text, "does not say which protocol; write for example mqtt://127.0.0.1:1883");
  }
  const SchemeTraits* traits = find_scheme(text.substr(0, end));
  if (traits == nullptr) {
    return wrong(text,
                 "begins with an unknown protocol; known are mqtt, mqtts, ws, wss, http, "
                 "https, any and unix, for example mqtt://127.0.0.1:1883");
  }
  const std::string_view rest = text.substr(end + 3);
  const std::string_view authority = rest.substr(0, rest.find('/'));
  const std::string_view path = rest.substr(authority.size());
  if (rest.find_first_of("@?#") != std::string_view::npos) {
    return wrong(text,
                 "has a user, a query or a fragment, which a listener does not have; write "
                 "for example mqtt://127.0.0.1:1883");
  }
  const Authority parts = split_authority(authority);
  if (parts.error != nullptr) return wrong(text, parts.error);
  Url url{traits->scheme, std::string(parts.host), traits->port, std::string(traits->path)};
  if (parts.has_port) {
    const auto port = parse_port(parts.port);
    if (!port) return wrong(text, "has a port that is not a number from 0 to 65535");
    url.port = *port;
  }
  if (path.size() > 1) {
    if (traits->path.empty()) {
      return wrong(text, "has a path, which only ws, wss, http, https and unix have");
    }
    url.path = path;
  }
  return url;
}

std::string Url::text() const {
  if (scheme == Scheme::unix_socket) return cat("unix:", path);
  const bool brackets = host.find(':') != std::string::npos;
  return cat(name_of(scheme), "://", brackets ? "[" : "", host.empty() ? "*" : host,
             brackets ? "]" : "", ':', port, path);
}

std::string_view name_of(Scheme scheme) noexcept {
  return traits_of(scheme).name;
}

bool is_tls(Scheme scheme) noexcept {
  return traits_of(scheme).tls;
}

bool may_speak_http(Scheme scheme) noexcept {
  return scheme == Scheme::any || !traits_of(scheme).path.empty();
}

bool is_loopback(const Url& url) noexcept {
  if (url.scheme == Scheme::unix_socket) return true;
  in_addr ipv4{};
  if (::inet_pton(AF_INET, url.host.c_str(), &ipv4) == 1) return (ntohl(ipv4.s_addr) >> 24) == 127;
  in6_addr ipv6{};
  if (::inet_pton(AF_INET6, url.host.c_str(), &ipv6) == 1) return IN6_IS_ADDR_LOOPBACK(&ipv6);
  return url.host == "localhost";
}

}  // namespace linnet::net

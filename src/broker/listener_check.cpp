#include "broker/listener_check.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/cat.hpp"
#include "net/networks.hpp"
#include "net/url.hpp"
#include "web/origin.hpp"

namespace linnet {

namespace {

using net::Scheme;
using Fault = std::optional<ListenerFault>;

struct Checked {
  const ListenerConfig& listener;
  const net::Url& url;
  const TlsConfig& inherited;
  const AuthConfig& auth;

  [[nodiscard]] std::string scheme() const {
    return cat(net::name_of(url.scheme), url.scheme == Scheme::unix_socket ? ":" : "://");
  }
  [[nodiscard]] bool has_certificate() const {
    return !listener.tls.cert.empty() || !listener.tls.psk_file.empty();
  }
  [[nodiscard]] bool serves_tls() const {
    return net::is_tls(url.scheme) || (url.scheme == Scheme::any && has_certificate());
  }
};

Fault fault(std::string_view key, std::string text) {
  return ListenerFault{std::string(key), std::move(text)};
}

Fault check_scheme(const Checked& checked) {
  const Scheme scheme = checked.url.scheme;
  if (scheme != Scheme::http && scheme != Scheme::https) return std::nullopt;
  return fault("url", cat(checked.scheme(), " listeners are not built yet; use mqtt://host:port"));
}

Fault check_certificates(const Checked& checked) {
  const TlsConfig& tls = checked.listener.tls;
  if (net::is_tls(checked.url.scheme) && !checked.has_certificate()) {
    return fault("tls.cert",
                 cat("is missing: ", checked.scheme(), " needs a certificate; set tls.cert and ",
                     "tls.key (linnet cert makes both), or tls.psk_file"));
  }
  if (!checked.serves_tls() || tls.cert.size() == tls.key.size()) return std::nullopt;
  return fault("tls.key",
               cat("names ", tls.key.size(), tls.key.size() == 1 ? " key" : " keys", " for ",
                   tls.cert.size(), tls.cert.size() == 1 ? " certificate" : " certificates",
                   "; name one for each of tls.cert, in the same order"));
}

Fault check_client_certificates(const Checked& checked) {
  const TlsConfig& tls = checked.listener.tls;
  if (!checked.serves_tls() || !tls.client_ca.empty()) return std::nullopt;
  const TlsConfig defaults;
  const TlsConfig& inherited = checked.inherited;
  // What is inherited may be meant for listeners with a CA, if they inherit that, too.
  const auto useless = [&](auto member) {
    if (tls.*member == defaults.*member) return false;
    return tls.*member != inherited.*member || inherited.client_ca.empty();
  };
  const char* key = nullptr;
  if (useless(&TlsConfig::crl)) key = "tls.crl";
  if (useless(&TlsConfig::client_certificate)) key = "tls.client_certificate";
  // A proxy may tell the name of a certificate that it has checked.
  if (useless(&TlsConfig::identity) && !checked.listener.proxy_protocol) key = "tls.identity";
  if (key == nullptr) return std::nullopt;
  return fault(key,
               "has no effect without tls.client_ca: no certificate is asked for; set it, too");
}

Fault check_tls_has_effect(const Checked& checked) {
  if (checked.serves_tls()) return std::nullopt;
  TlsConfig tls = checked.listener.tls;
  if (checked.listener.proxy_protocol) tls.identity = checked.inherited.identity;
  if (tls == checked.inherited) return std::nullopt;
  if (checked.url.scheme == Scheme::any) {
    return fault("tls.cert",
                 "is missing: without tls.cert and tls.key, or tls.psk_file, no TLS is "
                 "offered, and the other keys of tls have no effect");
  }
  return fault("tls", cat("has no effect: ", checked.scheme(), " has no TLS; remove it, or use ",
                          checked.url.scheme == Scheme::ws ? "wss://" : "mqtts://"));
}

Fault check_web(const Checked& checked) {
  const ListenerConfig& listener = checked.listener;
  const bool web = net::may_speak_http(checked.url.scheme);
  const std::string no_web =
      cat("has no effect: ", checked.scheme(), " has no WebSocket; remove it");
  if (!web && !listener.origins.empty()) return fault("origins", no_web);
  if (!web && listener.deflate) return fault("deflate", no_web);
  for (const std::string& origin : listener.origins) {
    if (origin == "*" || web::parse_origin(origin)) continue;
    return fault("origins", cat('"', origin, "\" is not an origin; write for example ",
                                "\"https://app.example.com\", or \"*\" for any page"));
  }
  return std::nullopt;
}

std::optional<unsigned> parse_mode(const std::string& text) {
  unsigned mode = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, mode, 8);
  if (error != std::errc{} || rest != end || mode > 0777) return std::nullopt;
  return mode;
}

Fault check_unix(const Checked& checked) {
  const ListenerConfig& listener = checked.listener;
  if (checked.url.scheme == Scheme::unix_socket) {
    if (listener.free_bind) return fault("free_bind", "has no effect on a Unix socket; remove it");
    if (listener.mode.empty() || parse_mode(listener.mode)) return std::nullopt;
    return fault("mode",
                 cat('"', listener.mode, "\" is not a mode; write octal digits up to 0777, ",
                     "for example \"0660\""));
  }
  constexpr std::string_view kNoFile = "has no effect: only unix: has a file; remove it";
  if (!listener.mode.empty()) return fault("mode", std::string(kNoFile));
  if (!listener.owner.empty()) return fault("owner", std::string(kNoFile));
  if (!listener.group.empty()) return fault("group", std::string(kNoFile));
  return std::nullopt;
}

Fault check_proxies(const Checked& checked) {
  const ListenerConfig& listener = checked.listener;
  if (listener.proxy_protocol && listener.trusted_proxies.empty()) {
    return fault("trusted_proxies",
                 "is missing: a PROXY header is believed only from proxies that are named; write "
                 "for example trusted_proxies = [\"10.0.0.0/8\"], or \"loopback\"");
  }
  const bool used = listener.proxy_protocol || net::may_speak_http(checked.url.scheme);
  if (!used && !listener.trusted_proxies.empty()) {
    return fault("trusted_proxies", "has no effect without proxy_protocol = true; set it, too");
  }
  std::string error;
  if (net::Networks::parse(listener.trusted_proxies, error)) return std::nullopt;
  return fault("trusted_proxies", std::move(error));
}

Fault check_networks(const Checked& checked) {
  std::string error;
  if (!net::Networks::parse(checked.listener.allow, error)) {
    return fault("allow", std::move(error));
  }
  if (!net::Networks::parse(checked.listener.deny, error)) return fault("deny", std::move(error));
  return std::nullopt;
}

/// A client can prove who it is before it sends CONNECT; whoever does not is an anonymous one, whom
/// the listener then refuses.
bool proves_clients(const Checked& checked) {
  const TlsConfig& tls = checked.listener.tls;
  if (checked.listener.proxy_protocol && tls.identity != CertificateName::none) return true;
  if (!checked.serves_tls()) return false;
  if (tls.cert.empty()) return !tls.psk_file.empty();
  return !tls.client_ca.empty() && tls.client_certificate == ClientCertificate::required;
}

/// A client can log in by what its CONNECT brings.
bool offers_logins(const AuthConfig& auth) {
  const auto tried = [&auth](std::string_view method) {
    return std::find(auth.order.begin(), auth.order.end(), method) != auth.order.end();
  };
  return (!auth.password_file.empty() && tried("password")) ||
         (!auth.jwt.keys.empty() && tried("jwt")) || (!auth.http.url.empty() && tried("http"));
}

Fault check_access(const Checked& checked) {
  const ListenerConfig& listener = checked.listener;
  const bool local = net::is_loopback(checked.url) && listener.trusted_proxies.empty();
  const bool open = !local && !proves_clients(checked) && !offers_logins(checked.auth);
  if (!open || listener.allow_anonymous) return std::nullopt;
  const bool tls = net::is_tls(checked.url.scheme);
  return fault(
      "url", cat('"', listener.url, "\" can be reached from other machines, and nothing ",
                 "says who may connect; give users a password (auth.password_file, linnet passwd)",
                 tls ? ", ask for certificates (tls.client_ca)" : "",
                 ", or let anybody in: set allow_anonymous = true, or give --allow-anonymous"));
}

constexpr std::array kChecks = {check_scheme,         check_certificates, check_client_certificates,
                                check_tls_has_effect, check_web,          check_unix,
                                check_proxies,        check_networks,     check_access};

}  // namespace

std::optional<ListenerFault> find_fault(const ListenerConfig& listener, const TlsConfig& inherited,
                                        const AuthConfig& auth) {
  const auto url = net::parse_url(listener.url);
  if (!url) return fault("url", url.error().text);
  const Checked checked{listener, *url, inherited, auth};
  for (const auto check : kChecks) {
    if (auto found = check(checked)) return found;
  }
  return std::nullopt;
}

std::optional<std::string> listener_error(const ListenerConfig& listener,
                                          const TlsConfig& inherited, const AuthConfig& auth) {
  auto found = find_fault(listener, inherited, auth);
  if (!found) return std::nullopt;
  if (found->key == "url") return std::move(found->text);
  return cat(listener.url, ": ", found->key, ' ', found->text);
}

bool same_place(const net::Url& one, const net::Url& other) {
  if (one.scheme == net::Scheme::unix_socket || other.scheme == net::Scheme::unix_socket) {
    return one.scheme == other.scheme && one.path == other.path;
  }
  return one.port != 0 && one.port == other.port && one.host == other.host;
}

net::BindOptions bind_options(const ListenerConfig& listener) {
  net::BindOptions options{
      .free_bind = listener.free_bind, .owner = listener.owner, .group = listener.group};
  if (const auto mode = parse_mode(listener.mode)) options.mode = *mode;
  return options;
}

}  // namespace linnet

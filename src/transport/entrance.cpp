#include "transport/entrance.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

#include "base/cat.hpp"
#include "transport/opening.hpp"

namespace linnet::transport {

namespace {

using net::Scheme;

tls::Offer offer_of(Scheme scheme) noexcept {
  if (scheme == Scheme::any) return tls::Offer::both;
  return scheme == Scheme::mqtts ? tls::Offer::mqtt : tls::Offer::http;
}

bool has_certificate(const TlsConfig& tls) noexcept {
  return !tls.cert.empty() || !tls.psk_file.empty();
}

/// As `hostname` says it, and as mDNS announces it.
std::vector<std::string> machine_names() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == 0) return {};
  return {name.data(), std::string(name.data()) + ".local"};
}

bool read_networks(const std::vector<std::string>& texts, const char* key, net::Networks& networks,
                   std::string& error) {
  auto parsed = net::Networks::parse(texts, error);
  if (parsed) {
    networks = std::move(*parsed);
  } else {
    error = cat(key, ": ", error);
  }
  return parsed.has_value();
}

web::Rules rules_of(const ListenerConfig& listener, const net::Url& url, const Limits& limits) {
  web::Rules rules;
  rules.paths = {"/mqtt", "/"};
  const bool own_path = !url.path.empty() && url.path != rules.paths.front();
  if (own_path) rules.paths = {url.path};
  rules.own_host = url.host;
  rules.machine_names = machine_names();
  rules.origins = listener.origins;
  rules.deflate = listener.deflate;
  rules.message_max = std::max<std::uint64_t>(limits.websocket_message_max, limits.packet_size_max);
  return rules;
}

}  // namespace

std::unique_ptr<Entrance> open_entrance(const ListenerConfig& listener, const net::Url& url,
                                        const Limits& limits, std::string& error) {
  auto entrance = std::make_unique<Entrance>();
  entrance->scheme = url.scheme;
  entrance->traits.url = url.text();
  // Those who come through a proxy on this machine come from elsewhere.
  entrance->traits.local = net::is_loopback(url) && listener.trusted_proxies.empty();
  entrance->traits.allow_anonymous = listener.allow_anonymous;
  entrance->proxy_protocol = listener.proxy_protocol;
  entrance->takes_proxied_name = listener.tls.identity != CertificateName::none;
  auto proxies = net::Networks::parse(listener.trusted_proxies, error);
  if (!proxies) return nullptr;
  entrance->trusted_proxies = *proxies;
  if (!read_networks(listener.allow, "listener.allow", entrance->allow, error)) return nullptr;
  if (!read_networks(listener.deny, "listener.deny", entrance->deny, error)) return nullptr;
  const bool any = url.scheme == Scheme::any;
  if (net::is_tls(url.scheme) || (any && has_certificate(listener.tls))) {
    entrance->tls = tls::ServerContext::open(listener.tls, offer_of(url.scheme), error);
    if (!entrance->tls) return nullptr;
  }
  if (any || url.scheme == Scheme::ws || url.scheme == Scheme::wss) {
    web::Rules rules = rules_of(listener, url, limits);
    rules.trusted_proxies = std::move(*proxies);
    entrance->web = std::make_unique<web::Server>(std::move(rules));
  }
  return entrance;
}

FirstChannel first_channel(const Entrance& entrance, int socket, const net::Endpoint& peer) {
  if (entrance.proxy_protocol || entrance.scheme == Scheme::any) {
    return {std::make_unique<Opening>(entrance, peer)};
  }
  FirstChannel first;
  if (entrance.tls) {
    first.channel = entrance.tls->accept(socket);
    first.failed = first.channel == nullptr;
  }
  if (entrance.web && !first.failed) {
    first.channel = entrance.web->accept(std::move(first.channel), peer, {});
  }
  return first;
}

}  // namespace linnet::transport

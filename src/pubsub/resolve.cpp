#include "pubsub/resolve.hpp"

#include <algorithm>
#include <fstream>

#include "base/cat.hpp"
#include "base/random.hpp"
#include "base/utf8.hpp"

namespace linnet::pubsub {

namespace {

using net::Scheme;

constexpr std::size_t kTextMax = 65'535;

/// "%40" becomes "@". Nothing if it is broken.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    if (at + 2 >= text.size() || digit(text[at + 1]) < 0 || digit(text[at + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(digit(text[at + 1]) * 16 + digit(text[at + 2]));
    at += 2;
  }
  return out;
}

/// Takes user, password and topic out of "mqtt://ada:secret@host:1883/a/b"; what is left is a URL
/// that names a broker alone. In ws:// and wss:// the path is the broker's.
bool split_url(Options& options, std::string& error) {
  const std::string url = options.url;
  const auto begin = url.find("://");
  if (begin == std::string::npos) return true;  // unix:, or nothing that has parts
  const std::string scheme = url.substr(0, begin);
  std::string rest = url.substr(begin + 3);
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto at = rest.substr(0, slash).rfind('@');
  if (at != std::string::npos) {
    const std::string_view login = std::string_view(rest).substr(0, at);
    const auto colon = std::min(login.find(':'), login.size());
    const auto user = unescape(login.substr(0, colon));
    const auto password = unescape(login.substr(std::min(colon + 1, login.size())));
    if (!user || !password) {
      error = "the URL's user or password has a % that is none of a character's, like %40";
      return false;
    }
    if (options.user.empty()) options.user = *user;
    if (!options.password && colon < login.size()) options.password = *password;
    rest.erase(0, at + 1);
  }
  const auto path = std::min(rest.find('/'), rest.size());
  if ((scheme == "mqtt" || scheme == "mqtts") && path < rest.size()) {
    if (path + 1 < rest.size()) options.topics.push_back(rest.substr(path + 1));
    rest.resize(path);
  }
  options.url = cat(scheme, "://", rest);
  return true;
}

bool names_tls(const Options& options) {
  return !options.cafile.empty() || !options.capath.empty() || options.os_certs ||
         !options.cert.empty() || !options.psk.empty() || options.insecure ||
         !options.tls_version.empty() || !options.alpn.empty() || !options.ciphers.empty();
}

bool set_url(Options& options, net::Url& url, std::string& error) {
  const bool names_place = !options.host.empty() || options.port || !options.unix_path.empty();
  if (options.url.empty()) {
    if (!options.unix_path.empty()) {
      options.url = cat("unix:", options.unix_path);
    } else {
      const bool tls = names_tls(options) || options.port == 8883U;
      const bool ipv6 = options.host.find(':') != std::string::npos && options.host[0] != '[';
      const std::string host = options.host.empty() ? "localhost" : options.host;
      options.url = cat(options.websocket ? (tls ? "wss" : "ws") : (tls ? "mqtts" : "mqtt"), "://",
                        ipv6 ? cat('[', host, ']') : host,
                        options.port ? cat(':', *options.port) : std::string());
    }
  } else if (names_place || options.websocket) {
    error = "-L says where the broker is; leave -h, -p, --unix and --ws out";
    return false;
  } else if (!split_url(options, error)) {
    return false;
  }
  auto parsed = net::parse_url(options.url);
  if (parsed.has_error()) {
    error = parsed.error().text;
    return false;
  }
  url = std::move(*parsed);
  const Scheme scheme = url.scheme;
  if (scheme != Scheme::mqtt && scheme != Scheme::mqtts && scheme != Scheme::ws &&
      scheme != Scheme::wss && scheme != Scheme::unix_socket) {
    error = cat("'", options.url, "' is not what a client connects to; write mqtt://, mqtts://, ",
                "ws://, wss:// or unix:");
    return false;
  }
  if (url.host.empty() && scheme != Scheme::unix_socket) url.host = "localhost";
  return true;
}

/// Whom the broker's certificate must be signed by, and for whom.
void set_tls(const Options& options, Settings& settings, Check& check) {
  tls::ClientTls& tls = settings.target.tls;
  const bool is_tls = net::is_tls(settings.target.url.scheme);
  check.that(is_tls || !names_tls(options),
             cat("options of TLS are given, and ", settings.target.url.text(),
                 " has none: write mqtts:// or wss://"));
  check.that(options.cafile.empty() || options.capath.empty(),
             "--cafile and --capath exclude each other");
  check.that(options.cert.empty() == options.key.empty(), "--cert and --key need each other");
  check.that(options.psk.empty() == options.psk_identity.empty(),
             "--psk and --psk-identity need each other");
  const bool names_authority = !options.cafile.empty() || !options.capath.empty();
  tls.authorities = options.cafile.empty() ? options.capath : options.cafile;
  tls.host = settings.target.url.host;
  tls.cert_file = options.cert;
  tls.key_file = options.key;
  tls.psk = options.psk;
  tls.psk_identity = options.psk_identity;
  tls.ciphers = options.ciphers;
  tls.alpn = options.alpn;
  // Whoever names an authority wants it to have signed, even if the name does not matter.
  tls.any_name = options.insecure && (names_authority || options.os_certs);
  tls.insecure = options.insecure && !tls.any_name;
  if (options.tls_version == "tlsv1.2" || options.tls_version == "tlsv1.3") {
    tls.version = options.tls_version.substr(4);
  } else {
    check.that(options.tls_version.empty(), "--tls-version is tlsv1.2 or tlsv1.3");
  }
}

}  // namespace

bool set_target(Options& options, Settings& settings, std::string& error) {
  if (!set_url(options, settings.target.url, error)) return false;
  Check check(error);
  set_tls(options, settings, check);
  settings.target.from = options.bind;
  return check.ok();
}

void set_login(const Options& options, Settings& settings, Check& check) {
  client::SessionOptions& session = settings.client.session;
  check.that(!options.password || options.password_file.empty(),
             "-P and --password-file exclude each other");
  if (!options.user.empty()) session.user_name = options.user;
  session.password = options.password;
  if (!options.password_file.empty()) {
    std::ifstream file(options.password_file);
    std::string line;
    check.that(static_cast<bool>(std::getline(file, line)),
               cat("--password-file: ", options.password_file, " cannot be read, or is empty"));
    session.password = line;
  }
  const bool may_stand_alone = session.version == Version::v5;
  check.that(!session.password || session.user_name || may_stand_alone,
             "a password needs a user name before MQTT 5: -u NAME");
  check.that(options.user.size() <= kTextMax && session.password.value_or("").size() <= kTextMax,
             "a user name or a password has at most 65,535 bytes");
  check.that(is_mqtt_utf8(options.user), "-u is not UTF-8");
}

std::string random_name() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
  Random random;
  std::string name = "linnet-";
  for (int at = 0; at < 16; ++at)
    name += kLetters[random.below(kLetters.size())];
  return name;
}

}  // namespace linnet::pubsub

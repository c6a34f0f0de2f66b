#include "cli/listeners.hpp"

#include <optional>

#include "base/cat.hpp"
#include "net/url.hpp"

namespace linnet::cli {
namespace {

std::optional<std::string> error_of(const ListenerConfig& listener) {
  const auto url = net::parse_url(listener.url);
  if (!url) return url.error().text;
  if (url->scheme != net::Scheme::mqtt) {
    const std::string_view slashes = url->scheme == net::Scheme::unix_socket ? ":" : "://";
    return cat(net::name_of(url->scheme), slashes,
               " listeners are not built yet; use mqtt://host:port");
  }
  if (!net::is_loopback(*url) && !listener.allow_anonymous) {
    return cat('"', listener.url, "\" can be reached from other machines, and nothing says who ",
               "may connect; to let anybody in, set allow_anonymous = true or give ",
               "--allow-anonymous");
  }
  return std::nullopt;
}

}  // namespace

std::vector<config::ConfigError> listener_errors(const config::LoadResult& result,
                                                 const std::string& file) {
  std::vector<config::ConfigError> errors;
  const auto& listeners = result.config.listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const bool has_line = i < result.listener_lines.size();
    if (auto text = error_of(listeners[i])) {
      const std::string key = has_line ? "listener.url" : "";
      errors.push_back({file, has_line ? result.listener_lines[i] : 0, key, std::move(*text)});
    }
  }
  return errors;
}

}  // namespace linnet::cli

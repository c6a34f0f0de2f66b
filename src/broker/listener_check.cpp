#include "broker/listener_check.hpp"

#include "base/cat.hpp"
#include "net/url.hpp"

namespace linnet {

std::optional<std::string> listener_error(const ListenerConfig& listener) {
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

}  // namespace linnet

#include "cli/listeners.hpp"

#include <optional>
#include <utility>

#include "base/cat.hpp"
#include "broker/listener_check.hpp"
#include "net/url.hpp"
#include "transport/entrance.hpp"

namespace linnet::cli {
namespace {

std::optional<ListenerFault> find_clash(const Config& config, std::size_t index) {
  const std::string& text = config.listeners[index].url;
  for (std::size_t before = 0; before < index; ++before) {
    const std::string& other = config.listeners[before].url;
    const auto url = net::parse_url(other);
    if (!url || !same_place(*url, *net::parse_url(text))) continue;
    if (text == other) {
      return ListenerFault{"url", cat('"', text, "\" is listened on twice; remove one")};
    }
    return ListenerFault{"url", cat('"', text, "\" listens where \"", other, "\" does; give it ",
                                    "another port, or let one any:// listener serve both")};
  }
  return std::nullopt;
}

/// What only the files tell: certificates, keys and lists.
std::optional<ListenerFault> find_unreadable(const Config& config, const ListenerConfig& listener) {
  std::string error;
  const auto url = net::parse_url(listener.url);
  if (transport::open_entrance(listener, *url, config.limits, error)) return std::nullopt;
  return ListenerFault{"tls", std::move(error)};
}

std::optional<ListenerFault> find_any_fault(const Config& config, std::size_t index) {
  const ListenerConfig& listener = config.listeners[index];
  if (auto found = find_fault(listener, config.tls, config.auth)) return found;
  if (auto found = find_clash(config, index)) return found;
  return find_unreadable(config, listener);
}

}  // namespace

std::vector<config::ConfigError> listener_errors(const config::LoadResult& result,
                                                 const std::string& file) {
  std::vector<config::ConfigError> errors;
  for (std::size_t at = 0; at < result.config.listeners.size(); ++at) {
    auto found = find_any_fault(result.config, at);
    if (!found) continue;
    const bool has_line = at < result.listener_lines.size();
    std::string key = has_line ? "listener." + found->key : found->key;
    if (!has_line && found->key == "url") key.clear();
    errors.push_back(
        {file, has_line ? result.listener_lines[at] : 0, std::move(key), std::move(found->text)});
  }
  return errors;
}

}  // namespace linnet::cli

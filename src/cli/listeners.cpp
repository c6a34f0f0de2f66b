#include "cli/listeners.hpp"

#include <optional>

#include "broker/listener_check.hpp"

namespace linnet::cli {
std::vector<config::ConfigError> listener_errors(const config::LoadResult& result,
                                                 const std::string& file) {
  std::vector<config::ConfigError> errors;
  const auto& listeners = result.config.listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    const bool has_line = i < result.listener_lines.size();
    if (auto text = listener_error(listeners[i])) {
      const std::string key = has_line ? "listener.url" : "";
      errors.push_back({file, has_line ? result.listener_lines[i] : 0, key, std::move(*text)});
    }
  }
  return errors;
}

}  // namespace linnet::cli

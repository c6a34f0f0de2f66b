#include "cli/run_config.hpp"

#include <utility>

#include "cli/listeners.hpp"

namespace linnet::cli {

using config::LoadResult;

LoadResult read_config(const RunOptions& options) {
  LoadResult result;
  if (!options.config_path.empty()) result = config::load(options.config_path);
  if (!options.listen_urls.empty()) {
    result.config.listeners.clear();
    result.listener_lines.clear();
    for (const std::string& url : options.listen_urls)
      config::add_listener(result.config, url);
  }
  std::vector<std::string> settings = options.settings;
  if (options.allow_anonymous) settings.emplace_back("allow_anonymous=true");
  for (const std::string& setting : settings) {
    if (auto error = config::apply_setting(result.config, setting)) {
      result.errors.push_back(std::move(*error));
    }
  }
  if (!options.data_dir.empty()) result.config.data_dir = options.data_dir;
  if (result.ok()) {
    const std::string& file = options.listen_urls.empty() ? options.config_path : "--listen";
    result.errors = listener_errors(result, file);
  }
  return result;
}

}  // namespace linnet::cli

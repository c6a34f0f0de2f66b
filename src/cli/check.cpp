#include <vector>

#include "cli/listeners.hpp"
#include "cli/options.hpp"
#include "config/document.hpp"
#include "config/load.hpp"

namespace linnet::cli {

int check(const CheckOptions& options) {
  if (options.print_keys_markdown) {
    std::string text = config::keys_markdown();
    text.pop_back();
    print_line(text);
    return kOk;
  }
  config::LoadResult result = config::load(options.config_path);
  if (result.ok()) result.errors = listener_errors(result, options.config_path);
  for (const config::ConfigError& error : result.errors)
    print_error(to_string(error));
  if (!result.ok()) return kWrongUsage;
  print_line(options.config_path + ": ok");
  return kOk;
}

}  // namespace linnet::cli

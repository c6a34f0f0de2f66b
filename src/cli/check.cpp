#include <string>
#include <vector>

#include "auth/policy.hpp"
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
  const bool read = result.ok();
  if (read) result.errors = listener_errors(result, options.config_path);
  for (const config::ConfigError& error : result.errors)
    print_error(to_string(error));
  // The files of [auth] are looked at even if a listener is wrong, to show everything at once.
  std::vector<std::string> faults;
  if (read) (void)auth::Policy::load(result.config.auth, faults);
  for (const std::string& fault : faults)
    print_error(fault);
  if (!result.ok() || !faults.empty()) return kWrongUsage;
  print_line(options.config_path + ": ok");
  return kOk;
}

}  // namespace linnet::cli

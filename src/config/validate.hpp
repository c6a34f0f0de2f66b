// What must hold between the keys of a configuration. What one key alone may be is checked when it
// is set; whether a listener's URL can be served is the broker's matter.
#pragma once

#include <string>
#include <vector>

#include <linnet/config.hpp>

namespace linnet::config {

struct ConfigConflict {
  std::string key;        // the list's key, as "share.group"
  std::size_t index = 0;  // which element of its list
  std::string text;
};

/// Empty if all is well. Pure, any thread.
[[nodiscard]] std::vector<ConfigConflict> validate(const Config& config);

}  // namespace linnet::config

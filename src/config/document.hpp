// The table of keys as Markdown, for docs/configuration.md.
#pragma once

#include <string>

namespace linnet::config {

/// One heading and one table per section.
[[nodiscard]] std::string keys_markdown();

}  // namespace linnet::config

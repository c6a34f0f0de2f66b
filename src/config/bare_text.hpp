// Looks over a TOML text before it is parsed: whether anything that is not ASCII stands outside of
// quotes and comments, where TOML allows none. toml++ 3.3 has no defined answer to that.
#pragma once

#include <string_view>

namespace linnet::config {

/// The line, from 1, of the first such character; 0 if there is none. Text that is not TOML at all
/// may get either answer. Pure, any thread.
[[nodiscard]] int line_of_bare_non_ascii(std::string_view text) noexcept;

}  // namespace linnet::config

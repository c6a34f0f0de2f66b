// A wall clock's time as people and programs read it. Pure; any thread.
#pragma once

#include <ctime>
#include <string>

namespace linnet {

/// "2026-01-01T00:00:00Z" (RFC 3339); empty for a time beyond what a year can hold.
[[nodiscard]] std::string utc_text(std::time_t time);

}  // namespace linnet

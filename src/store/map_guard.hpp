// The maps that MapGuard watches over. Any thread.
#pragma once

#include <cstddef>

namespace linnet::store {

/// Names a watched map; 0: none.
using WatchedMap = std::size_t;

/// From now on a MapGuard helps in this map. 0 if more than a dozen are open: that one is then
/// not watched.
[[nodiscard]] WatchedMap watch_map(const void* begin, std::size_t bytes, std::size_t page_bytes);
/// For a map of which it is not known yet where it is: every address.
[[nodiscard]] WatchedMap watch_everything(std::size_t page_bytes);
/// Before the map is closed.
void unwatch_map(WatchedMap map) noexcept;
[[nodiscard]] bool has_hole(WatchedMap map) noexcept;

}  // namespace linnet::store

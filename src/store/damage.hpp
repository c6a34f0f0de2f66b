// What is found damaged is passed over, counted, and told in the log. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "store/environment.hpp"

namespace linnet::store {

/// Counts a damaged record in `damaged`; the first of each 1,000 goes to the log.
void note_damage(std::atomic<std::uint64_t>& damaged, Table table, std::string_view key);

}  // namespace linnet::store

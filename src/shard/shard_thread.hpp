// A shard's thread: the loop that turns bytes, time and letters into turns.
#pragma once

#include <atomic>

#include "shard/shard.hpp"

namespace linnet::shard {

/// Runs the shard on the calling thread until it has stopped in order, or until `abort` is set
/// (wake the shard's reactor afterwards).
void run(Shard& shard, const std::atomic<bool>& abort);

}  // namespace linnet::shard

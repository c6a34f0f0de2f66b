// The hash that decides where a client lives. Its values are the same on every machine and in every
// version and may never change: shards, stored keys and other nodes rely on them. Any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace linnet {

/// Well distributed. Who knows the seed can find collisions: a table over names that clients choose
/// gives a random `seed`. What is stored or agreed upon uses the seed 0.
[[nodiscard]] std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0) noexcept;

/// The shard that a client identifier belongs to: 0 to `shards` - 1; `shards` is at least 1.
[[nodiscard]] std::uint32_t home_of(std::string_view client_id, std::uint32_t shards) noexcept;

}  // namespace linnet

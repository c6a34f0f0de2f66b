// Sets one key to one value, after checking its type and range; and what to say about a key that
// there is none of. Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/keys.hpp"
#include "config/value.hpp"
#include <linnet/config.hpp>

namespace linnet::config {

/// Nothing, or what is wrong with the value and what is allowed; then the config is as it was.
[[nodiscard]] std::optional<std::string> assign(Config& config, const Key& key, const Value& value);

/// What was written without TOML's quotes, as the value that the key would take.
[[nodiscard]] Value value_of(const Key& key, std::string_view text);

/// "unknown key", with the nearest known one if it is near.
[[nodiscard]] std::string unknown_key_text(std::string_view name);

/// Insertions, deletions, replacements and swaps of neighbours between two names.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace linnet::config

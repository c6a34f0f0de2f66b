// The values of a configuration as they are written, before a key gives them a meaning: sizes
// ("64KiB"), durations ("10s") and the plain TOML types. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace linnet::config {

/// A type that no key takes (a date, a float, a mixed array); `name` is what it is called in an
/// error.
struct OtherValue {
  std::string_view name;
};

using Texts = std::vector<std::string>;
using Value = std::variant<bool, std::int64_t, std::string, Texts, OtherValue>;

/// The value as an error shows it: `"1MiB"`, `true`, `["a", "b"]`, `a date`.
[[nodiscard]] std::string shown(const Value& value);

/// Bytes: digits, and then nothing, B, KiB, MiB, GiB or TiB. Nothing if it is not that or too big.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

/// Milliseconds: digits, and then ms, s, m, h or d. Nothing if it is not that or too big.
[[nodiscard]] std::optional<std::uint64_t> parse_duration_ms(std::string_view text) noexcept;

/// In the largest unit that loses nothing: "1MiB", "1500B".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// In the largest unit that loses nothing: "30d", "1500ms", "0s".
[[nodiscard]] std::string duration_text(std::uint64_t duration_ms);

}  // namespace linnet::config

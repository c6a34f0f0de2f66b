// Filters and topics of a fleet, as many as one likes, of as many levels as one likes. With four
// levels the topic number 12,345 is fleet/g12/d345/state: 1,000 devices in each group, so that the
// trie is as wide as those of real fleets. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linnet::bench {

enum class FilterKind : std::uint8_t {
  exact,    // fleet/g12/d345/state
  plus,     // fleet/g12/d345/+
  leading,  // +/g12/d345/state
  hash,     // fleet/g12/d345/#
  mixed,    // a third each: exact, plus and hash
  all,      // every combination of + and a level: all of them match one topic
};

/// False if there is no such kind.
[[nodiscard]] bool parse(std::string_view name, FilterKind& kind) noexcept;

/// Different numbers have different topics; `levels` is at least 1.
[[nodiscard]] std::string fleet_topic(std::uint32_t number, std::uint32_t levels);
/// A filter that matches the topic of the same number and no other one; with `all`, the first
/// 2^levels of them match the same topic. Kinds with wildcards need at least 4 levels, but `all`.
[[nodiscard]] std::string fleet_filter(FilterKind kind, std::uint32_t number, std::uint32_t levels);

}  // namespace linnet::bench

// What has changed lately among the subscriptions with wildcards. A route that was right at some
// time asks here whether any filter that has come or gone since then matches its topic.
//
// Private to this room.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace linnet::router {

/// How many leading levels are compared by hash before a filter is compared level by level.
inline constexpr std::size_t kPrefixLevels = 3;

/// The hashes of the first one, two, three levels of a topic, at the index of their count; 0 at
/// index 0 and where there are fewer levels.
using PrefixHashes = std::array<std::uint32_t, kPrefixLevels + 1>;

[[nodiscard]] PrefixHashes prefix_hashes(std::string_view topic) noexcept;

class ChangeLog {
 public:
  /// How many changes there were: the time by which routes are stamped.
  [[nodiscard]] std::uint64_t now() const noexcept { return now_; }

  /// A subscription or an interest with this filter, which has a wildcard, has come, changed or
  /// gone.
  void add(std::string_view filter);

  /// False if no change since `since` can concern the topic. True if one does, or if there were so
  /// many that finding out costs more than a new route.
  [[nodiscard]] bool concerns(std::string_view topic, const PrefixHashes& prefixes,
                              std::uint64_t since) const noexcept;

 private:
  static constexpr std::size_t kChangesMax = 256;
  static constexpr std::size_t kComparisonsMax = 16;

  struct Prefix {
    std::uint32_t hash = 0;  // of the literal levels in front of the first wildcard
    std::uint32_t levels = 0;
  };
  [[nodiscard]] static Prefix literal_prefix(std::string_view filter) noexcept;

  std::uint64_t now_ = 0;
  std::array<Prefix, kChangesMax> prefixes_;  // apart from the filters: the scan reads only these
  std::array<std::string, kChangesMax> filters_;
};

}  // namespace linnet::router

#include "matching_filters.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace linnet::bench {

namespace {

constexpr std::uint32_t kPerGroup = 1000;

std::string join(std::string_view first, std::uint32_t number, std::string_view last,
                 std::uint32_t levels) {
  const std::string group = 'g' + std::to_string(number / kPerGroup);
  const std::string device = 'd' + std::to_string(number % kPerGroup);
  if (levels == 1) return group + device;
  if (levels == 2) return group + '/' + device;
  std::string text = std::string(first) + '/' + group + '/' + device;
  for (std::uint32_t level = 4; level < levels; ++level)
    text += "/l" + std::to_string(level);
  return levels == 3 ? text : text + '/' + std::string(last);
}

/// The bits of the number say where a + stands.
std::string combination(std::uint32_t number, std::uint32_t levels) {
  std::string text;
  for (std::uint32_t level = 0; level < levels; ++level) {
    if (level > 0) text += '/';
    text += (number >> level & 1U) != 0 ? "+" : "l" + std::to_string(level);
  }
  return text;
}

}  // namespace

bool parse(std::string_view name, FilterKind& kind) noexcept {
  static constexpr std::array<std::pair<std::string_view, FilterKind>, 6> kNames = {{
      {"exact", FilterKind::exact},
      {"plus", FilterKind::plus},
      {"leading", FilterKind::leading},
      {"hash", FilterKind::hash},
      {"mixed", FilterKind::mixed},
      {"all", FilterKind::all},
  }};
  const auto* const found = std::find_if(kNames.begin(), kNames.end(),
                                         [name](const auto& one) { return one.first == name; });
  if (found == kNames.end()) return false;
  kind = found->second;
  return true;
}

std::string fleet_topic(std::uint32_t number, std::uint32_t levels) {
  return join("fleet", number, "state", levels);
}

std::string fleet_filter(FilterKind kind, std::uint32_t number, std::uint32_t levels) {
  switch (kind) {
    case FilterKind::exact: return fleet_topic(number, levels);
    case FilterKind::plus: return join("fleet", number, "+", levels);
    case FilterKind::leading: return join("+", number, "state", levels);
    case FilterKind::hash: return join("fleet", number, "#", levels);
    case FilterKind::all: return combination(number, levels);
    case FilterKind::mixed: break;
  }
  constexpr std::array kKinds = {FilterKind::exact, FilterKind::plus, FilterKind::hash};
  return fleet_filter(kKinds[number % kKinds.size()], number, levels);
}

}  // namespace linnet::bench

#include "config/value.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace linnet::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> kSizeUnits{{{"B", 1},
                                          {"KiB", 1024},
                                          {"MiB", 1024ULL * 1024},
                                          {"GiB", 1024ULL * 1024 * 1024},
                                          {"TiB", 1024ULL * 1024 * 1024 * 1024}}};

constexpr std::array<Unit, 5> kDurationUnits{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};

std::optional<std::uint64_t> parse(std::string_view text, std::span<const Unit> units,
                                   std::uint64_t bare_factor) noexcept {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  std::uint64_t factor = name.empty() ? bare_factor : 0;
  for (const Unit& unit : units) {
    if (name == unit.name) factor = unit.factor;
  }
  if (factor == 0 || number > std::numeric_limits<std::uint64_t>::max() / factor) {
    return std::nullopt;
  }
  return number * factor;
}

std::string written(std::uint64_t number, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units) {
    if (number % unit.factor == 0) best = &unit;
  }
  return std::to_string(number / best->factor) + std::string(best->name);
}

}  // namespace

std::string shown(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return '"' + *text + '"';
  if (const auto* texts = std::get_if<Texts>(&value)) {
    std::string list;
    for (const std::string& text : *texts)
      list += (list.empty() ? "\"" : ", \"") + text + '"';
    return '[' + list + ']';
  }
  return std::string(std::get<OtherValue>(value).name);
}

std::optional<std::uint64_t> parse_size(std::string_view text) noexcept {
  return parse(text, kSizeUnits, 1);
}

std::optional<std::uint64_t> parse_duration_ms(std::string_view text) noexcept {
  return parse(text, kDurationUnits, 0);
}

std::string size_text(std::uint64_t bytes) {
  return bytes == 0 ? "0B" : written(bytes, kSizeUnits);
}

std::string duration_text(std::uint64_t duration_ms) {
  return duration_ms == 0 ? "0s" : written(duration_ms, kDurationUnits);
}

}  // namespace linnet::config

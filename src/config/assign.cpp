#include "config/assign.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "base/assert.hpp"

namespace linnet::config {
namespace {

std::string_view expected_text(KeyType type) {
  switch (type) {
    case KeyType::boolean: return "true or false";
    case KeyType::integer: return "a whole number";
    case KeyType::size: return "a size like \"64KiB\" or a number of bytes";
    case KeyType::duration:
    case KeyType::seconds: return "a duration like \"500ms\", \"10s\", \"5m\", \"1h\" or \"30d\"";
    case KeyType::choice: return "one of its words";
    case KeyType::text: return "a text in quotes";
    case KeyType::texts: return "a text in quotes, or a list of them";
  }
  LINNET_ASSERT(false);
}

std::string wrong_type_text(const Key& key, const Value& value) {
  return shown(value) + " is not " + std::string(expected_text(key.type)) +
         "; allowed: " + allowed_text(key);
}

std::optional<std::uint64_t> choice_index(const Key& key, const std::string& text) {
  const auto found = std::ranges::find(key.choices, text);
  if (found == key.choices.end()) return std::nullopt;
  return static_cast<std::uint64_t>(found - key.choices.begin());
}

std::optional<std::uint64_t> number_from_text(const Key& key, const std::string& text) {
  if (text == "never" && key.may_be_never()) return key.never;
  switch (key.type) {
    case KeyType::size: return parse_size(text);
    case KeyType::duration: return parse_duration_ms(text);
    case KeyType::seconds: {
      const auto duration_ms = parse_duration_ms(text);
      if (!duration_ms || *duration_ms % 1000 != 0) return std::nullopt;
      return *duration_ms / 1000;
    }
    case KeyType::choice: return choice_index(key, text);
    case KeyType::boolean:
    case KeyType::integer:
    case KeyType::text:
    case KeyType::texts: return std::nullopt;
  }
  LINNET_ASSERT(false);
}

/// A plain number is right for counts and bytes. A duration must say its unit, unless it is 0.
std::optional<std::uint64_t> number_from_integer(const Key& key, std::int64_t number) {
  const bool counts = key.type == KeyType::integer || key.type == KeyType::size;
  const bool zero_time =
      number == 0 && (key.type == KeyType::duration || key.type == KeyType::seconds);
  if (!counts && !zero_time) return std::nullopt;
  // A negative number becomes one that is out of every range.
  return static_cast<std::uint64_t>(number);
}

std::optional<std::uint64_t> number_from(const Key& key, const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    if (key.type != KeyType::boolean) return std::nullopt;
    return *flag ? 1U : 0U;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return number_from_integer(key, *integer);
  }
  if (const auto* text = std::get_if<std::string>(&value)) return number_from_text(key, *text);
  return std::nullopt;
}

bool ranged(KeyType type) {
  return type != KeyType::boolean && type != KeyType::choice;
}

constexpr const char* kHoldsNul = "a text must not contain a NUL";

bool holds_nul(const std::string& text) {
  return text.find('\0') != std::string::npos;
}

std::optional<std::string> assign_text(Config& config, const Key& key, const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return wrong_type_text(key, value);
  if (holds_nul(*text)) return kHoldsNul;
  key.field.set_text(config, *text);
  return std::nullopt;
}

std::optional<std::string> assign_texts(Config& config, const Key& key, const Value& value) {
  Texts texts;
  if (const auto* list = std::get_if<Texts>(&value)) {
    texts = *list;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    if (!text->empty()) texts.push_back(*text);
  } else {
    return wrong_type_text(key, value);
  }
  if (std::ranges::any_of(texts, holds_nul)) return kHoldsNul;
  if (std::ranges::any_of(texts, &std::string::empty)) return "one of the texts is empty";
  key.field.set_texts(config, std::move(texts));
  return std::nullopt;
}

/// "a,b" is two texts: a list has no other form without TOML's brackets.
Texts split_texts(std::string_view text) {
  Texts texts;
  for (std::size_t end = 0; !text.empty(); text.remove_prefix(end)) {
    const auto comma = text.find(',');
    texts.emplace_back(text.substr(0, comma));
    end = std::min(comma, text.size() - 1) + 1;
    if (comma == text.size() - 1) texts.emplace_back();
  }
  return texts;
}

}  // namespace

std::optional<std::string> assign(Config& config, const Key& key, const Value& value) {
  if (key.type == KeyType::text) return assign_text(config, key, value);
  if (key.type == KeyType::texts) return assign_texts(config, key, value);
  const auto number = number_from(key, value);
  if (!number) return wrong_type_text(key, value);
  const bool never = key.may_be_never() && *number == key.never;
  const bool in_range = never || (*number >= key.min && *number <= key.max);
  if (ranged(key.type) && !in_range) {
    return shown(value) + " is out of range; allowed: " + allowed_text(key);
  }
  key.field.set_number(config, *number);
  return std::nullopt;
}

Value value_of(const Key& key, std::string_view text) {
  if (key.type == KeyType::boolean) {
    if (text == "true") return true;
    if (text == "false") return false;
  }
  if (key.type == KeyType::texts) return split_texts(text);
  if (key.type != KeyType::text) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc{} && rest == end) return number;
  }
  return std::string(text);
}

std::string unknown_key_text(std::string_view name) {
  const auto dot = name.rfind('.');
  const auto section = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  const auto short_name = name.substr(dot + 1);
  const std::string inner = section.empty() ? "" : std::string(section) + '.';
  const Key* best = nullptr;
  // A third of the name may be wrong; beyond that a guess would only mislead.
  std::size_t best_distance = short_name.size() / 3 + 1;
  for (const Key& key : all_keys()) {
    // A key of the same section, or of one within it, wins over an equally near one elsewhere.
    std::size_t penalty = key.section() == section ? 0 : 1;
    if (penalty != 0 && !key.name.starts_with(inner)) penalty = 2;
    const std::size_t distance = edit_distance(key.short_name(), short_name) + penalty;
    if (distance < best_distance || (distance == best_distance && best == nullptr)) {
      best_distance = distance;
      best = &key;
    }
  }
  if (best == nullptr) return "unknown key";
  const bool inside = best->name.starts_with(inner);
  const auto suggestion = inside ? best->name.substr(inner.size()) : best->name;
  return "unknown key; did you mean " + std::string(suggestion) + "?";
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the usual matrix: two above the current one, for swaps.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace linnet::config

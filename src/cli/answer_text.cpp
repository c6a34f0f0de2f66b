#include "cli/answer_text.hpp"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet::cli {

namespace json = boost::json;

namespace {

const json::value* find(const json::object& object, std::string_view key) {
  return object.if_contains(json::string_view(key.data(), key.size()));
}

bool is_first_byte(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

}  // namespace

std::uint64_t number_in(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr) return 0;
  boost::system::error_code code;
  const auto number = value->to_number<std::uint64_t>(code);
  return code ? 0 : number;
}

std::string text_in(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  if (value == nullptr || !value->is_string()) return {};
  return log::escaped_text({value->as_string().data(), value->as_string().size()});
}

bool flag_in(const json::object& object, std::string_view key) {
  const json::value* value = find(object, key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

const json::object& object_in(const json::object& object, std::string_view key) {
  static const json::object kNone;
  const json::value* value = find(object, key);
  return value != nullptr && value->is_object() ? value->as_object() : kNone;
}

const json::array& array_in(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const json::value* value = find(object, key);
  return value != nullptr && value->is_array() ? value->as_array() : kNone;
}

std::string json_text(const json::object& object) {
  const std::string text(json::serialize(object));
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = [&](std::size_t next) {
      return at + next < text.size() ? static_cast<unsigned char>(text[at + next]) : 0U;
    };
    // DEL, the controls of Latin 1, and marks that turn the direction of reading or end a line.
    const bool control = byte(0) == 0xC2 && byte(1) < 0xA0;
    const bool mark =
        byte(0) == 0xE2 && ((byte(1) == 0x80 && (byte(2) == 0x8E || byte(2) == 0x8F ||
                                                 (byte(2) >= 0xA8 && byte(2) <= 0xAE))) ||
                            (byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9));
    if (byte(0) == 0x7F || control || mark) {
      const unsigned code = byte(0) == 0x7F ? 0x7F
                            : control       ? byte(1)
                                            : 0x2000 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
      safe += "\\u";
      for (unsigned shift = 16; shift > 0; shift -= 4)
        safe += "0123456789abcdef"[(code >> (shift - 4)) & 0xF];
      at += control ? std::size_t{1} : mark ? std::size_t{2} : std::size_t{0};
      continue;
    }
    safe += text[at];
  }
  return safe;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return cat(bytes, " B");
  std::size_t unit = 0;
  std::uint64_t tenths = bytes * 10 / 1024;
  for (; tenths >= 10'240 && unit + 1 < kUnits.size(); ++unit)
    tenths /= 1024;
  return cat(tenths / 10, '.', tenths % 10, ' ', kUnits[unit]);
}

std::string span_text(std::uint64_t seconds) {
  if (seconds < 60) return cat(seconds, " s");
  const std::uint64_t minutes = seconds / 60;
  if (minutes < 60) return cat(minutes, " min ", seconds % 60, " s");
  const std::uint64_t hours = minutes / 60;
  if (hours < 24) return cat(hours, " h ", minutes % 60, " min");
  return cat(hours / 24, " d ", hours % 24, " h");
}

std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_first_byte));
}

std::string cut_to(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  if (width <= 2) return std::string(width, '.');
  std::size_t end = 0;
  for (std::size_t left = width - 2; end < text.size(); ++end) {
    if (is_first_byte(text[end]) && left-- == 0) break;
  }
  return cat(text.substr(0, end), "..");
}

std::vector<std::string> columns(const std::vector<std::vector<std::string>>& rows) {
  const auto is_right = [&](std::size_t at) {
    return rows.front().size() > at && rows.front()[at].starts_with('>');
  };
  const auto text_at = [&](const std::vector<std::string>& row, std::size_t at) {
    std::string_view text = row[at];
    if (&row == &rows.front() && is_right(at)) text.remove_prefix(1);
    return text;
  };
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t at = 0; at < row.size(); ++at)
      widths[at] = std::max(widths[at], width_of(text_at(row, at)));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t at = 0; at < row.size(); ++at) {
      const std::string_view text = text_at(row, at);
      const std::string space(widths[at] - width_of(text), ' ');
      line += is_right(at) ? cat(space, text, "  ") : cat(text, space, "  ");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace linnet::cli

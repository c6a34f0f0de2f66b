#include "config/bare_text.hpp"

#include <algorithm>

namespace linnet::config {
namespace {

/// How much of the text a quoted string or a comment at its begin takes; 0 if there is neither, or
/// the string does not end.
std::size_t covered(std::string_view text) noexcept {
  if (text.front() == '#') return std::min(text.find('\n'), text.size());
  const char quote = text.front();
  if (quote != '"' && quote != '\'') return 0;
  const bool multiline = text.size() >= 3 && text[1] == quote && text[2] == quote;
  const std::size_t width = multiline ? 3 : 1;
  for (std::size_t i = width; i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (text[i] == '\n' && !multiline) {
      return 0;
    } else if (text[i] == quote) {
      const std::size_t run = text.find_first_not_of(quote, i);
      const std::size_t count = (run == std::string_view::npos ? text.size() : run) - i;
      // Up to two quotes may stand inside of three, also right before them.
      if (!multiline) return i + 1;
      if (count >= width) return i + std::min<std::size_t>(count, 5);
      i += count - 1;
    }
  }
  return 0;
}

}  // namespace

int line_of_bare_non_ascii(std::string_view text) noexcept {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  // What a string may begin behind; elsewhere a quote opens nothing.
  constexpr std::string_view kOpeners = " \t\r\n=,.[{";
  int line = 1;
  char previous = '\n';
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text.front());
    if (first >= 0x80) return line;
    const bool opens = first == '#' || kOpeners.find(previous) != std::string_view::npos;
    const std::size_t size = opens ? std::max<std::size_t>(1, covered(text)) : 1;
    const std::string_view step = text.substr(0, size);
    previous = step.back();
    line += static_cast<int>(std::ranges::count(step, '\n'));
    text.remove_prefix(step.size());
  }
  return 0;
}

}  // namespace linnet::config

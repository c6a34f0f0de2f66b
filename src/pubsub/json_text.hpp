// JSON as text: what is one, how it is printed for people, and strings of our own. Numbers stay as
// they were written, and members in their order. Pure.
#pragma once

#include <string>
#include <string_view>

#include "pubsub/terminal.hpp"

namespace linnet::pubsub {

/// One whole value, nested at most 32 deep.
[[nodiscard]] bool is_json(std::string_view text);

/// A value over several lines with two spaces for each level; small arrays and objects that hold no
/// others stay on one. `text` is JSON (is_json()). What a terminal might obey is escaped.
void append_pretty(std::string& out, std::string_view text, const Palette& palette);

/// The same without any space between its parts, so that it has no ends of lines.
void append_minified(std::string& out, std::string_view text);

/// In quotes, with what JSON must escape; each byte that is not UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

}  // namespace linnet::pubsub

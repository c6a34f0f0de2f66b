// Members of an answer, and how people read them: what came from clients is printed harmless.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace linnet::cli {

/// 0 if there is none.
[[nodiscard]] std::uint64_t number_in(const boost::json::object& object, std::string_view key);
/// Empty if there is none; without what could drive a terminal.
[[nodiscard]] std::string text_in(const boost::json::object& object, std::string_view key);
[[nodiscard]] bool flag_in(const boost::json::object& object, std::string_view key);
/// Empty ones if there are none.
[[nodiscard]] const boost::json::object& object_in(const boost::json::object& object,
                                                   std::string_view key);
[[nodiscard]] const boost::json::array& array_in(const boost::json::object& object,
                                                 std::string_view key);

/// One line of JSON, without anything that could drive a terminal.
[[nodiscard]] std::string json_text(const boost::json::object& object);

/// "12 B", "3.4 KiB"
[[nodiscard]] std::string size_text(std::uint64_t bytes);
/// "3 h 20 min", in the two units that matter.
[[nodiscard]] std::string span_text(std::uint64_t seconds);

/// Lines with columns as wide as their widest text; the first row is the heading. Columns whose
/// heading begins with '>' are set flush right.
[[nodiscard]] std::vector<std::string> columns(const std::vector<std::vector<std::string>>& rows);

/// How many places a text takes on a terminal: its characters, as far as that is the same.
[[nodiscard]] std::size_t width_of(std::string_view text) noexcept;
/// The beginning of a text, with ".." where something is left out.
[[nodiscard]] std::string cut_to(std::string_view text, std::size_t width);

}  // namespace linnet::cli

// The log: lines on standard error, as text or as JSON, one line per call whatever the text holds.
// The process has one; it works before init() with level info and text. Any thread.
//
//   log::info("broker", cat("listening on ", url));
//
// What came from a client may stand in the text as it is: control characters and bytes that are not
// UTF-8 are written as \n, \t, \xNN and the like, so that no client can forge a line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace linnet::log {

enum class Level : std::uint8_t { trace, debug, info, warn, error, off };
enum class Format : std::uint8_t {
  text,  // 2026-03-01T12:00:00.123+01:00 info    net: listening ...
  json,  // {"time":"...","level":"info","room":"net","text":"listening ..."}
};

/// Looks where standard error goes. On a terminal, the level has a colour (unless NO_COLOR is set)
/// and the texts stand below each other. To systemd's journal, which has a time of its own, each
/// line begins with its priority: <6>net: listening ...
void init(Level level, Format format);
/// Of all rooms that have none of their own.
void set_level(Level level) noexcept;
[[nodiscard]] Level level() noexcept;
/// For call sites that would build a costly text: whether some room logs it.
[[nodiscard]] bool enabled(Level level) noexcept;
[[nodiscard]] bool enabled(Level level, std::string_view room) noexcept;

/// The rooms that can have a level of their own.
[[nodiscard]] std::span<const std::string_view> rooms() noexcept;
[[nodiscard]] bool is_room(std::string_view room) noexcept;
/// Nothing: as all others.
void set_room_level(std::string_view room, std::optional<Level> level) noexcept;
[[nodiscard]] std::optional<Level> room_level(std::string_view room) noexcept;

/// `room` says which part speaks: a literal.
void write(Level level, std::string_view room, std::string_view text);

inline void debug(std::string_view room, std::string_view text) {
  write(Level::debug, room, text);
}
inline void info(std::string_view room, std::string_view text) {
  write(Level::info, room, text);
}
inline void warn(std::string_view room, std::string_view text) {
  write(Level::warn, room, text);
}
inline void error(std::string_view room, std::string_view text) {
  write(Level::error, room, text);
}

/// The text as a log line shows it.
[[nodiscard]] std::string escaped_text(std::string_view text);
/// The inside of a JSON string; always valid UTF-8 and valid JSON (RFC 8259, section 7). Bytes that
/// are not UTF-8 appear as \\xNN, so that nothing is lost.
[[nodiscard]] std::string escaped_json(std::string_view text);

}  // namespace linnet::log

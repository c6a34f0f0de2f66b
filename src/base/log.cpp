#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet::log {

namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%e%z %^%-7l%$ %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})";
// The journal notes the time, and the level as a priority.
constexpr const char* kJournalPattern = "%v";

constexpr std::array<std::string_view, 12> kRooms{"auth",   "broker", "cli",    "control",
                                                  "memory", "net",    "reload", "session",
                                                  "shard",  "store",  "tls",    "transport"};
constexpr Level kAsAll{255};
constexpr std::size_t kRoomColumn = 11;  // "transport: "

enum class Target : std::uint8_t { other, terminal, journal };

/// The one logger of the process: a log is shared by nature.
struct Log {
  Log() : sink(std::make_shared<spdlog::sinks::stderr_color_sink_mt>()), logger("linnet", sink) {
    sink->set_pattern(kTextPattern);
    logger.set_level(spdlog::level::trace);
    for (auto& one : room_levels)
      one.store(kAsAll, std::memory_order_relaxed);
  }

  std::shared_ptr<spdlog::sinks::stderr_color_sink_mt> sink;
  spdlog::logger logger;
  std::atomic<Level> level{Level::info};
  std::array<std::atomic<Level>, kRooms.size()> room_levels{};
  std::atomic<Level> lowest{Level::info};  // of all of them
  std::atomic<Format> format{Format::text};
  std::atomic<Target> target{Target::other};
};

Log& the_log() {
  // Never destroyed: other threads and other destructors may log until the very end.
  static Log& log = *new Log;
  return log;
}

spdlog::level::level_enum to_spdlog(Level level) noexcept {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: break;
  }
  return spdlog::level::off;
}

/// The journal's, which are those of syslog.
std::string_view priority_of(Level level) noexcept {
  switch (level) {
    case Level::trace:
    case Level::debug: return "<7>";
    case Level::info: return "<6>";
    case Level::warn: return "<4>";
    case Level::error:
    case Level::off: break;
  }
  return "<3>";
}

/// systemd names the journal's socket by device and inode, since a program may have been given
/// another standard error.
Target target_of_stderr() noexcept {
  if (isatty(STDERR_FILENO) == 1) return Target::terminal;
  const char* journal = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (journal == nullptr || fstat(STDERR_FILENO, &file) != 0) return Target::other;
  return cat(file.st_dev, ':', file.st_ino) == journal ? Target::journal : Target::other;
}

std::size_t index_of(std::string_view room) noexcept {
  return static_cast<std::size_t>(std::find(kRooms.begin(), kRooms.end(), room) - kRooms.begin());
}

void find_lowest() noexcept {
  Log& log = the_log();
  Level lowest = log.level.load(std::memory_order_relaxed);
  for (const auto& one : log.room_levels) {
    lowest = std::min(lowest, one.load(std::memory_order_relaxed));  // kAsAll is above all
  }
  log.lowest.store(lowest, std::memory_order_relaxed);
}

std::uint32_t byte_at(std::string_view text, std::size_t index) noexcept {
  return static_cast<unsigned char>(text[index]);
}

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;  // 0: not UTF-8
};

/// The first character of a text that is not empty.
Character first_character(std::string_view text) noexcept {
  const std::uint32_t lead = byte_at(text, 0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  std::uint32_t code = lead & (0x7FU >> size);
  for (std::size_t at = 1; at < size; ++at) {
    if ((byte_at(text, at) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte_at(text, at) & 0x3F);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < kSmallest[size] || code > 0x10FFFF || surrogate) return {};
  return {code, size};
}

/// What would start a new line, drive a terminal or turn the direction of reading.
bool is_harmful(std::uint32_t code) noexcept {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200E && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

void append_hex(std::string& text, std::uint32_t value, unsigned digits) {
  for (unsigned at = digits; at > 0; --at) {
    text += "0123456789abcdef"[(value >> (4 * (at - 1))) & 0xF];
  }
}

void append_text(std::string& text, std::uint32_t code) {
  switch (code) {
    case '\n': text += "\\n"; return;
    case '\r': text += "\\r"; return;
    case '\t': text += "\\t"; return;
    default: break;
  }
  text += code < 0x80 ? "\\x" : "\\u";
  append_hex(text, code, code < 0x80 ? 2 : 4);
}

/// Copies what is harmless; `escape(text, code)` writes the rest, `raw` stands before a lone byte.
template <class IsHarmless, class Escape>
std::string escape(std::string_view text, std::string_view raw, IsHarmless harmless, Escape write) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.size == 0) {
      escaped += raw;
      append_hex(escaped, byte_at(text, 0), 2);
      text.remove_prefix(1);
      continue;
    }
    if (harmless(character.code)) {
      escaped += text.substr(0, character.size);
    } else {
      write(escaped, character.code);
    }
    text.remove_prefix(character.size);
  }
  return escaped;
}

}  // namespace

std::string escaped_text(std::string_view text) {
  return escape(
      text, "\\x", [](std::uint32_t code) { return !is_harmful(code); }, append_text);
}

std::string escaped_json(std::string_view text) {
  const auto harmless = [](std::uint32_t code) {
    return !is_harmful(code) && code != '"' && code != '\\';
  };
  const auto write = [](std::string& target, std::uint32_t code) {
    if (code == '"' || code == '\\') {
      target += '\\';
      target += static_cast<char>(code);
      return;
    }
    target += "\\u";
    append_hex(target, code, 4);
  };
  return escape(text, "\\\\x", harmless, write);
}

void init(Level level, Format format) {
  Log& log = the_log();
  const Target target = target_of_stderr();
  log.format.store(format);
  log.target.store(target);
  const bool is_json = format == Format::json;
  log.sink->set_pattern(target == Target::journal ? kJournalPattern
                        : is_json                 ? kJsonPattern
                                                  : kTextPattern);
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') {
    log.sink->set_color_mode(spdlog::color_mode::never);
  }
  set_level(level);
}

void set_level(Level level) noexcept {
  the_log().level.store(level, std::memory_order_relaxed);
  find_lowest();
}

Level level() noexcept {
  return the_log().level.load(std::memory_order_relaxed);
}

std::span<const std::string_view> rooms() noexcept {
  return kRooms;
}

bool is_room(std::string_view room) noexcept {
  return index_of(room) < kRooms.size();
}

void set_room_level(std::string_view room, std::optional<Level> level) noexcept {
  const std::size_t at = index_of(room);
  if (at == kRooms.size()) return;
  the_log().room_levels[at].store(level.value_or(kAsAll), std::memory_order_relaxed);
  find_lowest();
}

std::optional<Level> room_level(std::string_view room) noexcept {
  const std::size_t at = index_of(room);
  if (at == kRooms.size()) return std::nullopt;
  const Level level = the_log().room_levels[at].load(std::memory_order_relaxed);
  return level == kAsAll ? std::nullopt : std::optional(level);
}

bool enabled(Level level) noexcept {
  const Level lowest = the_log().lowest.load(std::memory_order_relaxed);
  return level >= lowest && level != Level::off;
}

bool enabled(Level level, std::string_view room) noexcept {
  return enabled(level) && level >= room_level(room).value_or(linnet::log::level());
}

void write(Level level, std::string_view room, std::string_view text) {
  if (!enabled(level, room)) return;
  Log& log = the_log();
  const Target target = log.target.load(std::memory_order_relaxed);
  std::string line;
  if (log.format.load(std::memory_order_relaxed) == Format::json) {
    line = cat("\"room\":\"", escaped_json(room), "\",\"text\":\"", escaped_json(text), '"');
    if (target == Target::journal) {
      const spdlog::string_view_t name = spdlog::level::to_string_view(to_spdlog(level));
      line = cat(priority_of(level), "{\"level\":\"", std::string_view(name.data(), name.size()),
                 "\",", line, '}');
    }
  } else {
    line = cat(escaped_text(room), ": ");
    if (target == Target::terminal) line.resize(std::max(line.size(), kRoomColumn), ' ');
    if (target == Target::journal) line.insert(0, priority_of(level));
    line += escaped_text(text);
  }
  log.logger.log(to_spdlog(level), spdlog::string_view_t(line));
}

}  // namespace linnet::log

// What anybody's bytes look like on a terminal. Whoever publishes chooses the bytes, so nothing of
// theirs reaches the terminal as a command to it: control characters and those that turn the
// direction of writing are shown as escapes, and what is no text as a hex dump. Pure.
//
//   Palette palette(true);
//   palette.put(out, Paint::topic, shown(topic));
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace linnet::pubsub {

/// UTF-8 without control characters, except for ends of lines and tabulators.
[[nodiscard]] bool is_plain_text(std::string_view bytes) noexcept;

enum class Lines : std::uint8_t {
  kept,     // ends of lines and tabulators stay: for payloads
  escaped,  // they do not: for topics, names and what stands on one line
};
/// With escapes for what a terminal might obey or hide: "\x1b", "\u202e"; a byte that is not UTF-8
/// becomes "\xff".
[[nodiscard]] std::string shown(std::string_view bytes, Lines lines = Lines::escaped);

/// 16 bytes a line, with their place and their characters. Of a long one only the first 64 KiB, and
/// how many bytes more there are.
[[nodiscard]] std::string hex_dump(std::string_view bytes);

/// What a piece of text is.
enum class Paint : std::uint8_t { topic, key, string, number, word, dim };

/// Puts colours around text, or does not.
class Palette {
 public:
  explicit Palette(bool has_colours) noexcept : has_colours_(has_colours) {}
  [[nodiscard]] bool has_colours() const noexcept { return has_colours_; }
  void put(std::string& out, Paint paint, std::string_view text) const;

 private:
  bool has_colours_;
};

}  // namespace linnet::pubsub

#include "pubsub/terminal.hpp"

#include <algorithm>
#include <array>

#include "base/cat.hpp"
#include "base/utf8.hpp"

namespace linnet::pubsub {

namespace {

constexpr std::size_t kDumpMax = 64 << 10;
constexpr std::string_view kDigits = "0123456789abcdef";

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;  // 0: not UTF-8
};

/// The first character of `bytes`, which is not empty.
Character first_of(std::string_view bytes) noexcept {
  const auto lead = static_cast<std::uint8_t>(bytes[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (bytes.size() < size || !is_utf8(bytes.substr(0, size))) return {};
  std::uint32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t at = 1; at < size; ++at)
    code = code << 6 | (static_cast<std::uint8_t>(bytes[at]) & 0x3FU);
  return {code, size};
}

bool is_control(std::uint32_t code) noexcept {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

/// Characters that hide, or change the place or the direction of others.
bool is_trick(std::uint32_t code) noexcept {
  const auto within = [code](std::uint32_t from, std::uint32_t to) {
    return code >= from && code <= to;
  };
  return code == 0xAD || code == 0x61C || code == 0xFEFF || within(0x200B, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2060, 0x206F) || within(0xFFF9, 0xFFFB) ||
         within(0xE0000, 0xE0FFF);
}

void put_hex(std::string& out, std::uint32_t number, int digits) {
  for (int digit = digits - 1; digit >= 0; --digit)
    out += kDigits[number >> (4 * digit) & 15];
}

void put_escape(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += "\\x";
    put_hex(out, code, 2);
  } else if (code < 0x10000) {
    out += "\\u";
    put_hex(out, code, 4);
  } else {
    out += "\\U";
    put_hex(out, code, 8);
  }
}

void put_dump_line(std::string& out, std::size_t at, std::string_view bytes) {
  put_hex(out, static_cast<std::uint32_t>(at), 8);
  out += ' ';
  for (std::size_t column = 0; column < 16; ++column) {
    if (column % 8 == 0) out += ' ';
    if (column < bytes.size()) {
      put_hex(out, static_cast<std::uint8_t>(bytes[column]), 2);
      out += ' ';
    } else {
      out += "   ";
    }
  }
  out += " |";
  for (const char c : bytes)
    out += c >= ' ' && c <= '~' ? c : '.';
  out += '|';
}

std::string_view colour_of(Paint paint) noexcept {
  switch (paint) {
    case Paint::topic: return "\x1b[36m";
    case Paint::key: return "\x1b[34m";
    case Paint::string: return "\x1b[32m";
    case Paint::number: return "\x1b[33m";
    case Paint::word: return "\x1b[35m";
    case Paint::dim: return "\x1b[2m";
  }
  return "";
}

}  // namespace

bool is_plain_text(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const Character next = first_of(bytes);
    if (next.size == 0) return false;
    const bool ends_line = next.code == '\n' || bytes.starts_with("\r\n");
    if (is_control(next.code) && next.code != '\t' && !ends_line) return false;
    bytes.remove_prefix(next.size);
  }
  return true;
}

std::string shown(std::string_view bytes, Lines lines) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Character next = first_of(bytes);
    const bool stays = lines == Lines::kept && (next.code == '\n' || next.code == '\t');
    const bool doubled = lines == Lines::kept && bytes.starts_with("\r\n");
    if (next.size == 0) {
      out += "\\x";
      put_hex(out, static_cast<std::uint8_t>(bytes[0]), 2);
    } else if (!doubled && !stays && (is_control(next.code) || is_trick(next.code))) {
      put_escape(out, next.code);
    } else if (!doubled) {
      out += bytes.substr(0, next.size);
    }
    bytes.remove_prefix(std::max<std::size_t>(next.size, 1));
  }
  return out;
}

std::string hex_dump(std::string_view bytes) {
  std::string out;
  const std::string_view head = bytes.substr(0, kDumpMax);
  for (std::size_t at = 0; at < head.size(); at += 16) {
    if (at > 0) out += '\n';
    put_dump_line(out, at, head.substr(at, 16));
  }
  if (head.size() < bytes.size())
    out += cat("\n... and ", bytes.size() - head.size(), " bytes more");
  return out;
}

void Palette::put(std::string& out, Paint paint, std::string_view text) const {
  if (!has_colours_) {
    out += text;
    return;
  }
  out += colour_of(paint);
  out += text;
  out += "\x1b[0m";
}

}  // namespace linnet::pubsub

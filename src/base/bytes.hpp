// Reading and writing MQTT's wire types (MQTT 5.0, section 1.5). Here, and nowhere else, are bytes
// from outside checked against the end of their buffer.
//
//   Reader in(body);
//   const auto name = in.string();           // a view into `body`, nothing is copied
//   const auto level = in.u8();
//   if (!in.ok()) return malformed;          // one check after many reads
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace linnet {

/// Reads from a view that must outlive it. After the first read beyond the end it is not ok() any
/// more, and every further read returns 0 or an empty view.
class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
  /// What is left, without taking it.
  [[nodiscard]] std::string_view rest() const noexcept { return bytes_; }

  [[nodiscard]] std::uint8_t u8() noexcept {
    const auto taken = take(1);
    return taken.empty() ? std::uint8_t{0} : byte(taken, 0);
  }
  [[nodiscard]] std::uint16_t u16() noexcept {
    const auto taken = take(2);
    if (taken.empty()) return 0;
    return static_cast<std::uint16_t>((byte(taken, 0) << 8) | byte(taken, 1));
  }
  [[nodiscard]] std::uint32_t u32() noexcept {
    const std::uint32_t high = u16();
    return (high << 16) | u16();
  }
  /// A Variable Byte Integer, 0 to 268,435,455; a fifth byte or an overlong form is not ok.
  [[nodiscard]] std::uint32_t varint() noexcept {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      const std::uint8_t next = u8();
      value |= static_cast<std::uint32_t>(next & 0x7F) << shift;
      if (next & 0x80) continue;
      if (next == 0 && shift > 0) fail();  // overlong: MQTT-1.5.5-1
      return ok_ ? value : 0;
    }
    fail();
    return 0;
  }
  /// Binary data or a string with a two-byte length; UTF-8 is not checked here.
  [[nodiscard]] std::string_view string() noexcept { return take(u16()); }
  [[nodiscard]] std::string_view take(std::size_t count) noexcept {
    if (count > bytes_.size()) {
      fail();
      return {};
    }
    const auto taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  /// Makes the reader not ok().
  void fail() noexcept {
    ok_ = false;
    bytes_ = {};
  }

 private:
  static std::uint8_t byte(std::string_view bytes, std::size_t index) noexcept {
    return static_cast<std::uint8_t>(bytes[index]);
  }

  std::string_view bytes_;
  bool ok_ = true;
};

/// How many bytes a Variable Byte Integer takes: 1 to 4.
[[nodiscard]] constexpr std::size_t varint_size(std::uint32_t value) noexcept {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x200000 ? 3 : 4;
}

/// Writes to memory that the caller has already made large enough: the encoders know a packet's
/// size before they write its first byte. Returns and keeps the position after the last byte.
class Writer {
 public:
  explicit Writer(char* target) noexcept : at_(target) {}

  [[nodiscard]] char* position() const noexcept { return at_; }

  void u8(std::uint8_t value) noexcept { *at_++ = static_cast<char>(value); }
  void u16(std::uint16_t value) noexcept {
    u8(static_cast<std::uint8_t>(value >> 8));
    u8(static_cast<std::uint8_t>(value));
  }
  void u32(std::uint32_t value) noexcept {
    u16(static_cast<std::uint16_t>(value >> 16));
    u16(static_cast<std::uint16_t>(value));
  }
  void varint(std::uint32_t value) noexcept {
    while (value >= 0x80) {
      u8(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    u8(static_cast<std::uint8_t>(value));
  }
  /// A two-byte length and the bytes; at most 65,535 of them.
  void string(std::string_view text) noexcept {
    u16(static_cast<std::uint16_t>(text.size()));
    bytes(text);
  }
  void bytes(std::string_view data) noexcept {
    if (data.empty()) return;
    std::memcpy(at_, data.data(), data.size());
    at_ += data.size();
  }

 private:
  char* at_;
};

}  // namespace linnet

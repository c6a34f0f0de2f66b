// How the bytes of a record are put together and taken apart; its grammar is in record.hpp. Private
// to record*.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/crc32c.hpp"
#include "base/message.hpp"
#include "store/record.hpp"

namespace linnet::store {

inline constexpr std::size_t kRecordHead = 5;  // checksum and version
inline constexpr std::size_t kVarintMax = 268'435'455;

/// How much a `str` takes.
[[nodiscard]] inline std::size_t str_size(std::string_view text) noexcept {
  LINNET_ASSERT(text.size() <= kVarintMax);
  return varint_size(static_cast<std::uint32_t>(text.size())) + text.size();
}

/// Fills `out`, whose memory is used again and again: first exactly `fields_size` bytes of fields,
/// then the rest, which finish() adds together with the checksum.
class RecordWriter {
 public:
  RecordWriter(std::string& out, std::size_t fields_size, std::uint8_t version = kRecordVersion)
      : out_(out), fields_(nullptr) {
    out.resize(kRecordHead + fields_size);
    out[kRecordHead - 1] = static_cast<char>(version);
    fields_ = Writer(out.data() + kRecordHead);
  }

  void u8(std::uint8_t value) noexcept { fields_.u8(value); }
  void u32(std::uint32_t value) noexcept {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      fields_.u8(static_cast<std::uint8_t>(value >> shift));
    }
  }
  void u64(std::uint64_t value) noexcept {
    u32(static_cast<std::uint32_t>(value));
    u32(static_cast<std::uint32_t>(value >> 32));
  }
  void varint(std::uint32_t value) noexcept { fields_.varint(value); }
  void str(std::string_view text) noexcept {
    fields_.varint(static_cast<std::uint32_t>(text.size()));
    fields_.bytes(text);
  }
  void finish(std::string_view key, std::string_view rest) {
    LINNET_ASSERT(fields_.position() == out_.data() + out_.size());
    out_.append(rest);
    const std::uint32_t crc = crc32c(std::string_view(out_).substr(4), crc32c(key));
    for (unsigned i = 0; i < 4; ++i) {
      out_[i] = static_cast<char>(crc >> (8 * i));
    }
  }

 private:
  std::string& out_;
  Writer fields_;
};

/// Takes a record apart, checksum and version first. After the first read beyond the end it is not
/// ok() any more, and everything else is 0 or empty. `newest` is the last version that is known of
/// this kind of records.
class RecordReader {
 public:
  RecordReader(std::string_view key, std::string_view record,
               std::uint8_t newest = kRecordVersion) noexcept
      : in_(record), newest_(newest) {
    const std::uint32_t crc = u32();
    if (!in_.ok() || crc32c(in_.rest(), crc32c(key)) != crc) in_.fail();
    version_ = in_.u8();
  }

  [[nodiscard]] bool ok() const noexcept { return in_.ok() && version_ - 1U < newest_; }
  [[nodiscard]] std::uint8_t version() const noexcept { return version_; }
  /// Nothing was missing, and nothing is left.
  [[nodiscard]] bool done() const noexcept { return ok() && in_.empty(); }
  /// A value that has no meaning.
  void fail() noexcept { in_.fail(); }

  [[nodiscard]] std::uint8_t u8() noexcept { return in_.u8(); }
  [[nodiscard]] std::uint32_t u32() noexcept {
    const auto taken = in_.take(4);
    return taken.empty() ? 0 : word(taken);
  }
  [[nodiscard]] std::uint64_t u64() noexcept {
    const auto taken = in_.take(8);
    if (taken.empty()) return 0;
    return word(taken) | std::uint64_t{word(taken.substr(4))} << 32;
  }
  [[nodiscard]] std::uint32_t varint() noexcept { return in_.varint(); }
  [[nodiscard]] std::string_view str() noexcept { return in_.take(in_.varint()); }
  [[nodiscard]] std::string_view rest() noexcept { return in_.take(in_.size()); }
  /// Flags of which only those in `known` may be set.
  [[nodiscard]] std::uint8_t flags(unsigned known) noexcept {
    const std::uint8_t flags = u8();
    if ((flags & ~known) != 0) fail();
    return flags;
  }

 private:
  static std::uint32_t word(std::string_view bytes) noexcept {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < 4; ++i) {
      value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return value;
  }

  Reader in_;
  std::uint8_t newest_;
  std::uint8_t version_ = 0;
};

/// In the flags of messages and of outgoing records: QoS and retain.
inline constexpr unsigned kQosFlags = 0x03;
inline constexpr unsigned kRetainFlag = 0x04;

[[nodiscard]] inline std::uint8_t delivery_flags(Qos qos, bool retain) noexcept {
  return static_cast<std::uint8_t>(static_cast<unsigned>(qos) | (retain ? kRetainFlag : 0));
}
/// False if there is no such QoS.
[[nodiscard]] inline bool read_delivery_flags(unsigned flags, Qos& qos, bool& retain) noexcept {
  qos = static_cast<Qos>(flags & kQosFlags);
  retain = (flags & kRetainFlag) != 0;
  return (flags & kQosFlags) <= static_cast<unsigned>(Qos::exactly_once);
}

// `message` of the grammar, up to its payload: what it takes, and how it is written and read.
// Writing leaves the payload to finish().
[[nodiscard]] std::size_t message_size(const MessageView& message) noexcept;
void write_message(RecordWriter& to, const MessageView& message, const StoreClock& clock) noexcept;
[[nodiscard]] bool read_message(RecordReader& from, const StoreClock& clock,
                                MessageView& message) noexcept;

}  // namespace linnet::store

// Finds packets in received bytes, in place: no copy, no allocation. The broker's bytes are as
// hostile as a client's: each length is checked before it is believed. Pure.
//
//   for (auto found = scan(bytes, packet_max); found.state == Scan::whole; ...)
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include <linnet/types.hpp>

namespace linnet::bench {

enum class Scan : std::uint8_t { whole, incomplete, bad };

/// A packet at the head of some bytes.
struct Found {
  Scan state = Scan::incomplete;
  std::uint8_t first_byte = 0;
  std::string_view body;  // behind the fixed header
  std::size_t size = 0;   // of the whole packet
};

/// A packet of more than `size_max` bytes is bad as soon as its length is known, and so is a length
/// of five bytes.
[[nodiscard]] inline Found scan(std::string_view bytes, std::size_t size_max) noexcept {
  if (bytes.size() < 2) return {};
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  std::size_t length = byte(1) & 0x7F;
  std::size_t at = 2;
  for (unsigned shift = 7; byte(at - 1) >= 0x80; shift += 7, ++at) {
    if (at == 5) return {Scan::bad, byte(0), {}, 0};
    if (bytes.size() == at) return {};
    length |= std::size_t{byte(at) & 0x7FU} << shift;
  }
  const std::size_t size = at + length;
  if (size > size_max) return {Scan::bad, byte(0), {}, size};
  if (bytes.size() < size) return {};
  return {Scan::whole, byte(0), bytes.substr(at, length), size};
}

/// The parts of a PUBLISH that matter here.
struct ReceivedPublish {
  bool ok = false;
  std::uint8_t qos = 0;
  std::uint16_t packet_id = 0;
  std::string_view payload;
};

/// `body` is that of a whole PUBLISH. Properties are passed over.
[[nodiscard]] inline ReceivedPublish read_publish(std::uint8_t first_byte, std::string_view body,
                                                  Version version) noexcept {
  ReceivedPublish publish;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(body[at]); };
  publish.qos = first_byte >> 1 & 3;
  if (body.size() < 2 || publish.qos == 3) return publish;
  std::size_t at = 2U + (std::size_t{byte(0)} << 8 | byte(1));
  if (publish.qos > 0) {
    if (body.size() < at + 2) return publish;
    publish.packet_id = static_cast<std::uint16_t>(byte(at) << 8 | byte(at + 1));
    if (publish.packet_id == 0) return publish;
    at += 2;
  }
  if (version == Version::v5) {
    std::size_t length = 0;
    unsigned shift = 0;
    do {
      if (shift == 28 || body.size() <= at) return publish;
      length |= std::size_t{byte(at) & 0x7FU} << shift;
      shift += 7;
    } while (byte(at++) >= 0x80);
    at += length;
  }
  if (body.size() < at) return publish;
  publish.payload = body.substr(at);
  publish.ok = true;
  return publish;
}

/// What the head of a payload says about its message, as far as there is room: it is read by the
/// process that has written it, so the bytes have this machine's order.
struct Stamp {
  std::uint32_t stream = 0;
  std::uint32_t number = 0;
  std::uint64_t time_ns = 0;  // when it was due to be sent; only with 16 bytes or more
};

inline void write_stamp(char* payload, const Stamp& stamp, std::size_t room) noexcept {
  if (room < 8) return;
  std::memcpy(payload, &stamp.stream, 4);
  std::memcpy(payload + 4, &stamp.number, 4);
  if (room >= 16) std::memcpy(payload + 8, &stamp.time_ns, 8);
}

/// `payload` has at least 8 bytes.
[[nodiscard]] inline Stamp read_stamp(std::string_view payload) noexcept {
  Stamp stamp;
  std::memcpy(&stamp.stream, payload.data(), 4);
  std::memcpy(&stamp.number, payload.data() + 4, 4);
  if (payload.size() >= 16) std::memcpy(&stamp.time_ns, payload.data() + 8, 8);
  return stamp;
}

}  // namespace linnet::bench

// For tests of the web room: a wire in memory, the frames of a WebSocket client, and a visitor that
// calls a channel as a link does.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "web/server.hpp"

namespace linnet::web {

/// The channel below: what the client sends and gets.
class MemoryWire final : public net::Channel {
 public:
  std::string incoming;            // from the client
  std::string outgoing;            // to the client
  std::size_t capacity = 1 << 30;  // how much more it takes
  std::size_t chunk_max = 1 << 30;
  std::size_t writes = 0;
  bool closed = false;
  bool write_fails = false;
  bool ended = false;
  bool wants = false;  // it has something of its own to write, and needs any capacity for it

  [[nodiscard]] bool wants_write() const noexcept override { return wants; }
  net::ReadResult read(int, std::span<char> room) override {
    const std::size_t count = std::min({incoming.size(), room.size(), chunk_max});
    if (count == 0)
      return {closed ? net::ReadResult::State::closed : net::ReadResult::State::again};
    std::copy_n(incoming.begin(), count, room.begin());
    incoming.erase(0, count);
    return {net::ReadResult::State::bytes, count};
  }

  net::WriteResult write(int, std::span<const iovec> parts) override {
    if (parts.empty()) {
      wants = wants && capacity == 0;
      return {0, wants, false};
    }
    ++writes;
    if (write_fails) return {0, false, true};
    net::WriteResult result;
    for (const iovec& part : parts) {
      const std::size_t count = std::min(part.iov_len, capacity);
      outgoing.append(static_cast<const char*>(part.iov_base), count);
      capacity -= count;
      result.count += count;
      if (count < part.iov_len) result.blocked = true;
    }
    return result;
  }

  net::WriteResult end(int) override {
    ended = true;
    return {};
  }
};

inline constexpr std::uint8_t kContinuation = 0x0;
inline constexpr std::uint8_t kText = 0x1;
inline constexpr std::uint8_t kBinary = 0x2;
inline constexpr std::uint8_t kClose = 0x8;
inline constexpr std::uint8_t kPing = 0x9;
inline constexpr std::uint8_t kPong = 0xA;
inline constexpr std::uint8_t kFin = 0x80;
inline constexpr std::uint8_t kRsv1 = 0x40;

inline std::string length_bytes(std::uint64_t length, unsigned count) {
  std::string text;
  for (unsigned at = count; at > 0; --at)
    text += static_cast<char>(length >> (8 * (at - 1)));
  return text;
}

/// A masked frame; `first` is its first byte.
inline std::string frame(std::uint8_t first, std::string_view payload) {
  constexpr std::string_view kMask = "\x37\xfa\x21\x3d";
  std::string text(1, static_cast<char>(first));
  if (payload.size() < 126) {
    text += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() < 65'536) {
    text += static_cast<char>(0x80 | 126);
    text += length_bytes(payload.size(), 2);
  } else {
    text += static_cast<char>(0x80 | 127);
    text += length_bytes(payload.size(), 8);
  }
  text += kMask;
  for (std::size_t at = 0; at < payload.size(); ++at)
    text += static_cast<char>(payload[at] ^ kMask[at % 4]);
  return text;
}

inline std::string message(std::string_view payload) {
  return frame(kFin | kBinary, payload);
}

/// A Close frame with a code, as the server sends it.
inline std::string close_of(unsigned code) {
  return std::string{static_cast<char>(kFin | kClose), 2} + length_bytes(code, 2);
}

struct ServerFrame {
  std::uint8_t first = 0;
  std::string payload;

  friend bool operator==(const ServerFrame&, const ServerFrame&) = default;
};

/// Takes the whole frames of a server away from `bytes`.
inline std::vector<ServerFrame> take_frames(std::string& bytes) {
  std::vector<ServerFrame> frames;
  const auto byte = [&bytes](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  while (bytes.size() >= 2) {
    std::size_t length = byte(1);
    const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (bytes.size() < 2 + extra) break;
    if (extra > 0) length = 0;
    for (std::size_t at = 0; at < extra; ++at)
      length = length << 8 | byte(2 + at);
    if (bytes.size() < 2 + extra + length) break;
    frames.push_back({byte(0), bytes.substr(2 + extra, length)});
    bytes.erase(0, 2 + extra + length);
  }
  return frames;
}

inline constexpr std::string_view kKey = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A request that is granted; `more` are further lines.
inline std::string request(std::string_view more = {}, std::string_view path = "/mqtt") {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: broker.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n" +
         std::string(kKey) + std::string(more) + "\r\n";
}

inline Rules usual_rules() {
  Rules rules;
  rules.paths = {"/mqtt"};
  return rules;
}

/// One connection.
class Visitor {
 public:
  using State = net::ReadResult::State;

  explicit Visitor(const Server& server, const net::Endpoint& peer = {},
                   std::string_view known = {}) {
    auto below = std::make_unique<MemoryWire>();
    wire_ = below.get();
    channel_ = server.accept(std::move(below), peer, known);
  }

  [[nodiscard]] MemoryWire& wire() noexcept { return *wire_; }
  [[nodiscard]] net::Channel& channel() noexcept { return *channel_; }
  [[nodiscard]] State state() const noexcept { return state_; }
  void use_room(std::size_t size) { room_.resize(size); }

  /// As a link reads: until nothing is left to be read.
  void read() {
    do {
      const auto result = channel_->read(-1, room_);
      if (auto next = channel_->take_successor(); next.changed) channel_ = std::move(next.next);
      if (result.state == State::bytes) bytes_.append(room_.data(), result.count);
      state_ = result.state;
      ++reads_;
      if (state_ == State::closed || state_ == State::failed) return;
    } while (channel_->has_more() || (!wire_->incoming.empty() && !channel_->wants_write()) ||
             (state_ == State::bytes && wire_->closed));
  }

  /// As a link does when the socket can be written again.
  net::WriteResult write(std::string_view text = {}) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    return channel_->write(-1, {&part, text.empty() ? 0U : 1U});
  }

  void receive(std::string_view bytes) {
    wire_->incoming += bytes;
    read();
  }

  /// Upgrades, and forgets the answer.
  void upgrade(std::string_view more = {}) {
    receive(request(more));
    answer_ = std::exchange(wire_->outgoing, {});
  }

  [[nodiscard]] const std::string& answer() const noexcept { return answer_; }
  [[nodiscard]] std::string take_bytes() { return std::exchange(bytes_, {}); }
  [[nodiscard]] std::vector<ServerFrame> take_sent() { return take_frames(wire_->outgoing); }
  [[nodiscard]] std::size_t reads() const noexcept { return reads_; }

 private:
  std::unique_ptr<net::Channel> channel_;
  MemoryWire* wire_ = nullptr;
  std::vector<char> room_ = std::vector<char>(std::size_t{64} << 10);
  std::string bytes_;
  std::string answer_;
  std::size_t reads_ = 0;
  State state_ = State::again;
};

inline std::string numbered(std::size_t size, unsigned seed = 1) {
  std::string text(size, ' ');
  for (char& letter : text) {
    seed = seed * 1'103'515'245U + 12'345U;
    letter = static_cast<char>(seed >> 16);
  }
  return text;
}

}  // namespace linnet::web

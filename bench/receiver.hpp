// A subscriber that reads as much as there is, tallies it, and acknowledges it in one send.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "numbered_message.hpp"
#include "tally.hpp"
#include "wire.hpp"

namespace linnet::bench {

class Receiver {
 public:
  using Clock = std::chrono::steady_clock;

  /// `socket` is connected and blocks; nothing, or only what has been answered, was sent on it.
  Receiver(Descriptor socket, Tally& tally)
      : socket_(std::move(socket)), tally_(tally), buffer_(kReadBytes) {}

  /// Sends `request`, and receives until the tally is complete or nothing came for a while.
  /// Returns the time from the request to the last message.
  [[nodiscard]] std::chrono::duration<double> receive_all(std::string_view request) {
    const auto began = Clock::now();
    auto last = began;
    send_whole(socket_, request);
    while (tally_.missing() > 0) {
      const auto before = tally_.missing();
      if (!receive()) break;
      if (tally_.missing() != before) last = Clock::now();
    }
    return last - began;
  }

  /// Whatever the broker sends too much has come when it answers this.
  void receive_the_rest() {
    send_whole(socket_, kPingreq);
    while (!pinged_ && receive()) {}
    if (!pinged_) fail("the broker does not answer a subscriber");
  }

 private:
  static constexpr std::size_t kReadBytes = 512 << 10;

  /// False if nothing came for kAnswerTimeout.
  [[nodiscard]] bool receive() {
    const auto kept = unfinished_.copy(buffer_.data(), buffer_.size());
    const auto got = ::recv(socket_.get(), buffer_.data() + kept, buffer_.size() - kept, 0);
    if (got < 0 && errno == EINTR) return true;
    if (got < 0 && errno == EAGAIN) return false;
    if (got <= 0) fail("the broker closed a subscriber");
    acknowledgements_.clear();
    std::string_view bytes(buffer_.data(), kept + static_cast<std::size_t>(got));
    while (const auto whole = whole_packet_in(bytes)) {
      on_packet(bytes[0], bytes.substr(whole->body_at, whole->end - whole->body_at));
      bytes.remove_prefix(whole->end);
    }
    if (bytes.size() == buffer_.size()) fail("the broker sent too large a packet");
    unfinished_ = bytes;
    if (!acknowledgements_.empty()) send_whole(socket_, acknowledgements_);
    return true;
  }

  struct Packet {
    std::size_t body_at = 0;
    std::size_t end = 0;
  };

  static std::optional<Packet> whole_packet_in(std::string_view bytes) {
    std::size_t left = 0;
    for (std::size_t at = 1; at < bytes.size() && at <= 4; ++at) {
      const auto byte = static_cast<unsigned char>(bytes[at]);
      left |= (byte & 0x7FUL) << 7 * (at - 1);
      if (byte < 0x80) {
        if (bytes.size() < at + 1 + left) return std::nullopt;
        return Packet{.body_at = at + 1, .end = at + 1 + left};
      }
    }
    return std::nullopt;
  }

  void on_packet(char first_byte, std::string_view body) {
    const auto type = static_cast<unsigned char>(first_byte) >> 4;
    if (type == 3) return on_publish(first_byte, body);
    if (type == 2 && body != "\x00\x00"sv && body != "\x01\x00"sv) fail("CONNECT was refused");
    if (type == 9 && (body.size() != 3 || body[2] == '\x80')) fail("SUBSCRIBE was refused");
    if (type == 13) pinged_ = true;
  }

  void on_publish(char first_byte, std::string_view body) {
    if (body.size() < 2) fail("the broker sent a broken PUBLISH");
    const auto topic_bytes =
        static_cast<unsigned char>(body[0]) * 256UL + static_cast<unsigned char>(body[1]);
    const bool has_id = (first_byte & 6) != 0;
    const auto payload_at = 2 + topic_bytes + (has_id ? 2 : 0);
    if (body.size() < payload_at + kNumberBytes) fail("a message came that is not ours");
    if (has_id) acknowledgements_.append("\x40\x02").append(body.substr(payload_at - 2, 2));
    tally_.count(NumberedMessage::number_of(body.substr(payload_at)));
  }

  Descriptor socket_;
  Tally& tally_;
  std::vector<char> buffer_;
  std::string unfinished_;
  std::string acknowledgements_;
  bool pinged_ = false;
};

}  // namespace linnet::bench

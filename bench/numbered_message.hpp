// QoS 1 messages that say which one they are: who sent it, and how many it sent before.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire.hpp"

namespace linnet::bench {

constexpr std::size_t kNumberBytes = 8;  // at the head of each payload
constexpr std::uint16_t kPacketIds = 65'535;

struct MessageNumber {
  std::uint16_t publisher = 0;
  std::uint64_t sequence = 0;  // from 0; 48 bits on the wire
};

/// How the messages of one publisher look.
struct MessageForm {
  std::string topic;             // its head, if numbered_topics
  bool numbered_topics = false;  // each message has a topic of its own
  bool retained = false;
  std::uint16_t publisher = 0;
  std::uint32_t payload_bytes = 16;  // kNumberBytes or more
};

/// A whole PUBLISH, of which a few bytes are changed for each message.
class NumberedMessage {
 public:
  explicit NumberedMessage(const MessageForm& form) : numbered_topics_(form.numbered_topics) {
    const auto topic = form.topic + std::string(numbered_topics_ ? kDigits : 0, '0');
    const auto payload = std::string(form.payload_bytes, 'x');
    packet_ = packet(form.retained ? '\x33' : '\x32', with_length(topic) + two_bytes(0) + payload);
    payload_at_ = packet_.size() - payload.size();
    packet_.replace(payload_at_, 2, two_bytes(form.publisher));
  }

  /// The packet identifiers go round from 1.
  static std::uint16_t packet_id_of(std::uint64_t sequence) {
    return static_cast<std::uint16_t>(sequence % kPacketIds + 1);
  }

  [[nodiscard]] std::string_view with(std::uint64_t sequence) {
    const auto id = packet_id_of(sequence);
    packet_[payload_at_ - 2] = static_cast<char>(id >> 8);
    packet_[payload_at_ - 1] = static_cast<char>(id & 0xFF);
    auto left = sequence;
    for (auto at = payload_at_ + kNumberBytes - 1; at >= payload_at_ + 2; --at, left >>= 8)
      packet_[at] = static_cast<char>(left & 0xFF);
    left = sequence;
    for (std::size_t digit = 0; numbered_topics_ && digit < kDigits; ++digit, left /= 10)
      packet_[payload_at_ - 3 - digit] = static_cast<char>('0' + left % 10);
    return packet_;
  }

  static MessageNumber number_of(std::string_view payload) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(payload[at]); };
    MessageNumber number{.publisher = static_cast<std::uint16_t>(byte(0) << 8 | byte(1))};
    for (std::size_t at = 2; at < kNumberBytes; ++at)
      number.sequence = number.sequence << 8 | byte(at);
    return number;
  }

 private:
  static constexpr std::size_t kDigits = 8;

  const bool numbered_topics_;
  std::string packet_;
  std::size_t payload_at_ = 0;
};

}  // namespace linnet::bench

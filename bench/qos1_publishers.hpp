// Publishers in a closed loop, all on one thread: each has a number of messages to send and a
// window of those that may be unacknowledged, and fills it up in one send when an eighth is free.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "numbered_message.hpp"
#include "wire.hpp"

namespace linnet::bench {

class Qos1Publishers {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Qos1Publishers(std::uint32_t window) : window_(window), buffer_(kReadBytes) {}

  /// `socket` is connected, and its CONNACK was read.
  void add(Descriptor socket, const MessageForm& form, std::uint64_t messages) {
    poll_.add(socket, publishers_.size());
    publishers_.push_back({.socket = std::move(socket),
                           .message = NumberedMessage(form),
                           .messages = messages,
                           .unsent = {},
                           .unfinished = {},
                           .open = std::vector<bool>(kPacketIds + 1UL)});
    unacknowledged_ += messages;
  }

  /// Sends all messages, and returns how long it took until the last was acknowledged.
  [[nodiscard]] std::chrono::duration<double> run() {
    const auto began = Clock::now();
    auto last_progress = began;
    while (unacknowledged_ > 0) {
      for (auto& publisher : publishers_)
        refill(publisher);
      const auto before = unacknowledged_;
      poll_.wait(kWait, [this](std::size_t index) { receive(publishers_[index]); });
      const auto now = Clock::now();
      if (unacknowledged_ != before) last_progress = now;
      if (now - last_progress > kAnswerTimeout) {
        fail("the broker acknowledges no more; it owes " + std::to_string(unacknowledged_));
      }
    }
    return Clock::now() - began;
  }

 private:
  struct Publisher {
    Descriptor socket;
    NumberedMessage message;
    std::uint64_t messages = 0;
    std::uint64_t begun = 0;  // in `unsent`, or sent
    std::uint64_t acknowledged = 0;
    std::string unsent;
    std::size_t unsent_at = 0;
    std::string unfinished;  // of an acknowledgement
    std::vector<bool> open;  // by packet identifier
  };

  static constexpr std::size_t kReadBytes = 64 << 10;
  static constexpr std::size_t kPubackBytes = 4;
  static constexpr std::chrono::milliseconds kWait{10};

  void refill(Publisher& publisher) const {
    if (publisher.unsent.empty()) {
      const auto room = window_ - (publisher.begun - publisher.acknowledged);
      const auto messages = std::min(room, publisher.messages - publisher.begun);
      if (messages == 0 || (room < window_ / 8 && messages == room)) return;
      for (const auto end = publisher.begun + messages; publisher.begun < end; ++publisher.begun) {
        publisher.unsent += publisher.message.with(publisher.begun);
        publisher.open[NumberedMessage::packet_id_of(publisher.begun)] = true;
      }
    }
    flush(publisher);
  }

  static void flush(Publisher& publisher) {
    const auto left = std::string_view(publisher.unsent).substr(publisher.unsent_at);
    const auto sent =
        ::send(publisher.socket.get(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (sent < 0) fail_errno("send of a publisher");
    publisher.unsent_at += static_cast<std::size_t>(sent);
    if (publisher.unsent_at < publisher.unsent.size()) return;
    publisher.unsent.clear();
    publisher.unsent_at = 0;
  }

  void receive(Publisher& publisher) {
    const auto kept = publisher.unfinished.copy(buffer_.data(), buffer_.size());
    const auto got =
        ::recv(publisher.socket.get(), buffer_.data() + kept, buffer_.size() - kept, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) fail("the broker closed a publisher");
    std::string_view bytes(buffer_.data(), kept + static_cast<std::size_t>(got));
    for (; bytes.size() >= kPubackBytes; bytes.remove_prefix(kPubackBytes)) {
      if (!bytes.starts_with("\x40\x02")) fail("a publisher got something else than PUBACK");
      acknowledge(publisher, static_cast<unsigned char>(bytes[2]) * 256UL +
                                 static_cast<unsigned char>(bytes[3]));
    }
    publisher.unfinished = bytes;
  }

  void acknowledge(Publisher& publisher, std::size_t packet_id) {
    if (!publisher.open[packet_id]) fail("the broker acknowledged what nobody sent");
    publisher.open[packet_id] = false;
    ++publisher.acknowledged;
    --unacknowledged_;
  }

  const std::uint64_t window_;  // messages of one publisher
  std::vector<char> buffer_;
  Poll poll_;
  std::vector<Publisher> publishers_;
  std::uint64_t unacknowledged_ = 0;
};

}  // namespace linnet::bench

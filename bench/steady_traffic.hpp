// The steady traffic: QoS 0, in a closed loop, by one thread. Publishers and subscribers share out
// the topics evenly. Each publisher has a window of deliveries that may be outstanding, and fills
// it up in one send when an eighth of it is free. A payload begins with its publisher's number. A
// publisher may take several topics in turn; its subscriber then has one filter for all of them.
// What it needs of a connection is in plain_connection.hpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "options.hpp"
#include "wire.hpp"

namespace linnet::bench {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::size_t kBatchBytes = 256 << 10;
constexpr std::chrono::milliseconds kWait{10};
constexpr std::chrono::seconds kDrainTimeout{3};  // without any message: the rest is lost

template <class Connection>
struct Publisher {
  Connection connection;
  std::string
      batch;  // the same cycle over and over, as it travels: a packet for each of its topics
  std::size_t packet_bytes = 0;
  std::size_t cycle_bytes = 0;
  std::size_t sent_of_cycle_bytes = 0;
  std::size_t unsent_bytes = 0;
  std::uint64_t receivers = 1;
  std::uint64_t outstanding = 0;  // deliveries, unsent ones included
};

template <class Connection>
struct Subscriber {
  Connection connection;
  std::string head;  // how each of its packets begins
  std::size_t payload_at = 0;
  std::size_t packet_bytes = 0;
  std::string unfinished;
};

template <class Connection>
class Traffic {
 public:
  /// `connect()` makes a Connection on which CONNECT can be sent.
  template <class Connect>
  Traffic(const Options& options, const Connect& connect)
      : window_(options.outstanding / options.publishers), buffer_(kReadBytes) {
    for (std::uint32_t at = 0; at < options.subscribers; ++at)
      add_subscriber(at, options, connect());
    for (std::uint32_t at = 0; at < options.publishers; ++at)
      add_publisher(at, options, connect());
  }

  void run_until(Clock::time_point end) {
    while (Clock::now() < end) {
      for (auto& publisher : publishers_)
        refill(publisher);
      turn();
    }
  }

  /// Waits for what is still on its way, and returns how many deliveries never came.
  [[nodiscard]] std::uint64_t drain() {
    auto end = Clock::now() + kDrainTimeout;
    while (outstanding() > 0 && Clock::now() < end) {
      const auto before = delivered_;
      for (auto& publisher : publishers_)
        flush(publisher);
      turn();
      if (delivered_ != before) end = Clock::now() + kDrainTimeout;
    }
    const auto lost = outstanding();
    for (auto& publisher : publishers_)
      publisher.outstanding = 0;
    return lost;
  }

  [[nodiscard]] std::uint64_t delivered() const { return delivered_; }

 private:
  static constexpr std::size_t kTurnDigits = 2;
  static constexpr std::uint32_t kFirstTurn = 10;  // so that all of them have two digits

  static std::string line_of(std::uint32_t topic) { return "bench/line/" + std::to_string(topic); }

  // The fixed header and the topic of a PUBLISH.
  static std::string publish_head(std::uint32_t topic, std::uint32_t turn, const Options& options) {
    const auto of_turn =
        options.topics_each > 1 ? "/" + std::to_string(kFirstTurn + turn) : std::string();
    const auto name = with_length(line_of(topic) + of_turn);
    auto whole = packet('\x30', name + std::string(options.payload_bytes, '\0'));
    whole.resize(whole.size() - options.payload_bytes);
    return whole;
  }

  static std::string connect_of(const std::string& client_id, const Options& options) {
    return options.password.empty() ? connect_packet(client_id)
                                    : login_packet(client_id, client_id, options.password);
  }

  void add_subscriber(std::uint32_t index, const Options& options, Connection connection) {
    const auto topic = index % options.topics;
    connection.send_whole(connect_of("bench-subscriber-" + std::to_string(index), options));
    connection.expect(kConnack);
    const bool has_turns = options.topics_each > 1;
    connection.send_whole(subscribe_packet(line_of(topic) + (has_turns ? "/+" : "")));
    connection.expect(kSuback);
    poll_.add(connection.socket(), subscribers_.size());
    const auto head = publish_head(topic, 0, options);
    const auto fixed_bytes = head.size() - (has_turns ? kTurnDigits : 0);
    subscribers_.push_back({.connection = std::move(connection),
                            .head = head.substr(0, fixed_bytes),
                            .payload_at = head.size(),
                            .packet_bytes = head.size() + options.payload_bytes,
                            .unfinished = {}});
  }

  void add_publisher(std::uint32_t index, const Options& options, Connection connection) {
    const auto topic = index % options.topics;
    connection.send_whole(connect_of("bench-publisher-" + std::to_string(index), options));
    connection.expect(kConnack);
    poll_.add(connection.socket(), options.subscribers + publishers_.size());
    std::string cycle;
    for (std::uint32_t turn = 0; turn < options.topics_each; ++turn) {
      cycle += connection.framed(publish_head(topic, turn, options) + two_bytes(index) +
                                 std::string(options.payload_bytes - 2, 'x'));
    }
    std::string batch;
    const auto copies = std::min<std::uint64_t>(window_ + 1, kBatchBytes / cycle.size() + 1);
    for (std::uint64_t copy = 0; copy < copies; ++copy)
      batch += cycle;
    publishers_.push_back({.connection = std::move(connection),
                           .batch = std::move(batch),
                           .packet_bytes = cycle.size() / options.topics_each,
                           .cycle_bytes = cycle.size(),
                           .receivers = receivers_of(topic, options)});
  }

  void refill(Publisher<Connection>& publisher) const {
    const auto room = window_ - publisher.outstanding;
    if (publisher.unsent_bytes == 0 && room >= std::max(window_ / 8, publisher.receivers)) {
      const auto messages = room / publisher.receivers;
      publisher.outstanding += messages * publisher.receivers;
      publisher.unsent_bytes = messages * publisher.packet_bytes;
    }
    flush(publisher);
  }

  static void flush(Publisher<Connection>& publisher) {
    while (publisher.unsent_bytes > 0) {
      const auto begin = publisher.sent_of_cycle_bytes;
      const auto size = std::min(publisher.batch.size() - begin, publisher.unsent_bytes);
      const auto sent =
          publisher.connection.send(std::string_view(publisher.batch).substr(begin, size));
      if (sent == 0) return;
      publisher.unsent_bytes -= sent;
      publisher.sent_of_cycle_bytes = (begin + sent) % publisher.cycle_bytes;
    }
  }

  void turn() {
    poll_.wait(kWait, [this](std::size_t index) {
      if (index >= subscribers_.size()) fail("the broker closed a publisher");
      auto& subscriber = subscribers_[index];
      do {
        receive(subscriber);
      } while (subscriber.connection.has_more());
    });
  }

  void receive(Subscriber<Connection>& subscriber) {
    const auto kept = subscriber.unfinished.copy(buffer_.data(), buffer_.size());
    const auto got = subscriber.connection.receive(buffer_.data() + kept, buffer_.size() - kept);
    if (got == 0) return;
    std::string_view bytes(buffer_.data(), kept + got);
    for (; bytes.size() >= subscriber.packet_bytes; bytes.remove_prefix(subscriber.packet_bytes)) {
      if (!bytes.starts_with(subscriber.head)) fail("a subscriber got what nobody sent it");
      count(bytes.substr(subscriber.payload_at, 2));
    }
    subscriber.unfinished = bytes;
  }

  void count(std::string_view origin) {
    const auto high = static_cast<unsigned char>(origin[0]);
    const std::size_t index = high * 256U + static_cast<unsigned char>(origin[1]);
    if (index >= publishers_.size() || publishers_[index].outstanding == 0) {
      fail("a message came more often than it was sent");
    }
    --publishers_[index].outstanding;
    ++delivered_;
  }

  [[nodiscard]] std::uint64_t outstanding() const {
    std::uint64_t sum = 0;
    for (const auto& publisher : publishers_)
      sum += publisher.outstanding;
    return sum;
  }

  const std::uint64_t window_;  // deliveries per publisher
  std::vector<char> buffer_;
  Poll poll_;
  std::vector<Publisher<Connection>> publishers_;
  std::vector<Subscriber<Connection>> subscribers_;
  std::uint64_t delivered_ = 0;
};

}  // namespace linnet::bench

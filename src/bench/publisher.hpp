// A client that publishes all that its window allows in one send, and again once an eighth of it is
// free; or, at a given rate, what is due.
#pragma once

#include <vector>

#include "base/random.hpp"
#include "bench/client.hpp"
#include "bench/traffic.hpp"

namespace linnet::bench {

/// How all publishers of a run publish.
struct PublishOrder {
  Qos qos = Qos::at_most_once;
  bool retain = false;
  std::uint32_t payload = 16;
  std::uint32_t inflight = 100;
  std::size_t batch_bytes = 0;    // of one send, if it holds more than one message
  std::uint64_t interval_ns = 0;  // between two messages of one publisher; 0: no rate
  std::uint64_t seed = 1;
};

/// As the settings say it.
[[nodiscard]] PublishOrder publish_order(const Settings& settings) noexcept;

class Publisher final : public Client {
 public:
  Publisher(const Place& place, Crowd& crowd, Traffic& traffic, const PublishOrder& order,
            std::uint32_t number);

  /// How many messages it may send in all, and (with a rate) when the first one is due.
  void start(std::uint64_t messages, std::uint64_t due_ns) noexcept {
    left_ = messages;
    due_ns_ = due_ns;
  }
  void stop() noexcept { left_ = 0; }
  [[nodiscard]] bool is_done() const noexcept { return left_ == 0; }
  /// Messages that the broker has not acknowledged yet.
  [[nodiscard]] std::uint32_t unacknowledged() const noexcept { return window_ - free_count(); }
  /// When the next message is due, with a rate.
  [[nodiscard]] std::uint64_t due_ns() const noexcept { return due_ns_; }

  /// Sends what may be sent now.
  void refill(std::uint64_t now);

 private:
  enum class Id : std::uint8_t { free, published, released };

  void on_connack(const ConnackAnswer& answer) override;
  [[nodiscard]] std::size_t on_bytes(std::string_view bytes) override;
  void on_flushed() override { traffic_.touch(number()); }
  /// Writes a PUBREL to `answer` if that is due, and says how many bytes that is.
  [[nodiscard]] std::size_t on_ack(const Found& found, char* answer);
  void release(std::uint16_t packet_id, ReasonCode reason);

  [[nodiscard]] std::uint32_t free_count() const noexcept {
    return static_cast<std::uint32_t>(free_ids_.size());
  }
  [[nodiscard]] bool may_begin(std::uint64_t now) const noexcept;
  [[nodiscard]] std::uint32_t choose();
  [[nodiscard]] std::size_t append(std::uint32_t stream, std::uint64_t time_ns, char* target);

  Traffic& traffic_;
  const PublishOrder& order_;
  const std::vector<std::uint32_t>& streams_;
  std::vector<PublishForm> forms_;  // by the place in `streams_`
  Random random_;

  std::uint64_t left_ = 0;
  std::uint64_t due_ns_ = 0;
  std::uint32_t at_ = 0;  // in `streams_`: the next one
  std::uint32_t window_ = 0;
  std::vector<std::uint16_t> free_ids_;
  std::vector<Id> ids_;                   // by packet identifier
  std::vector<std::uint32_t> stream_of_;  // by packet identifier
};

}  // namespace linnet::bench

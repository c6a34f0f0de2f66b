// Publishers and subscribers at work: keeps them going until what is wanted has happened. One
// thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "bench/publisher.hpp"
#include "bench/stage.hpp"
#include "bench/subscriber.hpp"

namespace linnet::bench {

class Pump {
 public:
  /// All of it outlives the pump.
  Pump(Stage& stage, Traffic& traffic) : stage_(stage), traffic_(traffic) {}

  /// Connects the publishers, or the subscribers.
  [[nodiscard]] bool add_publishers(const PublishOrder& order);
  [[nodiscard]] bool add_subscribers(Subscriber::Purpose purpose, bool clean = true);
  /// Lets each of them go in good order.
  [[nodiscard]] bool end_publishers();
  [[nodiscard]] bool end_subscribers();
  [[nodiscard]] std::vector<std::unique_ptr<Subscriber>>& subscribers() noexcept {
    return subscribers_;
  }

  /// This many messages from now on, all publishers together; 0: as many as can be.
  void start(std::uint64_t messages);
  void stop();

  enum class Outcome : std::uint8_t {
    done,
    silent,   // something is due, and has not come for `wait_ms`
    stopped,  // a fault, or somebody wants the run to end
  };
  using Done = std::function<bool(std::uint64_t now)>;
  /// Runs until `done`; that is asked after each turn, and at `until` at the latest.
  [[nodiscard]] Outcome run(const Done& done, std::uint64_t until);
  /// Runs until all that was sent has been acknowledged and delivered, or nothing comes any more;
  /// also after the first interrupt. Then asks each client whether that was all. False if the run
  /// cannot go on.
  [[nodiscard]] bool drain();

  /// Publishers have sent all of their messages, and the broker has acknowledged them.
  [[nodiscard]] bool is_published() const;
  /// Interrupts that run() and drain() do not stop at.
  void ignore_interrupts(int count) noexcept { ignored_interrupts_ = count; }

 private:
  [[nodiscard]] bool may_go_on() const noexcept;
  /// Silence means nothing.
  [[nodiscard]] bool nothing_is_due() const;
  void refill();
  void keep_alive(std::uint64_t now);
  [[nodiscard]] std::uint64_t next_due(std::uint64_t otherwise) const;
  [[nodiscard]] std::uint64_t unacknowledged() const;
  /// All answer to a PINGREQ, behind everything else that they were sent.
  [[nodiscard]] bool ping_all();

  Stage& stage_;
  Traffic& traffic_;
  PublishOrder order_;
  Crowd publishing_;
  Crowd subscribing_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::uint64_t next_ping_ = 0;
  int ignored_interrupts_ = 0;
};

}  // namespace linnet::bench

// The books of a run: what publishers have sent, what has come of it, and how long it took. One
// thread; the path of a message through it allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/histogram.hpp"
#include "bench/plan.hpp"
#include "bench/tally.hpp"
#include "bench/wire.hpp"

namespace linnet::bench {

class Traffic {
 public:
  Traffic(const Settings& settings, Plan plan);
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  // Publishers ----------------------------------------------------------------------------------

  /// May this publisher send a message of this stream?
  [[nodiscard]] bool has_room(std::uint32_t publisher, std::uint32_t stream) const noexcept {
    const std::int64_t outstanding = ledgers_[publisher].outstanding;
    return outstanding <= 0 || outstanding + plan_.streams[stream].fanout <= share_;
  }
  /// An eighth of what it may send is free, or more.
  [[nodiscard]] bool is_worth_while(std::uint32_t publisher) const noexcept {
    return ledgers_[publisher].outstanding <= share_ - (share_ + 7) / 8;
  }
  /// Books a message, and gives it its number.
  [[nodiscard]] std::uint32_t book(std::uint32_t publisher, std::uint32_t stream) noexcept {
    const std::uint32_t fanout = plan_.streams[stream].fanout;
    ledgers_[publisher].outstanding += fanout;
    expected_ += fanout;
    ++sent_total_;
    return sent_[stream]++;
  }
  void acknowledge(std::uint32_t publisher) {
    ++acknowledged_;
    touch(publisher);
  }
  /// The broker does not take this message.
  void refuse(std::uint32_t publisher, std::uint32_t stream, ReasonCode reason);
  /// Something has changed for this publisher.
  void touch(std::uint32_t publisher) {
    Ledger& ledger = ledgers_[publisher];
    if (ledger.touched) return;
    ledger.touched = true;
    touched_.push_back(publisher);
  }
  /// Those for whom something has changed; `on_publisher` may touch them again.
  template <class OnPublisher>
  void for_each_touched(const OnPublisher& on_publisher) {
    touched_.swap(working_);
    for (const std::uint32_t publisher : working_) {
      ledgers_[publisher].touched = false;
      on_publisher(publisher);
    }
    working_.clear();
  }

  /// Somebody may go on at once.
  [[nodiscard]] bool has_touched() const noexcept { return !touched_.empty(); }

  // Subscribers ---------------------------------------------------------------------------------

  /// Of each receiver of the plan, in its order, before the first take().
  [[nodiscard]] const Tally::Receiver& receiver(std::uint32_t number) const {
    return receivers_[number];
  }

  void take(const Tally::Receiver& receiver, std::uint32_t member, std::string_view payload,
            std::uint64_t now) {
    if (payload.size() != payload_ || !numbered_) return take_odd(payload);
    const Stamp stamp = read_stamp(payload);
    const Counted counted = shared_ ? shared_->count(member, stamp.stream, stamp.number)
                                    : tally_.count(receiver, stamp.stream, stamp.number);
    if (!counted.fresh) return;
    ++delivered_;
    settle(plan_.streams[stamp.stream].publisher, counted.settled);
    if (measuring && timed_) latency.add(now > stamp.time_ns ? now - stamp.time_ns : 0);
  }

  // All -----------------------------------------------------------------------------------------

  [[nodiscard]] const Plan& plan() const noexcept { return plan_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_total_; }
  [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  [[nodiscard]] ReasonCode refusal() const noexcept { return refusal_; }
  /// Deliveries, each counted once.
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }
  /// Deliveries that were due and have not come.
  [[nodiscard]] std::uint64_t missing() const noexcept {
    return expected_ > delivered_ ? expected_ - delivered_ : 0;
  }
  /// Of these, what was not written off.
  [[nodiscard]] std::uint64_t awaited() const noexcept {
    return missing() > written_off_ ? missing() - written_off_ : 0;
  }
  [[nodiscard]] Anomalies anomalies() const;
  /// Deliveries that may be under way at one time.
  [[nodiscard]] std::uint64_t limit() const noexcept { return limit_; }
  /// Waits no longer for what has not come so far. It is counted all the same if it comes.
  void write_off();

  bool measuring = false;  // latencies
  Histogram latency;

 private:
  struct Ledger {
    std::int64_t outstanding = 0;  // deliveries; less than 0 where more has come than was due
    bool touched = false;
  };

  void settle(std::uint32_t publisher, std::uint32_t deliveries) {
    ledgers_[publisher].outstanding -= deliveries;
    touch(publisher);
  }
  void take_odd(std::string_view payload);

  // Constant after construction.
  const Plan plan_;
  const std::size_t payload_;
  const bool numbered_;
  const bool timed_;
  std::uint64_t limit_ = 0;
  std::int64_t share_ = 0;  // of each publisher
  std::vector<Tally::Receiver> receivers_;

  std::vector<std::uint32_t> sent_;  // by stream
  std::vector<Ledger> ledgers_;      // by publisher
  std::vector<std::uint32_t> touched_;
  std::vector<std::uint32_t> working_;
  Tally tally_{sent_};
  std::optional<SharedTally> shared_;
  std::uint64_t sent_total_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t refused_ = 0;
  ReasonCode refusal_ = ReasonCode::success;
  std::uint64_t expected_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t written_off_ = 0;
  std::uint64_t odd_ = 0;  // of another size than all that was sent
  std::uint32_t turn_ = 0;
};

}  // namespace linnet::bench

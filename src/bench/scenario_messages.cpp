#include "bench/pump.hpp"
#include "bench/scenarios.hpp"

namespace linnet::bench {

namespace {

/// The warm-up, what is measured, and the rest of it that is still on its way.
class MessageRun {
 public:
  explicit MessageRun(Stage& stage)
      : stage_(stage),
        settings_(stage.settings()),
        traffic_(settings_, make_plan(settings_, stage.run_name())),
        pump_(stage, traffic_) {}

  void go() {
    if (!pump_.add_subscribers(Subscriber::Purpose::subscribe)) return;
    if (!pump_.add_publishers(publish_order(settings_))) return;
    pump_.start(settings_.messages);
    if (settings_.messages > 0) {
      by_number();
    } else {
      by_clock();
    }
    stage_.note_memory();
    stage_.take_books(traffic_);
    if (!stage_.loop().fault().empty()) return;
    (void)pump_.end_publishers();
    (void)pump_.end_subscribers();
  }

 private:
  [[nodiscard]] Mark mark() const { return stage_.mark(traffic_.delivered(), traffic_.sent()); }

  /// Goes on over silences, in which what was due is written off.
  void run_until(const Pump::Done& done, std::uint64_t until) {
    std::uint64_t last = ~std::uint64_t{0};
    while (pump_.run(done, until) == Pump::Outcome::silent) {
      const std::uint64_t progress = traffic_.delivered() + traffic_.acknowledged();
      if (progress == last) return stage_.loop().fail("the broker takes no more messages");
      last = progress;
      ++stage_.report().stalls;
      traffic_.write_off();
    }
  }

  void by_clock() {
    const std::uint64_t began = now_ns();
    const std::uint64_t warm = began + settings_.warmup_ms * kMillisecondNs;
    stage_.progress().begin("warm-up", began);
    run_until([warm](std::uint64_t now) { return now >= warm; }, warm);
    const Mark from = mark();
    traffic_.measuring = true;
    stage_.progress().begin("run", from.time_ns, from.count);
    const std::uint64_t end = from.time_ns + settings_.duration_ms * kMillisecondNs;
    run_until([end](std::uint64_t now) { return now >= end; }, end);
    const Mark to = mark();
    traffic_.measuring = false;
    pump_.stop();
    add_phase(from, to);
    (void)pump_.drain();
  }

  void by_number() {
    const Mark from = mark();
    traffic_.measuring = true;
    stage_.progress().begin("run", from.time_ns, from.count);
    Mark to = from;
    const auto done = [&](std::uint64_t) {
      return pump_.is_published() && traffic_.awaited() == 0;
    };
    run_until(done, ~std::uint64_t{0});
    to = mark();
    pump_.stop();
    (void)pump_.drain();
    add_phase(from, to);
  }

  void add_phase(const Mark& from, const Mark& to) {
    Phase& phase = stage_.add_phase("run", "delivery", from, to);
    phase.sent = to.sent - from.sent;
    if (settings_.is_timed()) phase.latency = Latency::of(traffic_.latency);
  }

  Stage& stage_;
  const Settings& settings_;
  Traffic traffic_;
  Pump pump_;
};

}  // namespace

void run_messages(Stage& stage) {
  MessageRun(stage).go();
}

}  // namespace linnet::bench

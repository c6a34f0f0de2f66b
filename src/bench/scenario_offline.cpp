#include <algorithm>

#include "bench/pump.hpp"
#include "bench/scenarios.hpp"

namespace linnet::bench {

namespace {

constexpr std::uint64_t kNoEnd = ~std::uint64_t{0};

/// Nothing is delivered while it is sent, so nothing may wait for that.
Settings without_outstanding(const Settings& settings, const Plan& plan) {
  Settings open = settings;
  constexpr std::uint64_t kEnough = 1'000'000'000'000;
  const std::uint64_t all = settings.messages * std::max<std::uint64_t>(plan.fanout_max(), 1);
  // Each publisher gets its share of it, and may need all.
  open.outstanding = std::min(all + 1, kEnough) * settings.publishers;
  return open;
}

class OfflineRun {
 public:
  OfflineRun(Stage& stage, const Plan& plan)
      : stage_(stage),
        traffic_(without_outstanding(stage.settings(), plan), plan),
        pump_(stage, traffic_) {}

  void go() {
    if (!pump_.add_subscribers(Subscriber::Purpose::subscribe, false)) return;
    if (!pump_.end_subscribers()) return;
    const bool done = queue() && drain();
    stage_.note_memory();
    stage_.take_books(traffic_);
    if (done) forget();
  }

 private:
  [[nodiscard]] bool queue() {
    if (!pump_.add_publishers(publish_order(stage_.settings()))) return false;
    const Mark from = stage_.mark(0);
    stage_.progress().begin("queue", from.time_ns);
    pump_.start(stage_.settings().messages);
    const auto outcome = pump_.run([&](std::uint64_t) { return pump_.is_published(); }, kNoEnd);
    stage_.add_phase("queue", "message", from, stage_.mark(traffic_.acknowledged()));
    if (outcome == Pump::Outcome::silent)
      stage_.loop().fail("the broker acknowledges no more of what it is to keep");
    return outcome == Pump::Outcome::done && pump_.end_publishers();
  }

  [[nodiscard]] bool drain() {
    const Mark from = stage_.mark(0);
    if (!pump_.add_subscribers(Subscriber::Purpose::resume, false)) return false;
    stage_.progress().begin("drain", from.time_ns);
    const auto all_here = [&](std::uint64_t) { return traffic_.awaited() == 0; };
    Mark to = from;
    const auto outcome = pump_.run(
        [&](std::uint64_t now) {
          if (traffic_.delivered() != to.count) to.count = traffic_.delivered(), to.time_ns = now;
          return all_here(now);
        },
        kNoEnd);
    // A silence at the end is no part of the work.
    const std::uint64_t last = to.time_ns;
    to = stage_.mark(traffic_.delivered());
    if (outcome == Pump::Outcome::silent) to.time_ns = last;
    stage_.add_phase("drain", "delivery", from, to);
    traffic_.write_off();
    return outcome != Pump::Outcome::stopped && pump_.drain();
  }

  /// The broker is to be left as it was.
  void forget() {
    if (!pump_.end_subscribers()) return;
    if (pump_.add_subscribers(Subscriber::Purpose::wait)) (void)pump_.end_subscribers();
  }

  Stage& stage_;
  Traffic traffic_;
  Pump pump_;
};

}  // namespace

void run_offline(Stage& stage) {
  OfflineRun(stage, make_plan(stage.settings(), stage.run_name())).go();
}

}  // namespace linnet::bench

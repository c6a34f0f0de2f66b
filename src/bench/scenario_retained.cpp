#include "bench/pump.hpp"
#include "bench/scenarios.hpp"

namespace linnet::bench {

namespace {

constexpr std::uint64_t kNoEnd = ~std::uint64_t{0};

Plan without_receivers(Plan plan) {
  plan.receivers.clear();
  for (Plan::Stream& stream : plan.streams)
    stream.fanout = 0;
  return plan;
}

/// Publishes one retained message to each topic: with the payload it is set, without it cleared.
class Retainer {
 public:
  Retainer(Stage& stage, const Plan& plan, std::uint32_t payload)
      : stage_(stage),
        settings_(with_payload(stage.settings(), payload)),
        traffic_(settings_, without_receivers(plan)),
        pump_(stage, traffic_) {}

  [[nodiscard]] bool go(const char* phase) {
    PublishOrder order = publish_order(settings_);
    order.retain = true;
    if (!pump_.add_publishers(order)) return false;
    const Mark from = stage_.mark(0);
    stage_.progress().begin(phase, from.time_ns);
    pump_.start(settings_.topics);
    const auto outcome = pump_.run([&](std::uint64_t) { return pump_.is_published(); }, kNoEnd);
    // The answers to PINGREQ come behind what QoS 0 has no answer to.
    const bool drained = outcome == Pump::Outcome::done && pump_.drain();
    stage_.add_phase(phase, "message", from, stage_.mark(traffic_.sent() - traffic_.refused()));
    if (outcome == Pump::Outcome::silent)
      stage_.loop().fail("the broker acknowledges no more retained messages");
    stage_.take_books(traffic_);
    return drained && stage_.loop().may_go_on() && pump_.end_publishers();
  }

 private:
  static Settings with_payload(Settings settings, std::uint32_t payload) {
    settings.payload = payload;
    return settings;
  }

  Stage& stage_;
  const Settings settings_;
  Traffic traffic_;
  Pump pump_;
};

/// Subscribes, and gets the retained message of each topic.
void fetch(Stage& stage, const Plan& plan) {
  Traffic traffic(stage.settings(), plan);
  Pump pump(stage, traffic);
  // What was set is what is due.
  for (std::uint32_t stream = 0; stream < plan.streams.size(); ++stream)
    (void)traffic.book(plan.streams[stream].publisher, stream);
  const auto& subscribers = pump.subscribers();
  if (!pump.add_subscribers(Subscriber::Purpose::wait)) return;
  const Mark from = stage.mark(0);
  stage.progress().begin("fetch", from.time_ns);
  for (const auto& subscriber : subscribers)
    subscriber->subscribe();
  Mark last = from;
  const auto outcome = pump.run(
      [&](std::uint64_t now) {
        if (traffic.delivered() != last.count) last.count = traffic.delivered(), last.time_ns = now;
        return traffic.awaited() == 0;
      },
      kNoEnd);
  Mark to = stage.mark(traffic.delivered());
  // A silence at the end is no part of the work.
  if (outcome == Pump::Outcome::silent) to.time_ns = last.time_ns;
  stage.add_phase("fetch", "delivery", from, to);
  traffic.write_off();
  if (outcome != Pump::Outcome::stopped) (void)pump.drain();
  stage.take_books(traffic);
  if (stage.loop().may_go_on()) (void)pump.end_subscribers();
}

}  // namespace

void run_retained(Stage& stage) {
  const Plan plan = make_plan(stage.settings(), stage.run_name());
  if (!Retainer(stage, plan, stage.settings().payload).go("set")) return;
  fetch(stage, plan);
  stage.note_memory();
  // The broker is to be left as it was.
  if (stage.loop().may_go_on()) (void)Retainer(stage, plan, 0).go("clear");
}

}  // namespace linnet::bench

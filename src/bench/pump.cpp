#include "bench/pump.hpp"

#include <algorithm>

#include "base/cat.hpp"

namespace linnet::bench {

namespace {

constexpr std::uint64_t kTurnNs = 100 * kMillisecondNs;

}  // namespace

bool Pump::add_publishers(const PublishOrder& order) {
  order_ = order;
  const auto count = stage_.settings().publishers;
  publishers_.reserve(count);
  return stage_.begin_all(publishing_, count, [&](std::uint32_t number) {
    publishers_.push_back(
        std::make_unique<Publisher>(stage_.place(), publishing_, traffic_, order_, number));
    publishers_.back()->begin(stage_.connect_packet("p", number));
  });
}

bool Pump::add_subscribers(Subscriber::Purpose purpose, bool clean) {
  const auto count = stage_.settings().subscribers;
  const Qos qos = stage_.settings().qos;
  const bool again = !subscribers_.empty();
  return stage_.begin_all(subscribing_, count, [&](std::uint32_t number) {
    if (!again) {
      subscribers_.push_back(
          std::make_unique<Subscriber>(stage_.place(), subscribing_, traffic_, number, qos));
    }
    subscribers_[number]->set_purpose(purpose);
    subscribers_[number]->begin(stage_.connect_packet("s", number, clean));
  });
}

bool Pump::end_publishers() {
  return stage_.end_all(publishing_, static_cast<std::uint32_t>(publishers_.size()),
                        [&](std::uint32_t number) { publishers_[number]->end(); });
}

bool Pump::end_subscribers() {
  return stage_.end_all(subscribing_, static_cast<std::uint32_t>(subscribers_.size()),
                        [&](std::uint32_t number) { subscribers_[number]->end(); });
}

void Pump::start(std::uint64_t messages) {
  const std::uint64_t now = now_ns();
  const std::size_t count = publishers_.size();
  for (std::size_t number = 0; number < count; ++number) {
    // With a rate they take turns, evenly.
    const std::uint64_t due = now + order_.interval_ns * number / count;
    // The first ones send one more if it does not come out even.
    const std::uint64_t share = (messages + count - 1 - number) / count;
    // What a number of 32 bits can tell apart.
    constexpr std::uint64_t kMost = 4'000'000'000;
    publishers_[number]->start(messages == 0 ? kMost : share, due);
    traffic_.touch(static_cast<std::uint32_t>(number));
  }
}

void Pump::stop() {
  for (const auto& publisher : publishers_)
    publisher->stop();
}

void Pump::refill() {
  if (order_.interval_ns > 0) {
    for (const auto& publisher : publishers_)
      publisher->refill(now_ns());
    traffic_.for_each_touched([](std::uint32_t) {});
    return;
  }
  traffic_.for_each_touched([this](std::uint32_t number) {
    if (number < publishers_.size()) publishers_[number]->refill(now_ns());
  });
}

std::uint64_t Pump::next_due(std::uint64_t otherwise) const {
  if (order_.interval_ns == 0) return traffic_.has_touched() ? 0 : otherwise;
  std::uint64_t next = otherwise;
  const std::uint64_t now = stage_.loop().now();
  for (const auto& publisher : publishers_) {
    // Who is late waits for something else: room.
    if (!publisher->is_done() && publisher->due_ns() > now)
      next = std::min(next, publisher->due_ns());
  }
  return next;
}

std::uint64_t Pump::unacknowledged() const {
  std::uint64_t count = 0;
  for (const auto& publisher : publishers_)
    count += publisher->unacknowledged();
  return count;
}

bool Pump::is_published() const {
  return std::all_of(publishers_.begin(), publishers_.end(), [](const auto& publisher) {
    return publisher->is_done() && publisher->unacknowledged() == 0;
  });
}

bool Pump::nothing_is_due() const {
  if (traffic_.awaited() > 0 || unacknowledged() > 0) return false;
  return order_.interval_ns > 0 || is_published();
}

bool Pump::may_go_on() const noexcept {
  const Loop& loop = stage_.loop();
  return loop.fault().empty() && loop.interrupts() <= ignored_interrupts_;
}

void Pump::keep_alive(std::uint64_t now) {
  const auto shortest = [](std::uint16_t a, std::uint16_t b) {
    return a == 0 ? b : b == 0 ? a : std::min(a, b);
  };
  const std::uint64_t keep_alive_s = shortest(publishing_.keep_alive_s, subscribing_.keep_alive_s);
  if (keep_alive_s == 0 || now < next_ping_) return;
  if (next_ping_ > 0) {
    for (const auto& publisher : publishers_)
      if (publisher->is_open()) publisher->ping();
    for (const auto& subscriber : subscribers_)
      if (subscriber->is_open()) subscriber->ping();
  }
  next_ping_ = now + keep_alive_s * kSecondNs / 2;
}

Pump::Outcome Pump::run(const Done& done, std::uint64_t until) {
  const std::uint64_t wait_ns = stage_.settings().wait_ms * kMillisecondNs;
  std::uint64_t last_ns = now_ns();
  std::uint64_t last = 0;
  while (may_go_on()) {
    refill();
    const std::uint64_t now = now_ns();
    if (done(now)) return Outcome::done;
    stage_.progress().show(
        traffic_.delivered() > 0 ? traffic_.delivered() : traffic_.acknowledged(),
        traffic_.awaited(), now);
    keep_alive(now);
    const std::uint64_t count = traffic_.delivered() + traffic_.acknowledged() + traffic_.sent();
    if (count != last || nothing_is_due()) {
      last = count;
      last_ns = now;
    } else if (now - last_ns > wait_ns) {
      return Outcome::silent;
    }
    stage_.loop().turn(std::min({next_due(now + kTurnNs), until, now + kTurnNs}));
  }
  return Outcome::stopped;
}

bool Pump::drain() {
  ignore_interrupts(1);
  const auto done = [this](std::uint64_t) {
    return traffic_.awaited() == 0 && unacknowledged() == 0;
  };
  constexpr std::uint64_t kNoEnd = ~std::uint64_t{0};
  const Outcome outcome = run(done, kNoEnd);
  if (outcome == Outcome::silent && unacknowledged() > 0) {
    stage_.loop().fail(cat(stage_.place().target.text(), " acknowledges no more; it owes ",
                           unacknowledged(), " acknowledgements"));
  }
  return outcome != Outcome::stopped && may_go_on() && ping_all();
}

bool Pump::ping_all() {
  for (const auto& publisher : publishers_)
    if (publisher->is_open()) publisher->ping();
  for (const auto& subscriber : subscribers_)
    if (subscriber->is_open()) subscriber->ping();
  const auto answered = [this](std::uint64_t) {
    return publishing_.pongs + subscribing_.pongs >= publishing_.pings + subscribing_.pings;
  };
  const std::uint64_t until = now_ns() + stage_.settings().wait_ms * kMillisecondNs;
  while (may_go_on() && !answered(0)) {
    const std::uint64_t now = now_ns();
    if (now >= until) {
      stage_.loop().fail(cat(stage_.place().target.text(), " does not answer PINGREQ"));
      return false;
    }
    stage_.loop().turn(std::min(until, now + kTurnNs));
  }
  return may_go_on();
}

}  // namespace linnet::bench

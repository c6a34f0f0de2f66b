#include "bench/stage.hpp"

#include "base/cat.hpp"
#include "base/random.hpp"

namespace linnet::bench {

namespace {

/// Few enough for the queue of any listener, enough to keep the broker busy.
constexpr std::uint32_t kOpeningMax = 100;
constexpr std::uint64_t kTurnNs = 100 * kMillisecondNs;
/// A broker that does not answer CONNECT for so long does not answer.
constexpr std::uint64_t kAnswerNs = 10 * kSecondNs;

std::string hex6(std::uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int digit = 0; digit < 6; ++digit, number >>= 4)
    text += kDigits[number & 15];
  return text;
}

/// Long enough for any broker to close what it has been told to.
constexpr std::uint64_t kGoodbyeNs = 2 * kSecondNs;

}  // namespace

Stage::Stage(const Settings& settings, Loop& loop, Target& target, Report& report,
             Progress& progress)
    : settings_(settings),
      place_{loop, target, settings.version},
      report_(report),
      progress_(progress),
      run_name_(hex6(Random().u64())) {}

std::string Stage::connect_packet(const char* kind, std::uint32_t number, bool clean) const {
  // At most 23 bytes, as MQTT 3.1 wants it.
  const std::string id = cat("bench-", run_name_, '-', kind, number);
  return bench::connect_packet({id, settings_.user, settings_.password, settings_.version, clean});
}

bool Stage::wait_until(const std::function<bool()>& done,
                       const std::function<std::uint64_t()>& progress, const char* what) {
  std::uint64_t last = progress();
  std::uint64_t last_ns = now_ns();
  while (loop().may_go_on()) {
    if (done()) return true;
    const std::uint64_t now = now_ns();
    if (const std::uint64_t count = progress(); count != last) {
      last = count;
      last_ns = now;
    } else if (now - last_ns > kAnswerNs) {
      loop().fail(cat(place_.target.text(), ' ', what, " for ", kAnswerNs / kSecondNs, " s"));
      return false;
    }
    loop().turn(now + kTurnNs);
  }
  return false;
}

bool Stage::begin_all(Crowd& crowd, std::uint32_t count, const Each& begin) {
  const std::uint32_t wanted = crowd.ready + count;
  std::uint32_t begun = 0;
  progress_.begin("connecting", now_ns());
  return wait_until(
      [&] {
        while (begun < count && crowd.opening < kOpeningMax && loop().fault().empty())
          begin(begun++);
        progress_.show(crowd.ready, crowd.opening, loop().now());
        return crowd.ready == wanted;
      },
      [&] { return crowd.ready; }, "does not answer those who connect");
}

bool Stage::end_all(Crowd& crowd, std::uint32_t count, const Each& end) {
  const std::uint32_t wanted = crowd.ended + count;
  for (std::uint32_t number = 0; number < count; ++number)
    end(number);
  // Some brokers leave it to the client to close.
  const std::uint64_t until = now_ns() + kGoodbyeNs;
  return wait_until([&] { return crowd.ended >= wanted || now_ns() >= until; },
                    [&] { return crowd.ended; }, "does not close connections");
}

Mark Stage::mark(std::uint64_t count, std::uint64_t sent) const {
  Mark mark{now_ns(), count, sent, std::nullopt, own_usage()};
  if (settings_.pid != 0) mark.broker = usage_of(settings_.pid);
  return mark;
}

Phase& Stage::add_phase(const char* name, const char* unit, const Mark& from, const Mark& to) {
  Phase phase;
  phase.name = name;
  phase.unit = unit;
  phase.seconds = static_cast<double>(to.time_ns - from.time_ns) / 1e9;
  phase.count = to.count - from.count;
  if (from.broker && to.broker) phase.broker = to.broker->since(*from.broker);
  phase.generator = to.generator.since(from.generator);
  report_.phases.push_back(std::move(phase));
  return report_.phases.back();
}

void Stage::note_memory() {
  if (settings_.pid == 0) return;
  if (const auto memory = memory_of(settings_.pid)) report_.broker_memory = memory;
}

void Stage::let_rest() {
  if (settings_.pid == 0) return;
  constexpr std::uint64_t kRestNs = 500 * kMillisecondNs;
  constexpr std::uint64_t kRestMaxNs = 10 * kSecondNs;
  constexpr double kNothingUs = 2'000;
  const std::uint64_t end = now_ns() + kRestMaxNs;
  double last_us = -kNothingUs;
  while (loop().may_go_on() && now_ns() < end) {
    const auto usage = usage_of(settings_.pid);
    if (!usage || usage->cpu_us - last_us < kNothingUs) return;
    last_us = usage->cpu_us;
    for (const std::uint64_t step = now_ns() + kRestNs; loop().may_go_on() && now_ns() < step;)
      loop().turn(step);
  }
}

void Stage::take_books(const Traffic& traffic) {
  const bool broken_off = !loop().fault().empty() || loop().interrupts() > 1;
  (broken_off ? report_.pending : report_.lost) += traffic.missing();
  const Anomalies anomalies = traffic.anomalies();
  report_.duplicated += anomalies.duplicated;
  report_.disordered += anomalies.disordered;
  report_.alien += anomalies.alien;
  report_.exact = report_.exact && anomalies.exact;
  report_.refused += traffic.refused();
  if (traffic.refused() > 0) report_.refusal = reason_text(traffic.refusal());
}

}  // namespace linnet::bench

#include <string_view>

#include <boost/json.hpp>

#include "bench/report.hpp"

namespace linnet::bench {

namespace {

namespace json = boost::json;

json::object usage_json(const Usage& usage, const Phase& phase) {
  json::object object{{"cpu_us", usage.cpu_us},
                      {"voluntary_switches", usage.voluntary_switches},
                      {"forced_switches", usage.forced_switches}};
  if (usage.is_divided()) {
    object["user_us"] = usage.user_us();
    object["system_us"] = usage.system_us();
  }
  if (phase.count > 0) object["cpu_us_each"] = usage.cpu_us / static_cast<double>(phase.count);
  if (phase.seconds > 0) object["cpu_percent"] = usage.cpu_us / 1e4 / phase.seconds;
  return object;
}

json::object latency_json(const Latency& latency) {
  const auto us = [](std::uint64_t time_ns) { return static_cast<double>(time_ns) / 1e3; };
  return {{"count", latency.count},    {"p50", us(latency.p50_ns)},    {"p90", us(latency.p90_ns)},
          {"p99", us(latency.p99_ns)}, {"p99_9", us(latency.p999_ns)}, {"max", us(latency.max_ns)}};
}

json::object phase_json(const Phase& phase) {
  json::object object{{"name", phase.name},
                      {"unit", phase.unit},
                      {"seconds", phase.seconds},
                      {"count", phase.count}};
  if (phase.seconds > 0) object["per_second"] = static_cast<double>(phase.count) / phase.seconds;
  if (phase.sent) object["sent"] = *phase.sent;
  if (phase.latency) object["latency_us"] = latency_json(*phase.latency);
  if (phase.bytes_each) object["bytes_each"] = *phase.bytes_each;
  if (phase.broker) object["broker"] = usage_json(*phase.broker, phase);
  object["generator"] = usage_json(phase.generator, phase);
  return object;
}

json::object settings_json(const Settings& settings) {
  json::object object{{"scenario", name_of(settings.scenario)},
                      {"url", settings.url.text()},
                      {"protocol", static_cast<std::uint8_t>(settings.version)}};
  if (settings.scenario == Scenario::idle || settings.scenario == Scenario::connect) {
    object["clients"] = settings.clients;
    return object;
  }
  object["qos"] = static_cast<std::uint8_t>(settings.qos);
  object["payload"] = settings.payload;
  object["publishers"] = settings.publishers;
  object["subscribers"] = settings.subscribers;
  object["topics"] = settings.topics;
  object["rate"] = settings.rate;
  object["inflight"] = settings.inflight;
  object["seed"] = settings.seed;
  return object;
}

}  // namespace

std::string report_json(const Settings& settings, const Report& report) {
  json::object object = settings_json(settings);
  object["ok"] = report.is_good(settings);
  if (!report.fault.empty()) object["error"] = report.fault;
  object["interrupted"] = report.interrupted;
  object["lost"] = report.lost;
  object["pending"] = report.pending;
  // What the payload has no room for is not known, which is not the same as none.
  if (settings.is_numbered()) {
    object["duplicated"] = report.duplicated;
    object["out_of_order"] = report.disordered;
    object["exact"] = report.exact;
  } else {
    object["duplicated"] = nullptr;
    object["out_of_order"] = nullptr;
  }
  object["alien"] = report.alien;
  object["refused"] = report.refused;
  if (report.refused > 0) object["refusal"] = report.refusal;
  object["stalls"] = report.stalls;
  json::array phases;
  for (const Phase& phase : report.phases)
    phases.push_back(phase_json(phase));
  object["phases"] = std::move(phases);
  if (report.broker_memory) {
    object["broker_memory"] = {{"resident_bytes", report.broker_memory->resident_bytes},
                               {"anonymous_bytes", report.broker_memory->anonymous_bytes},
                               {"peak_bytes", report.broker_memory->peak_bytes}};
  }
  return json::serialize(object);
}

}  // namespace linnet::bench

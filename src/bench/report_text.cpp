#include <cmath>
#include <string_view>

#include "base/cat.hpp"
#include "bench/figures.hpp"
#include "bench/report.hpp"

namespace linnet::bench {

namespace {

/// A line: what it is about, and what there is to say.
void add_line(std::string& text, std::string_view about, std::string_view what) {
  constexpr std::size_t kColumn = 14;
  std::string line = cat("  ", about);
  line.resize(std::max(kColumn, line.size() + 1), ' ');
  text.append(line).append(what).append("\n");
}

std::string count_text(std::uint64_t count, std::string_view one, std::string_view many) {
  return cat(grouped(count), ' ', count == 1 ? one : many);
}

std::string headline(const Settings& settings) {
  std::string text = cat("linnet bench ", name_of(settings.scenario), ": ", settings.url.text(),
                         ", ", name_of(settings.version));
  if (settings.scenario == Scenario::idle || settings.scenario == Scenario::connect)
    return cat(text, ", ", count_text(settings.clients, "client", "clients"), "\n");
  text += cat(", QoS ", static_cast<std::uint8_t>(settings.qos), ", ", settings.payload, " B, ",
              count_text(settings.publishers, "publisher", "publishers"), ", ",
              count_text(settings.subscribers, "subscriber", "subscribers"), ", ",
              count_text(settings.topics, "topic", "topics"));
  if (settings.rate > 0) text += cat(", ", grouped(settings.rate), " messages a second");
  return text + "\n";
}

std::string rate_text(std::uint64_t count, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(count) / seconds : 0;
  return cat(grouped(static_cast<std::uint64_t>(std::llround(rate))), "/s  (", grouped(count),
             " in ", fixed(seconds, seconds < 1 ? 4 : 2), " s)");
}

std::string cost_text(const Usage& usage, const Phase& phase) {
  std::string text;
  if (phase.count > 0) {
    const auto count = static_cast<double>(phase.count);
    text = cat(fixed(usage.cpu_us / count, 3), " us of CPU for each ", phase.unit);
    if (usage.is_divided()) {
      text += cat(" (user ", fixed(usage.user_us() / count, 3), ", system ",
                  fixed(usage.system_us() / count, 3), ")");
    }
    text += ", ";
  }
  const double percent = phase.seconds > 0 ? usage.cpu_us / 1e4 / phase.seconds : 0;
  return cat(text, fixed(percent, 0),
             " % of a core, context switches: ", grouped(usage.voluntary_switches), " voluntary, ",
             grouped(usage.forced_switches), " forced");
}

std::string latency_text(const Latency& latency) {
  return cat("p50 ", time_text(latency.p50_ns), ", p90 ", time_text(latency.p90_ns), ", p99 ",
             time_text(latency.p99_ns), ", p99.9 ", time_text(latency.p999_ns), ", max ",
             time_text(latency.max_ns));
}

std::string plural_of(std::string_view unit) {
  return unit == "delivery" ? std::string("delivered") : cat(unit, 's');
}

void add_phase(std::string& text, const Phase& phase) {
  text += cat(phase.name, ":\n");
  if (phase.sent) add_line(text, "sent", rate_text(*phase.sent, phase.seconds));
  add_line(text, plural_of(phase.unit), rate_text(phase.count, phase.seconds));
  if (phase.bytes_each)
    add_line(text, "memory", cat(fixed(*phase.bytes_each, 0), " B of the broker's for each"));
  if (phase.latency) add_line(text, "latency", latency_text(*phase.latency));
  if (phase.broker) add_line(text, "broker", cost_text(*phase.broker, phase));
  add_line(text, "generator", cost_text(phase.generator, phase));
}

void add_faults(std::string& text, const Settings& settings, const Report& report) {
  const bool numbered = settings.is_numbered();
  std::string counts = cat("lost: ", grouped(report.lost));
  counts += numbered ? cat(", duplicated: ", grouped(report.duplicated),
                           ", out of order: ", grouped(report.disordered))
                     : std::string(
                           ", duplicated and out of order: not known, the payload has no "
                           "room for a number (8 B)");
  if (report.pending > 0) counts += cat(", still on their way: ", grouped(report.pending));
  add_line(text, "deliveries", counts);
  if (!settings.is_timed())
    add_line(text, "latency", "not known, the payload has no room for a time (16 B)");
  if (report.alien > 0)
    add_line(text, "alien", cat(grouped(report.alien), " came that nobody has sent to them"));
  if (report.refused > 0)
    add_line(
        text, "refused",
        cat(count_text(report.refused, "message", "messages"), ", the last one: ", report.refusal));
  if (report.stalls > 0)
    add_line(text, "stalls",
             cat(report.stalls, ", each of at least ",
                 fixed(static_cast<double>(settings.wait_ms) / 1e3, 1), " s"));
  if (!report.exact)
    add_line(text, "note", "so much is missing that what came late may count as duplicated");
}

}  // namespace

std::string report_text(const Settings& settings, const Report& report) {
  std::string text = headline(settings);
  for (const Phase& phase : report.phases)
    add_phase(text, phase);
  const bool has_messages =
      settings.scenario != Scenario::idle && settings.scenario != Scenario::connect;
  if (!report.phases.empty() || report.broker_memory) text += "all:\n";
  if (has_messages && !report.phases.empty()) add_faults(text, settings, report);
  if (report.broker_memory) {
    add_line(text, "memory",
             cat("broker ", bytes_text(report.broker_memory->resident_bytes), " resident, peak ",
                 bytes_text(report.broker_memory->peak_bytes)));
  }
  if (report.interrupted) text += "interrupted\n";
  text.pop_back();
  return text;
}

}  // namespace linnet::bench

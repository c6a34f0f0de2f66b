#include "control/health.hpp"

#include "base/cat.hpp"

namespace linnet::control {

namespace {

void add(std::string& line, std::string_view text) {
  line += cat(line.empty() ? "" : "; ", text);
}

/// Nearly all of them are taken.
void add_full(std::string& line, std::string_view what, std::int64_t left, std::int64_t max) {
  constexpr std::int64_t kPart = 20;
  if (left > max / kPart) return;
  add(line, cat("of ", what, " = ", max, ' ', left > 0 ? left : 0, " are left"));
}

}  // namespace

std::string health_line(const HealthFacts& facts) {
  std::string line;
  if (!facts.store_alarm.empty()) add(line, facts.store_alarm);
  if (facts.pressure >= Pressure::drop_qos0) {
    add(line, cat("memory is short (", facts.memory_used, "): the step is \"",
                  name_of(facts.pressure), "\""));
  }
  add_full(line, "limits.connections_max", facts.connections_left, facts.connections_max);
  add_full(line, "limits.sessions_max", facts.sessions_left, facts.sessions_max);
  return line.empty() ? "healthy" : line;
}

}  // namespace linnet::control

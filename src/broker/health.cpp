#include "broker/health.hpp"

#include <algorithm>

#include "base/cat.hpp"
#include "base/utc_text.hpp"

namespace linnet {

namespace {

constexpr std::time_t kDayS = 24 * 3'600;
/// Whoever renews by a program does it 30 days before the end: then nothing is wrong yet.
constexpr std::time_t kSoonDays = 14;
/// The store is nearly full from here on, in hundredths.
constexpr std::uint64_t kStoreNearlyFull = 90;
/// More certificates than this are counted, not named.
constexpr std::size_t kCertificatesMax = 3;

std::string count_text(std::uint64_t count, const char* one, const char* more) {
  return cat(count, ' ', count == 1 ? one : more);
}

/// A part in hundredths that does not overflow.
std::uint64_t percent(const Usage& usage) noexcept {
  return usage.max < 100 ? 0 : usage.used / (usage.max / 100);
}

std::string certificate_problem(const HealthFacts::Certificate& certificate, std::time_t now) {
  const std::string day = utc_text(certificate.not_after).substr(0, 10);
  if (certificate.not_after <= now) return cat(certificate.file, " has expired on ", day);
  const auto days = static_cast<std::uint64_t>((certificate.not_after - now) / kDayS);
  if (days == 0) return cat(certificate.file, " expires within a day");
  return cat(certificate.file, " expires in ", count_text(days, "day", "days"), ", on ", day);
}

/// Those that have expired or soon will, the first to end in front.
void add_certificates(const HealthFacts& facts, std::vector<std::string>& problems) {
  std::vector<HealthFacts::Certificate> ending;
  for (const auto& one : facts.certificates) {
    if (one.not_after - facts.now < kSoonDays * kDayS) ending.push_back(one);
  }
  std::sort(ending.begin(), ending.end(),
            [](const auto& one, const auto& other) { return one.not_after < other.not_after; });
  const std::size_t named = std::min(ending.size(), kCertificatesMax);
  for (std::size_t at = 0; at < named; ++at)
    problems.push_back(cat("certificate ", certificate_problem(ending[at], facts.now)));
  if (named < ending.size()) {
    problems.push_back(
        cat(count_text(ending.size() - named, "more certificate ends", "more certificates end"),
            " soon"));
  }
}

void add_memory(const HealthFacts& facts, std::vector<std::string>& problems) {
  const char* effect = nullptr;
  switch (facts.pressure) {
    case Pressure::none:
    case Pressure::shrink_caches:
    case Pressure::spill_backlogs: return;  // nobody is worse off yet
    case Pressure::drop_qos0: effect = "QoS 0 messages for slow clients are dropped"; break;
    case Pressure::pause_publishers: effect = "publishers are held back"; break;
    case Pressure::refuse_connections: effect = "new clients are refused"; break;
    case Pressure::refuse_subscriptions:
      effect = "new clients and subscriptions are refused";
      break;
  }
  problems.push_back(cat("memory_max is short (", facts.memory_used, "): ", effect));
}

}  // namespace

std::vector<std::string> health_problems(const HealthFacts& facts) {
  std::vector<std::string> problems;
  if (!facts.alarm.empty()) problems.push_back(cat("nothing is stored durably: ", facts.alarm));
  add_memory(facts, problems);
  if (facts.connections.full()) {
    problems.push_back(cat("new clients are refused: limits.connections_max = ",
                           facts.connections.max, " is reached"));
  }
  if (facts.sessions.full()) {
    problems.push_back(cat("new kept sessions are refused: limits.sessions_max = ",
                           facts.sessions.max, " is reached"));
  }
  if (facts.alarm.empty() && percent(facts.store) >= kStoreNearlyFull) {
    problems.push_back(
        cat("the store is nearly full: ", percent(facts.store), " % of limits.store_size_max"));
  }
  add_certificates(facts, problems);
  return problems;
}

std::string health_line(const HealthFacts& facts) {
  std::string line = count_text(facts.clients, "client", "clients");
  for (const std::string& problem : health_problems(facts))
    line += cat("; ", problem);
  return line;
}

}  // namespace linnet

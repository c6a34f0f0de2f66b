#include "bench/run.hpp"

#include <algorithm>
#include <sys/resource.h>

#include "base/cat.hpp"
#include "bench/network.hpp"
#include "bench/progress.hpp"
#include "bench/scenarios.hpp"
#include "bench/stage.hpp"

namespace linnet::bench {

namespace {

/// Topic, properties and headers of the largest packet, beside its payload.
constexpr std::size_t kPacketHeadMax = 68 << 10;

/// One descriptor for each connection, and some more.
bool raise_descriptor_limit(const Settings& settings, std::string& error) {
  constexpr rlim_t kOthers = 32;
  const rlim_t needed =
      rlim_t{settings.publishers} + settings.subscribers + settings.clients + kOthers;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed) return true;
  limit.rlim_cur = std::min(limit.rlim_max, std::max<rlim_t>(limit.rlim_cur, needed));
  if (limit.rlim_cur >= needed && ::setrlimit(RLIMIT_NOFILE, &limit) == 0) return true;
  error = cat("this run needs ", needed, " open files, and ", limit.rlim_max,
              " are allowed (see ulimit -Hn)");
  return false;
}

void run_scenario(Stage& stage) {
  switch (stage.settings().scenario) {
    case Scenario::idle: return run_idle(stage);
    case Scenario::connect: return run_connect(stage);
    case Scenario::retained: return run_retained(stage);
    case Scenario::offline: return run_offline(stage);
    default: return run_messages(stage);
  }
}

}  // namespace

Report run(const Settings& settings, bool shows_progress) {
  Report report;
  if (!raise_descriptor_limit(settings, report.fault)) return report;
  if (settings.pid != 0 && !usage_of(settings.pid)) {
    report.fault = cat("--pid: there is no process ", settings.pid, " that we may look at");
    return report;
  }
  client::TargetOptions options;
  options.url = settings.url;
  options.tls = {settings.ca, settings.url.host, settings.cert, settings.key, settings.insecure};
  const auto target = Target::open(options, report.fault);
  if (target == nullptr) return report;
  Loop loop;
  if (!loop.open(kPacketHeadMax + settings.payload, report.fault)) return report;
  {
    Progress progress(shows_progress);
    Stage stage(settings, loop, *target, report, progress);
    run_scenario(stage);
  }
  report.fault = loop.fault();
  report.interrupted = loop.interrupts() > 0;
  return report;
}

}  // namespace linnet::bench

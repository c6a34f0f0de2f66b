// The load generator's door: does what the settings say, on the thread that calls, and comes back
// with what it has measured. SIGINT and SIGTERM end the run early, not the process; they must not
// be handled elsewhere meanwhile. SIGPIPE is ignored from then on.
#pragma once

#include "bench/options.hpp"
#include "bench/report.hpp"

namespace linnet::bench {

/// `shows_progress`: one line on standard error, written again each second.
[[nodiscard]] Report run(const Settings& settings, bool shows_progress);

}  // namespace linnet::bench

#include "bench/report.hpp"

namespace linnet::bench {

Latency Latency::of(const Histogram& histogram) {
  return {histogram.count(),          histogram.percentile(50.0), histogram.percentile(90.0),
          histogram.percentile(99.0), histogram.percentile(99.9), histogram.max()};
}

bool Report::is_good(const Settings& settings) const noexcept {
  if (!fault.empty() || alien > 0 || refused > 0) return false;
  if (settings.qos == Qos::at_most_once) return true;
  return lost == 0 && (settings.qos != Qos::exactly_once || duplicated == 0);
}

}  // namespace linnet::bench

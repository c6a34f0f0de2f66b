// What one scenario measured on one broker, in one round or as the median of several.
#pragma once

#include <string>
#include <vector>

namespace linnet::bench {

/// What was not measured is 0. Disk and written bytes and the CPU time are for each message.
struct StoreFigures {
  std::string scenario;
  double per_s = 0;
  double cpu_us = 0;
  double resident_mib = 0;
  double anonymous_mib = 0;
  double peak_mib = 0;
  double disk_bytes = 0;
  double written_bytes = 0;
  double p50_ms = 0;  // of one PUBACK, or of a start
  double p99_ms = 0;
  double lmdb_p50_ms = 0;  // of LMDB's own commit, measured in between
  double lmdb_p99_ms = 0;
  double lmdb_disk_bytes = 0;
  double sync_ms = 0;  // the disk, measured just before
  double commit_ms = 0;

  // Of QoS 1; in a median these are sums.
  double lost = 0;
  double duplicated = 0;
  double disordered = 0;
};

[[nodiscard]] StoreFigures median_of(const std::vector<StoreFigures>& rounds);

}  // namespace linnet::bench

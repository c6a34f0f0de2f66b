// What the disk of a folder costs: without any broker.
#pragma once

#include <memory>
#include <string>

namespace linnet::bench {

struct DiskTimes {
  double sync_ms = 0;    // fdatasync of 4 KiB that were appended
  double commit_ms = 0;  // LMDB's commit of one record of 16 bytes
};

/// Medians of 200 each, fewer on a slow disk.
[[nodiscard]] DiskTimes measure_disk(const std::string& folder);

/// Says so if the folder is in memory, where a sync costs nothing.
[[nodiscard]] bool is_in_memory(const std::string& folder);

/// Commits records of 16 bytes, one by one, with LMDB's default flags. Its files are in `folder`
/// and go with it.
class CommitProbe {
 public:
  explicit CommitProbe(const std::string& folder);
  CommitProbe(const CommitProbe&) = delete;
  CommitProbe& operator=(const CommitProbe&) = delete;
  ~CommitProbe();

  /// Returns how long it took.
  [[nodiscard]] double commit_ms();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace linnet::bench

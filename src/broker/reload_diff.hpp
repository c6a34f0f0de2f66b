// What is different in a new configuration, in words, and what of it a running broker can't follow.
// Pure; any thread.
//
//   ReloadDiff diff = compare(running, next);
//   // diff.changed: `limits.packet_size_max: "1MiB" -> "2MiB"`
//   // diff.needs_restart: `threads: 1 -> 4`; next.threads is 1 again
//
// Secrets do not stand in a configuration, but in the files that it names.
#pragma once

#include <string>
#include <vector>

#include <linnet/config.hpp>

namespace linnet {

struct ReloadDiff {
  std::vector<std::string> changed;
  std::vector<std::string> needs_restart;

  void append(ReloadDiff other);
};

/// All but the listeners, and what listeners begin with. What needs a restart is put back in `next`
/// to what is running, so that the next reload tells of it again.
[[nodiscard]] ReloadDiff compare(const Config& running, Config& next);

/// The same of two listeners; each line begins with "listener URL: ".
[[nodiscard]] ReloadDiff compare(const ListenerConfig& running, ListenerConfig& next);

}  // namespace linnet

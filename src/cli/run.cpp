#include <algorithm>
#include <exception>
#include <optional>
#include <sys/resource.h>
#include <utility>

#include "base/log.hpp"
#include "base/process_memory.hpp"
#include "broker/log_levels.hpp"
#include "cli/hardening.hpp"
#include "cli/options.hpp"
#include "cli/reload.hpp"
#include "cli/run_config.hpp"
#include "cli/service_watch.hpp"
#include "cli/signals.hpp"
#include "cli/system_user.hpp"
#include <linnet/broker.hpp>

namespace linnet::cli {
namespace {

using config::ConfigError;
using config::LoadResult;

/// Each connection is one descriptor, and the process needs some of its own.
void raise_descriptor_limit(std::uint64_t connections_max) {
  constexpr std::uint64_t kOwnDescriptors = 64;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  const std::uint64_t needed = connections_max + kOwnDescriptors;
  if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed) return;
  log::warn("cli", "only " + std::to_string(limit.rlim_cur) +
                       " file descriptors are allowed, too few for limits.connections_max = " +
                       std::to_string(connections_max) + "; raise the limit (ulimit -Hn " +
                       std::to_string(needed) + ", or LimitNOFILE= of a systemd unit), or lower " +
                       "limits.connections_max");
}

int serve(const RunOptions& options, Config settings, net::ServiceManager& manager) {
  raise_descriptor_limit(settings.limits.connections_max);
  settings.socket_activation = true;
  settings.memory_max = memory_limit(settings.memory_max);
  tune_heap(settings.memory_max);
  const bool seccomp = settings.seccomp;
  std::string error;
  const auto refuse = [&error, &manager] {
    manager.starting(error);
    // A line each: wrong files of [auth] are all named at once.
    for (std::size_t at = 0; at < error.size();) {
      const std::size_t end = std::min(error.find('\n', at), error.size());
      print_error("linnet: " + error.substr(at, end - at));
      at = end + 1;
    }
    return kWrongUsage;
  };
  SystemUser user;
  if (!user.find(settings.user, error)) return refuse();
  user.prepare(settings);
  const auto become = [&user, core_dumps = settings.core_dumps](std::string& why) {
    if (!user.become(why)) return false;
    set_core_dumps(core_dumps);
    return true;
  };
  manager.starting("opening the store");
  const auto broker = Broker::open(std::move(settings), error, become);
  if (broker == nullptr) return refuse();
  if (seccomp) {
    if (!filter_system_calls(error)) return refuse();
    log::info("cli", "system calls that a broker does not need now end the process");
  }
  Reloader reloader(options, user, *broker, manager);
  const SignalThread signals(*broker, reloader, manager);
  const ServiceWatch watch(*broker, manager);
  forget_startup_pages();
  broker->run();
  return kOk;
}

}  // namespace

int run(const RunOptions& options) {
  block_signals();
  net::ServiceManager manager(net::ServiceEnvironment::take());
  LoadResult result = read_config(options);
  for (const ConfigError& error : result.errors)
    print_error(to_string(error));
  if (!result.ok()) return kWrongUsage;
  const Config& config = result.config;
  log::init(static_cast<log::Level>(config.log_level), static_cast<log::Format>(config.log_format));
  use_log_levels(config);
  set_core_dumps(config.core_dumps);
  try {
    return serve(options, std::move(result.config), manager);
  } catch (const std::exception& exception) {
    print_error(std::string("linnet: ") + exception.what());
    return kFailed;
  }
}

}  // namespace linnet::cli

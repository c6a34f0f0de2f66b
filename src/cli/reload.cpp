#include "cli/reload.hpp"

#include <exception>
#include <string>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "broker/reload.hpp"
#include "cli/run_config.hpp"

namespace linnet::cli {

namespace {

/// Empty: there is none.
std::string trouble_of(const ReloadReport& report) {
  if (report.applied) return {};
  return cat("the last reload failed: ",
             report.errors.empty() ? std::string("see the log") : report.errors.front());
}

}  // namespace

Reloader::Reloader(const RunOptions& options, const SystemUser& user, Broker& broker,
                   net::ServiceManager& manager)
    : options_(options), user_(user), broker_(broker), manager_(manager), thread_([this] {
        work();
      }) {
  broker.on_reload_request([this] { return reload(); });
}

Reloader::~Reloader() {
  broker_.on_reload_request({});
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  something_.notify_all();
  thread_.join();
}

ReloadReport Reloader::reload() {
  const std::lock_guard lock(reloading_);
  manager_.reloading();
  ReloadReport report;
  try {
    report = read_and_reload();
  } catch (const std::exception& failure) {
    report.errors.push_back(cat("the reload failed: ", std::string_view(failure.what())));
    log_report(report);
  }
  manager_.reloaded(trouble_of(report));
  return report;
}

ReloadReport Reloader::read_and_reload() {
  ReloadReport report;
  config::LoadResult result = read_config(options_);
  for (const config::ConfigError& error : result.errors)
    report.errors.push_back(to_string(error));
  if (!result.ok()) {
    log_report(report);
    return report;
  }
  user_.own_sockets(result.config);
  broker_.reload(std::move(result.config), report);
  return report;
}

void Reloader::request() {
  {
    const std::lock_guard lock(mutex_);
    requested_ = true;
  }
  something_.notify_all();
}

void Reloader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    something_.wait(lock, [this] { return requested_ || stopping_; });
    if (stopping_) return;
    requested_ = false;
    lock.unlock();
    const bool applied = reload().applied;
    if (applied) {
      log::info("cli", "SIGHUP: the configuration that was read is in use");
    } else {
      log::error("cli", "SIGHUP: the configuration of before stays in use");
    }
    lock.lock();
  }
}

}  // namespace linnet::cli

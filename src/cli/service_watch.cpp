#include "cli/service_watch.hpp"

#include "base/cat.hpp"
#include "base/log.hpp"
#include <linnet/broker.hpp>

namespace linnet::cli {

namespace {

using std::chrono::milliseconds;

/// How long a question takes before we look whether it is time to end.
constexpr milliseconds kPatience{100};
/// Without a watchdog nobody says it again, so it must not grow old.
constexpr const char* kServing = "serving";

}  // namespace

ServiceWatch::ServiceWatch(Broker& broker, net::ServiceManager& manager)
    : broker_(broker), manager_(manager) {
  if (manager_.present()) thread_ = std::thread([this] { work(); });
}

ServiceWatch::~ServiceWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  something_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ServiceWatch::work() {
  const auto watchdog = manager_.watchdog();
  auto health = ask();
  if (!health) return;
  manager_.ready(watchdog ? *health : kServing);
  if (!watchdog) return;
  while (sleep(*watchdog / 2)) {
    health = ask();
    if (!health) return;
    manager_.alive(*health);
  }
}

std::optional<std::string> ServiceWatch::ask() {
  const milliseconds late = manager_.watchdog().value_or(milliseconds(0)) / 2;
  milliseconds waited{0};
  bool told = late.count() == 0;
  while (true) {
    if (auto health = broker_.health(kPatience)) return health;
    // Shards that have ended answer no more; the manager's own time limit watches over the rest.
    if (manager_.stops()) return std::string();
    if (!sleep(milliseconds(0))) return std::nullopt;
    waited += kPatience;
    if (told || waited < late) continue;
    told = true;
    log::error("cli", cat("a thread of the broker has not answered for ", late.count(),
                          " ms; the service manager's watchdog will end the process"));
  }
}

bool ServiceWatch::sleep(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !something_.wait_for(lock, time, [this] { return ending_; });
}

}  // namespace linnet::cli

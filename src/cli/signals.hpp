// Signals become plain calls on a thread of their own, so that no code of ours runs in a handler:
// the first SIGTERM or SIGINT asks the broker to stop in good order, the second stops it now, the
// third ends the process. SIGHUP reads the configuration again. SIGPIPE is ignored.
#pragma once

#include <atomic>
#include <thread>

namespace linnet {
class Broker;
}

namespace linnet::net {
class ServiceManager;
}

namespace linnet::cli {

class Reloader;

/// Must be called before the process has other threads: they inherit what is blocked here.
void block_signals() noexcept;

/// Waits for signals from its construction to its destruction; the others outlive it.
class SignalThread {
 public:
  SignalThread(Broker& broker, Reloader& reloader, net::ServiceManager& manager);
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;
  ~SignalThread();

 private:
  void wait_for_signals() noexcept;
  void on_stop_signal(int signal) noexcept;

  Broker& broker_;
  Reloader& reloader_;
  net::ServiceManager& manager_;
  std::atomic<bool> done_ = false;
  int stop_signals_ = 0;  // only the thread's
  std::thread thread_;    // last: it uses the others
};

}  // namespace linnet::cli

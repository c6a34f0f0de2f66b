#include "cli/signals.hpp"

#include <csignal>
#include <pthread.h>
#include <unistd.h>

#include "base/log.hpp"
#include "cli/options.hpp"
#include "cli/reload.hpp"
#include "net/service_manager.hpp"
#include <linnet/broker.hpp>

namespace linnet::cli {
namespace {

sigset_t awaited_signals() noexcept {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  return signals;
}

}  // namespace

void block_signals() noexcept {
  const sigset_t signals = awaited_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

SignalThread::SignalThread(Broker& broker, Reloader& reloader, net::ServiceManager& manager)
    : broker_(broker),
      reloader_(reloader),
      manager_(manager),
      thread_([this] { wait_for_signals(); }) {}

SignalThread::~SignalThread() {
  done_ = true;
  pthread_kill(thread_.native_handle(), SIGHUP);
  thread_.join();
}

void SignalThread::wait_for_signals() noexcept {
  const sigset_t signals = awaited_signals();
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (done_) return;
    if (signal == SIGHUP) {
      reloader_.request();
    } else {
      on_stop_signal(signal);
    }
  }
}

void SignalThread::on_stop_signal(int signal) noexcept {
  ++stop_signals_;
  const std::string name = signal == SIGINT ? "SIGINT" : "SIGTERM";
  if (stop_signals_ == 1) {
    log::info("cli", name + ": stopping in good order; once more stops at once");
    manager_.stopping("stopping in good order");
    broker_.request_stop();
  } else if (stop_signals_ == 2) {
    log::warn("cli", name + " again: stopping at once");
    broker_.stop_now();
  } else {
    _exit(kFailed);
  }
}

}  // namespace linnet::cli

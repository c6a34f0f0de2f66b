// Who has started this process and wants to know how it is: systemd, or what speaks its protocol of
// notifications (sd_notify(3)), a datagram of lines for each piece of news.
//
//   ServiceManager manager(ServiceEnvironment::take());   // before there are other threads
//   manager.starting("opening the store");
//   manager.ready("3 clients");                           // the start is over
//   manager.reloading(); ... manager.reloaded("");
//   manager.alive("4 clients");                           // at least every watchdog()
//   manager.stopping("stopping");
//
// Without a service manager all calls do nothing. Any thread; news that comes too late, such as
// that the process is ready when it already stops, is not sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "net/file_descriptor.hpp"

namespace linnet::net {

/// What the service manager has said by environment variables.
struct ServiceEnvironment {
  std::string socket;                    // a path, or @name; empty: nobody wants to know
  std::chrono::microseconds watchdog{};  // how long our silence may last; 0: for ever

  /// NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which are gone afterwards. Before the first
  /// thread.
  [[nodiscard]] static ServiceEnvironment take();
};

class ServiceManager {
 public:
  /// Logs it if the socket can't be used; then it is as if there were none.
  explicit ServiceManager(const ServiceEnvironment& environment);
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  [[nodiscard]] bool present() const noexcept { return static_cast<bool>(socket_); }
  /// How long the silence between two alive() may last; nothing if there is no watchdog.
  [[nodiscard]] std::optional<std::chrono::milliseconds> watchdog() const noexcept;
  /// stopping() was called.
  [[nodiscard]] bool stops();

  /// `status` is a line for people; what it has of control characters is escaped.
  void starting(std::string_view status);
  void ready(std::string_view status);
  void reloading();
  /// `trouble` is why the new configuration is not in use; it stays behind every status until the
  /// next reload. Empty: there is none.
  void reloaded(std::string_view trouble);
  void alive(std::string_view status);
  void stopping(std::string_view status);

 private:
  enum class State : std::uint8_t { starting, ready, reloading, stopping };

  [[nodiscard]] std::string serving() const;
  void send(std::string_view news, std::string line);

  FileDescriptor socket_;
  std::string address_;  // a sockaddr_un, as far as it is used
  std::chrono::milliseconds watchdog_{};

  std::mutex mutex_;  // also: news leaves in its order
  State state_ = State::starting;
  std::string status_;  // while it serves
  std::string trouble_;
  std::string line_;  // the last one that was sent
  bool complained_ = false;
};

}  // namespace linnet::net

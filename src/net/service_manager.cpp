#include "net/service_manager.hpp"

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"

namespace linnet::net {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// A service manager that does not read must not hold us up for ever.
constexpr time_t kSendTimeout_s = 5;
/// Escaped at most four times that, and two of them; systemd takes 4096 bytes in all.
constexpr std::size_t kLineMax = 500;

std::string take_variable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

/// 0 if it is no number.
std::uint64_t number_of(const std::string& text) noexcept {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end ? number : 0;
}

/// The bytes of a sockaddr_un; empty if that is no name for one.
std::string address_of(std::string_view name) {
  sockaddr_un address{};
  // With a path, the zero behind it has to fit, too; an abstract name begins with one instead.
  if (name.size() < 2 || name.size() >= sizeof address.sun_path) return {};
  if (name.front() != '/' && name.front() != '@') return {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const bool abstract = name.front() == '@';
  if (abstract) address.sun_path[0] = '\0';
  const std::size_t size = offsetof(sockaddr_un, sun_path) + name.size() + (abstract ? 0 : 1);
  std::string bytes(size, '\0');
  std::memcpy(bytes.data(), &address, size);
  return bytes;
}

std::string line_of(std::string_view text) {
  return log::escaped_text(text.substr(0, kLineMax));
}

FileDescriptor open_socket() {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  timeval patience{};
  patience.tv_sec = kSendTimeout_s;
  if (socket) ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  return socket;
}

/// At the time of this clock, all that systemd reads of us before is old.
std::string monotonic_us() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  constexpr std::int64_t kMillion = 1'000'000;
  return cat(std::int64_t{now.tv_sec} * kMillion + now.tv_nsec / 1000);
}

}  // namespace

ServiceEnvironment ServiceEnvironment::take() {
  ServiceEnvironment environment;
  environment.socket = take_variable("NOTIFY_SOCKET");
  const std::uint64_t time = number_of(take_variable("WATCHDOG_USEC"));
  const std::string process = take_variable("WATCHDOG_PID");
  const bool for_us = process.empty() || number_of(process) == static_cast<std::uint64_t>(getpid());
  constexpr std::uint64_t kTimeMax = std::uint64_t{1} << 50;  // 35 years
  if (for_us && time <= kTimeMax) environment.watchdog = microseconds(time);
  return environment;
}

ServiceManager::ServiceManager(const ServiceEnvironment& environment) {
  if (environment.socket.empty()) return;
  address_ = address_of(environment.socket);
  if (address_.empty()) {
    log::warn("net", cat("NOTIFY_SOCKET=", environment.socket,
                         " is neither a path nor an @name, or too long: the service "
                         "manager is not told how this process is"));
    return;
  }
  socket_ = open_socket();
  watchdog_ = std::chrono::duration_cast<milliseconds>(environment.watchdog);
}

std::optional<milliseconds> ServiceManager::watchdog() const noexcept {
  if (!present() || watchdog_.count() == 0) return std::nullopt;
  return watchdog_;
}

bool ServiceManager::stops() {
  const std::lock_guard lock(mutex_);
  return state_ == State::stopping;
}

void ServiceManager::starting(std::string_view status) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::starting) send({}, line_of(status));
}

void ServiceManager::ready(std::string_view status) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::starting) return;
  state_ = State::ready;
  status_ = line_of(status);
  send("READY=1\n", serving());
}

void ServiceManager::reloading() {
  const std::lock_guard lock(mutex_);
  if (state_ != State::ready) return;
  state_ = State::reloading;
  send(cat("RELOADING=1\nMONOTONIC_USEC=", monotonic_us(), "\n"), "reading the configuration");
}

void ServiceManager::reloaded(std::string_view trouble) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::reloading) return;
  state_ = State::ready;
  trouble_ = line_of(trouble);
  send("READY=1\n", serving());
}

void ServiceManager::alive(std::string_view status) {
  const std::lock_guard lock(mutex_);
  // What is said of a reload or of the end stays until it is over.
  if (state_ != State::ready) return send("WATCHDOG=1\n", line_);
  status_ = line_of(status);
  send("WATCHDOG=1\n", serving());
}

void ServiceManager::stopping(std::string_view status) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::stopping) return;
  state_ = State::stopping;
  send("STOPPING=1\n", line_of(status));
}

std::string ServiceManager::serving() const {
  return trouble_.empty() ? status_ : cat(status_, "; ", trouble_);
}

void ServiceManager::send(std::string_view news, std::string line) {
  if (!present()) return;
  std::string text(news);
  if (line != line_) text += cat("STATUS=", line, "\n");
  line_ = std::move(line);
  if (text.empty()) return;
  sockaddr_un address{};
  std::memcpy(&address, address_.data(), address_.size());
  const auto sent = ::sendto(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(address_.size()));
  if (sent >= 0 || complained_) return;
  complained_ = true;
  log::warn("net", cat("the service manager can't be told how this process is: ",
                       std::generic_category().message(errno)));
}

}  // namespace linnet::net

#include "client/loop.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <limits>
#include <sys/signalfd.h>
#include <system_error>
#include <unistd.h>

#include "base/cat.hpp"

namespace linnet::client {

namespace {

/// Fits the second level of most processors' caches, and many packets.
constexpr std::size_t kReadRoomMin = 256 << 10;

sigset_t stop_signals() noexcept {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

int wait_for(int epoll, std::span<epoll_event> events, std::uint64_t timeout_ns) noexcept {
  const timespec timeout{static_cast<time_t>(timeout_ns / kSecondNs),
                         static_cast<long>(timeout_ns % kSecondNs)};
  const int size = static_cast<int>(events.size());
  const int count = ::epoll_pwait2(epoll, events.data(), size, &timeout, nullptr);
  if (count >= 0 || errno != ENOSYS) return count;
  // Before Linux 5.11. Whole milliseconds, rounded up: never a busy loop.
  const auto timeout_ms =
      std::min<std::uint64_t>(timeout_ns / kMillisecondNs + (timeout_ns % kMillisecondNs != 0),
                              std::numeric_limits<int>::max());
  return ::epoll_wait(epoll, events.data(), size, static_cast<int>(timeout_ms));
}

}  // namespace

std::uint64_t now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecondNs +
         static_cast<std::uint64_t>(now.tv_nsec);
}

Loop::~Loop() {
  if (!signals_) return;
  const sigset_t signals = stop_signals();
  ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
}

bool Loop::open(std::size_t packet_max, std::string& error) {
  packet_max_ = packet_max;
  read_room_.resize(std::max(kReadRoomMin, 2 * packet_max));
  const sigset_t signals = stop_signals();
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  // OpenSSL writes to sockets as to files.
  (void)std::signal(SIGPIPE, SIG_IGN);
  epoll_ = net::FileDescriptor(::epoll_create1(EPOLL_CLOEXEC));
  signals_ = net::FileDescriptor(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (!epoll_ || !signals_ ||
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, signals_.get(), &event) != 0) {
    error = cat("no event loop: ", std::generic_category().message(errno));
    return false;
  }
  refresh();
  return true;
}

void Loop::add(int socket, std::uint32_t events, Ready& owner) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &owner;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event) != 0)
    fail(cat("epoll_ctl: ", std::generic_category().message(errno)));
}

void Loop::modify(int socket, std::uint32_t events, Ready& owner) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &owner;
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket, &event);
}

void Loop::remove(int socket) {
  (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, socket, nullptr);
}

void Loop::turn(std::uint64_t deadline_ns) {
  refresh();
  const std::uint64_t timeout = deadline_ns > now_ ? deadline_ns - now_ : 0;
  const int count = wait_for(epoll_.get(), events_, timeout);
  refresh();
  if (count < 0 && errno != EINTR)
    return fail(cat("epoll_wait: ", std::generic_category().message(errno)));
  for (int at = 0; at < count; ++at) {
    const epoll_event& event = events_[static_cast<std::size_t>(at)];
    if (event.data.ptr == nullptr) {
      take_signals();
    } else {
      static_cast<Ready*>(event.data.ptr)->on_ready(event.events);
    }
  }
}

void Loop::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info)
    ++interrupts_;
}

void Loop::fail(std::string fault) {
  if (fault_.empty()) fault_ = std::move(fault);
}

}  // namespace linnet::client

#include "net/reactor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/assert.hpp"
#include "base/clock.hpp"
#include "net/link.hpp"

namespace linnet::net {

namespace {

constexpr std::uint64_t kWakeKey = ~std::uint64_t{0};

std::error_code last_error() noexcept {
  return {errno, std::generic_category()};
}

epoll_event make_event(std::uint32_t events, std::uint64_t key) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = key;
  return event;
}

}  // namespace

/// Where a descriptor is registered. The generation changes whenever the slot is given up, so that
/// an event that was fetched before is not taken for one of the slot's next owner.
struct Reactor::Entry {
  ReadyHandler* handler = nullptr;
  int fd = -1;
  std::uint32_t generation = 0;

  [[nodiscard]] std::uint64_t key(Slot slot) const noexcept {
    return (std::uint64_t{generation} << 32) | slot;
  }
};

Reactor::Reactor(TimerWheel& timers, LinkCounters& counters)
    : timers_(&timers),
      counters_(&counters),
      now_ms_(SystemClock().now_ms()),
      scratch_(std::make_unique_for_overwrite<char[]>(kScratchBytes)) {
  epoll_fd_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) throw std::system_error(last_error(), "epoll_create1");
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event = make_event(EPOLLIN, kWakeKey);
  if (wake_fd_ < 0 || ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
    const std::error_code error = last_error();
    if (wake_fd_ >= 0) ::close(wake_fd_);
    ::close(epoll_fd_);
    throw std::system_error(error, "eventfd");
  }
}

Reactor::~Reactor() {
  // Links take themselves out of the epoll set and give their blocks back.
  flushing_.clear();
  ended_.clear();
  kept_.clear();
  ::close(wake_fd_);
  ::close(epoll_fd_);
}

Result<Reactor::Slot> Reactor::add(int fd, std::uint32_t events, ReadyHandler& handler) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<Slot>(entries_.size()));
    entries_.emplace_back();
  }
  const Slot slot = free_slots_.back();
  Entry& entry = entries_[slot];
  epoll_event event = make_event(events, entry.key(slot));
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) return last_error();
  free_slots_.pop_back();
  entry.handler = &handler;
  entry.fd = fd;
  return slot;
}

void Reactor::modify(Slot slot, std::uint32_t events) {
  const Entry& entry = entries_[slot];
  LINNET_ASSERT(entry.handler != nullptr);
  epoll_event event = make_event(events, entry.key(slot));
  const int failed = ::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, entry.fd, &event);
  LINNET_ASSERT(failed == 0);
}

void Reactor::remove(Slot slot) noexcept {
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, entries_[slot].fd, nullptr);
  forget(slot);
}

void Reactor::forget(Slot slot) noexcept {
  Entry& entry = entries_[slot];
  LINNET_ASSERT(entry.handler != nullptr);
  entry.handler = nullptr;
  entry.fd = -1;
  ++entry.generation;
  free_slots_.push_back(slot);
}

std::size_t Reactor::poll(int timeout_ms) {
  std::array<epoll_event, kEventsPerPoll> events;
  const int count = ::epoll_wait(epoll_fd_, events.data(), kEventsPerPoll, busy() ? 0 : timeout_ms);
  const int error = count < 0 ? errno : 0;  // before the timers can change it
  // Timers first: what the handlers do is done at the time of this turn.
  now_ms_ = SystemClock().now_ms();
  slow_steps_ = kSlowStepsPerTurn;
  timers_->advance(now_ms_);
  if (count < 0) {
    LINNET_ASSERT(error == EINTR);
    return 0;
  }
  for (int at = 0; at < count; ++at) {
    const epoll_event& event = events[static_cast<std::size_t>(at)];
    dispatch(event.data.u64, event.events);
  }
  return static_cast<std::size_t>(count);
}

void Reactor::dispatch(std::uint64_t key, std::uint32_t events) {
  if (key == kWakeKey) {
    std::uint64_t times = 0;
    // Nothing to read means that an earlier read took this wake-up, too.
    [[maybe_unused]] const auto size = ::read(wake_fd_, &times, sizeof times);
    return;
  }
  const auto slot = static_cast<Slot>(key);
  const Entry& entry = entries_[slot];
  if (entry.handler != nullptr && entry.key(slot) == key) entry.handler->on_ready(events);
}

void Reactor::wake() noexcept {
  const std::uint64_t once = 1;
  // It can fail only when the count is full, and then the reactor is awake.
  [[maybe_unused]] const auto size = ::write(wake_fd_, &once, sizeof once);
}

bool Reactor::take_slow_step() noexcept {
  if (slow_steps_ == 0) return false;
  --slow_steps_;
  return true;
}

std::size_t Reactor::read_max() const noexcept {
  constexpr std::size_t kKiB = 1024;
  if (memory_ == nullptr || !memory_->any()) return SIZE_MAX;
  return memory_->level() < Pressure::pause_publishers ? 32 * kKiB : 4 * kKiB;
}

void Reactor::follow(const MemoryBudget& memory) noexcept {
  memory_ = &memory;
  pool_.follow(memory);
}

void Reactor::flush_later(FlushHandler& handler) {
  flushing_.push_back(&handler);
}

void Reactor::forget_flush(FlushHandler& handler) noexcept {
  std::erase(flushing_, &handler);
  std::replace(flushing_now_.begin(), flushing_now_.end(), &handler,
               static_cast<FlushHandler*>(nullptr));
}

void Reactor::flush() {
  for (int round = 0; round < kFlushRounds && !flushing_.empty(); ++round) {
    flushing_now_.swap(flushing_);
    for (std::size_t at = 0; at < flushing_now_.size(); ++at) {
      FlushHandler* handler = flushing_now_[at];
      if (handler != nullptr) handler->on_flush();
    }
    flushing_now_.clear();
  }
  ended_.clear();
}

Link& Reactor::keep(std::unique_ptr<Link> link) {
  LINNET_ASSERT(link != nullptr);
  link->kept_at_ = static_cast<std::uint32_t>(kept_.size());
  return *kept_.emplace_back(std::move(link));
}

std::unique_ptr<Link> Reactor::take(Link& link) {
  const std::size_t at = link.kept_at_;
  LINNET_ASSERT(at < kept_.size() && kept_[at].get() == &link);
  std::unique_ptr<Link> taken = std::move(kept_[at]);
  if (at + 1 < kept_.size()) {
    kept_[at] = std::move(kept_.back());
    kept_[at]->kept_at_ = static_cast<std::uint32_t>(at);
  }
  kept_.pop_back();
  return taken;
}

void Reactor::end(Link& link) {
  ended_.push_back(take(link));
}

std::unique_ptr<Link> Reactor::release(Link& link) {
  return take(link);
}

std::size_t Reactor::links() const noexcept {
  return kept_.size();
}

}  // namespace linnet::net

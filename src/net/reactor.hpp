// A shard's own epoll set, its dirty links, its receive buffer and its pool of outbox blocks. Level
// triggered; events carry index and generation, so that a stale event of a closed or moved
// descriptor is ignored. All but wake() belongs to the shard's thread.
//
// One turn:  poll() dispatches what is ready; the handlers append to outboxes and touch() links;
//            flush() writes each touched link once, then deletes the links that have ended.
// poll() advances the shard's timer wheel before it dispatches.
// native_handle() is itself pollable, so that another loop (Asio's) can watch this one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/mailbox.hpp"
#include "base/memory_budget.hpp"
#include "base/result.hpp"
#include "base/timer_wheel.hpp"
#include "net/block_pool.hpp"
#include "net/counters.hpp"

namespace linnet::net {

class Link;

/// Who is told that a descriptor is ready. `events` are epoll's (EPOLLIN …).
class ReadyHandler {
 public:
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~ReadyHandler() = default;
};

/// Something that wants to be called once at the end of the turn: a link with bytes to write.
class FlushHandler {
 public:
  virtual void on_flush() = 0;

 protected:
  ~FlushHandler() = default;
};

class Reactor final : public Waker {
 public:
  /// Where a descriptor is registered.
  using Slot = std::uint32_t;

  /// Throws std::system_error if the kernel has no descriptors left (start-up only). The shard's
  /// timers and counters, which its links use, must outlive the reactor.
  Reactor(TimerWheel& timers, LinkCounters& counters);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  /// Links that are still kept are closed without a word to their users.
  ~Reactor();

  /// Watches `fd` for `events`; the caller keeps the descriptor and removes it before closing it.
  [[nodiscard]] Result<Slot> add(int fd, std::uint32_t events, ReadyHandler& handler);
  void modify(Slot slot, std::uint32_t events);
  void remove(Slot slot) noexcept;
  /// As remove(), where the caller closes the descriptor at once, whose only one it is: the kernel
  /// then forgets it by itself.
  void forget(Slot slot) noexcept;

  /// Waits up to `timeout_ms` (-1: for ever) and dispatches. Returns how many events there were.
  /// Does not wait while busy().
  std::size_t poll(int timeout_ms);
  /// Makes the present or next poll() return; from any thread.
  void wake() noexcept override;

  /// Calls `handler` at the end of this turn. It must live until then or be taken back;
  /// asking twice calls twice.
  void flush_later(FlushHandler& handler);
  void forget_flush(FlushHandler& handler) noexcept;
  void flush();
  /// How many wait for flush().
  [[nodiscard]] std::size_t flushes() const noexcept { return flushing_.size(); }
  /// Something waits for flush(): the loop must not sleep.
  [[nodiscard]] bool busy() const noexcept { return !flushing_.empty() || !ended_.empty(); }

  /// Whether this turn has time for one more step that may take long, as a TLS handshake's; the
  /// handlers that are told no stay ready, and get theirs in a later turn.
  [[nodiscard]] bool take_slow_step() noexcept;

  /// Keeps a link until end(); a reference to it stays valid to the end of the turn in which it
  /// ends.
  Link& keep(std::unique_ptr<Link> link);
  void end(Link& link);
  /// Gives a kept link away: it is moving to another shard.
  [[nodiscard]] std::unique_ptr<Link> release(Link& link);
  [[nodiscard]] std::size_t links() const noexcept;

  /// The shard's receive buffer, for use within one handler call.
  [[nodiscard]] std::span<char> scratch() noexcept { return {scratch_.get(), kScratchBytes}; }
  /// How much a link should read at once, by the pressure on memory: SIZE_MAX is as much as it can.
  [[nodiscard]] std::size_t read_max() const noexcept;
  /// From now on the links and the pool follow this budget, which must outlive the reactor.
  void follow(const MemoryBudget& memory) noexcept;
  [[nodiscard]] TimerWheel& timers() noexcept { return *timers_; }
  [[nodiscard]] LinkCounters& counters() noexcept { return *counters_; }
  [[nodiscard]] BlockPool& pool() noexcept { return pool_; }
  [[nodiscard]] int native_handle() const noexcept { return epoll_fd_; }
  /// The loop's clock reading at the start of this turn, in ms of the monotonic clock.
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return now_ms_; }

 private:
  struct Entry;
  static constexpr std::size_t kScratchBytes = std::size_t{256} << 10;
  static constexpr int kEventsPerPoll = 256;
  static constexpr int kSlowStepsPerTurn = 2;
  /// How often flush() looks again at what was asked for while it ran.
  static constexpr int kFlushRounds = 4;

  [[nodiscard]] std::unique_ptr<Link> take(Link& link);
  void dispatch(std::uint64_t key, std::uint32_t events);

  TimerWheel* timers_;
  LinkCounters* counters_;
  const MemoryBudget* memory_ = nullptr;  // null: as if there were no end to it
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  std::uint64_t now_ms_ = 0;
  int slow_steps_ = 0;  // what is left of this turn's
  BlockPool pool_;
  std::vector<Entry> entries_;
  std::vector<Slot> free_slots_;
  std::vector<FlushHandler*> flushing_;
  std::vector<FlushHandler*> flushing_now_;
  std::vector<std::unique_ptr<Link>> kept_;
  std::vector<std::unique_ptr<Link>> ended_;
  std::unique_ptr<char[]> scratch_;  // the kernel gives it memory only as far as it is used
};

}  // namespace linnet::net

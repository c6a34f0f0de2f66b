// A broker of one shard that serves clients over wires in memory: the real links, sessions and
// routes, without sockets, threads or a store, and with a clock that goes a millisecond each turn.
// What it does for the same bytes is the same each time, but for the seeds of its hash tables. One
// thread.
//
//   MemoryBroker broker(Config{});
//   MemoryPeer peer;
//   broker.accept(peer);
//   peer.to_broker = connect_packet("a");
//   broker.serve({&peer, 1});
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "auth/gate.hpp"
#include "base/budget.hpp"
#include "base/memory_budget.hpp"
#include "memory_wire.hpp"
#include "no_store.hpp"
#include "shard/shard.hpp"

namespace linnet::bench {

class MemoryBroker {
 public:
  explicit MemoryBroker(const Config& config);
  MemoryBroker(const MemoryBroker&) = delete;
  MemoryBroker& operator=(const MemoryBroker&) = delete;
  ~MemoryBroker() = default;

  /// A new link; `peer` outlives the broker.
  void accept(MemoryPeer& peer);
  /// Turns until all that these clients have sent is read, and all that follows from it is done.
  void serve(std::span<MemoryPeer* const> peers);
  /// From now on the work of each turn is counted.
  void count() noexcept { counts_ = true; }

 private:
  struct TurnClock final : Clock {
    std::uint64_t now = 1'000'000;
    [[nodiscard]] std::uint64_t now_ms() const noexcept override { return now; }
    [[nodiscard]] std::int64_t wall_ms() const noexcept override {
      return 1'790'000'000'000 + static_cast<std::int64_t>(now);
    }
  };
  /// Memory that never ends.
  struct NoProbe final : MemoryProbe {
    std::uint64_t resident_bytes() noexcept override { return 0; }
    void give_back() noexcept override {}
  };
  /// Nobody logs in.
  struct NoLogins final : auth::LoginQueue {
    bool remembers(const auth::LoginJob&) override { return false; }
    bool submit(auth::LoginJob) override { return false; }
    void squeeze(bool) override {}
  };

  [[nodiscard]] bool turn(std::span<MemoryPeer* const> peers);

  TurnClock clock_;
  NoProbe probe_;
  NoLogins logins_;
  NoStore store_;
  MemoryBudget memory_;
  net::ListenerTraits listener_{"memory://", true};
  shard::PostOffice post_;
  Budget connections_;
  Budget kept_sessions_;
  auth::Bans bans_;
  auth::Accounts accounts_{clock_};
  std::unique_ptr<shard::Shard> shard_;
  bool counts_ = false;
};

}  // namespace linnet::bench

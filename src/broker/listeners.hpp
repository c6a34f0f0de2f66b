// The listeners of a broker: opened at the start, and changed by reloads while the shards run.
//
//   Listeners listeners(accounts, bans, door_terms(config));
//   auto plan = listeners.prepare(config, shards, errors);    // opens and reads, changes nothing
//   if (!plan) return fail(errors);
//   auto tasks = listeners.commit(std::move(*plan), progress);
//   // each shard's thread runs its task; before that none of its acceptors changes
//
// A listener that stays keeps its sockets: its port is never closed. One whose settings change gets
// a new entrance for those who come from then on; the entrance of before is kept as long as there
// are links that came through it. So there are at most as many of them as links.
//
// prepare() and commit() by one thread at a time. It outlives the shards; clear() ends before.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/reload_diff.hpp"
#include "net/bind.hpp"
#include "shard/letter.hpp"
#include "shard/shard.hpp"
#include "tls/server_context.hpp"
#include "transport/acceptor.hpp"
#include "transport/door.hpp"
#include "transport/entrance.hpp"
#include <linnet/config.hpp>

namespace linnet {

using ListenerId = std::uint32_t;

/// One listener that is open.
struct OpenListener {
  ListenerId id = 0;
  ListenerConfig config;
  std::unique_ptr<transport::Entrance> entrance;
  net::BoundSockets sockets;  // the acceptors have taken the copies
};

/// What is ready to take the place of the listeners that there are. Dropping it closes what was
/// opened for it.
struct ListenerPlan {
  struct Next {
    ListenerConfig config;
    OpenListener* before = nullptr;                 // whose sockets it keeps; null: it is new
    std::unique_ptr<transport::Entrance> entrance;  // null: that of before
    net::BoundSockets sockets;                      // of a new one
  };
  std::vector<Next> all;
  std::uint64_t message_max = 0;  // of WebSocket
  ReloadDiff diff;

  ListenerPlan() = default;
  ListenerPlan(ListenerPlan&&) noexcept = default;
  ListenerPlan& operator=(ListenerPlan&&) = delete;
  /// What the contexts that stay have read again is forgotten, if it was not committed.
  ~ListenerPlan();

  /// Those that listeners have once the plan is true; before it is.
  [[nodiscard]] std::vector<const tls::ServerContext*> contexts() const;
};

/// What one shard has of the listeners; of its thread.
struct ShardListeners {
  ShardListeners(auth::Accounts& accounts, auth::Bans& bans, const transport::DoorTerms& terms)
      : keeper(accounts, bans, terms) {}

  shard::Shard* shard = nullptr;
  transport::DoorKeeper keeper;
  std::map<ListenerId, std::vector<std::unique_ptr<transport::Acceptor>>> acceptors;
};

class Listeners {
 public:
  Listeners() = default;
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  /// Before the first commit(), for each shard in order.
  void add(shard::Shard& shard, auth::Accounts& accounts, auth::Bans& bans,
           const transport::DoorTerms& terms);

  /// Checks all listeners of a configuration, reads their files again and binds those that are new,
  /// for `shards` threads. Nothing if there is any error; what a listener can't change while it is
  /// open is put back in the configuration.
  [[nodiscard]] std::unique_ptr<ListenerPlan> prepare(Config& config, std::uint32_t shards,
                                                      net::InheritedSockets& inherited,
                                                      std::vector<std::string>& errors);
  /// Makes the plan true, or throws std::bad_alloc and changes nothing. By shard, what its thread
  /// has still to do; `progress` tells when they have (null: before anything else is committed).
  [[nodiscard]] std::vector<std::unique_ptr<shard::SettingsTask>> commit(
      ListenerPlan& plan, const Config& config, const shard::ReloadProgressPtr& progress);

  /// Ends all acceptors. No shard may run.
  void clear();

  /// Any thread.
  [[nodiscard]] std::vector<std::string> addresses() const;

 private:
  struct Commit;
  struct Retired {
    ListenerId id = 0;
    std::unique_ptr<transport::Entrance> entrance;
    shard::ReloadProgressPtr progress;  // of the reload after which nobody comes any more
  };

  void match(std::vector<ListenerPlan::Next>& all);
  bool prepare_one(ListenerPlan& plan, ListenerPlan::Next& next, const Config& config,
                   std::string& error);
  bool bind(ListenerPlan::Next& next, std::uint32_t shards, net::InheritedSockets& inherited,
            std::string& error);
  void tell_of_the_gone(ListenerPlan& plan) const;
  void make_true(ListenerPlan& plan, Commit& made,
                 const shard::ReloadProgressPtr& progress) noexcept;
  void retire(ListenerId id, std::unique_ptr<transport::Entrance> entrance,
              const net::ListenerTraits& traits, const shard::ReloadProgressPtr& progress) noexcept;
  void bury();

  std::vector<std::unique_ptr<OpenListener>> open_;
  std::vector<Retired> retired_;
  std::vector<std::unique_ptr<ShardListeners>> shards_;
  ListenerId last_id_ = 0;
  std::uint64_t message_max_ = 0;
  mutable std::mutex mutex_;  // addresses_
  std::vector<std::string> addresses_;
};

}  // namespace linnet

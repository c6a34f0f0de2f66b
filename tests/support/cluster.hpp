// The small language of the shard tests: a whole broker of 1 to many shards, in one thread, over
// fake links, a fake store and a clock that only the test moves. No sockets, no sleeps.
//
//   Cluster c{{.shards = 2}};
//   auto& a = c.client("a").connects();                  // MQTT 5 unless .version(4) comes first
//   a.subscribes("x/#", qos1);                           // and waits for SUBACK
//   c.client("b").connects().publishes("x/y", "hi", {.qos = 1});
//   a.receives("x/y", "hi");
//   c.after(30s);
//
// Every call of a client lets the broker run until nothing is left to do, unless a shard is frozen
// or the store is held. What was expected and did not come is reported with the line of the test.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <random>

#include "base/budget.hpp"
#include "shard/shard.hpp"
#include "support/client.hpp"
#include "support/fake_logins.hpp"
#include "support/fake_store.hpp"

namespace linnet::test {

using namespace std::chrono_literals;

struct ClusterOptions {
  std::uint32_t shards = 1;
  Config config{};
  /// Not 0: whose turn it is, and how many bytes come at once, is drawn at random.
  std::uint64_t seed = 0;
};

class Cluster {
 public:
  explicit Cluster(ClusterOptions options = {});
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;
  ~Cluster();

  /// The client with this identifier; made when it is named first. Its links are accepted by the
  /// shard that Client::at() names, else by each shard in turn.
  Client& client(std::string_view client_id);
  /// One more client that uses the same identifier.
  Client& another(std::string_view client_id);

  [[nodiscard]] std::uint32_t shards() const noexcept { return options_.shards; }
  /// Never under pressure, unless a test forces it.
  [[nodiscard]] MemoryBudget& memory() noexcept { return memory_; }
  [[nodiscard]] FakeStore& store() noexcept { return *store_; }
  [[nodiscard]] shard::PostOffice& post() noexcept { return *post_; }
  [[nodiscard]] shard::Shard& shard(std::uint32_t id) noexcept { return *shards_[id]; }
  /// Of all shards together.
  [[nodiscard]] Counters counters() const;
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return clock_.now; }
  [[nodiscard]] std::uint64_t wall_s() const noexcept {
    return static_cast<std::uint64_t>(clock_.wall_ms()) / 1'000;
  }
  /// Somebody sets the wall clock: forwards, or back.
  void set_wall_clock(std::chrono::milliseconds by) noexcept { clock_.wall_offset += by.count(); }
  /// What all links come through; it allows anonymous clients, unless the test says otherwise.
  [[nodiscard]] net::ListenerTraits& listener() noexcept { return listener_; }
  [[nodiscard]] auth::Bans& bans() noexcept { return bans_; }
  [[nodiscard]] auth::Accounts& accounts() noexcept { return accounts_; }

  /// A name whose home is that shard: as client identifier, or as a topic's retained home.
  [[nodiscard]] std::string name_at(std::uint32_t shard, std::string_view prefix = "n") const;

  /// Runs until nobody has anything to do.
  void settle(Where where = Where::current());
  /// One turn of one shard alone; true if it did something.
  bool step(std::uint32_t shard);
  /// A frozen shard takes no turns, except by step(); its clock stands, too.
  void freeze(std::uint32_t shard) { frozen_[shard] = true; }
  void thaw(std::uint32_t shard, Where where = Where::current());
  /// Time goes by: each timer fires at its own time, and all is settled after each.
  void after(std::chrono::milliseconds time, Where where = Where::current());
  /// The broker ends without warning, and another one begins with what was committed: all links
  /// are cut, and what the writer had not taken is lost. Time stands still meanwhile, unless
  /// `downtime` says otherwise.
  struct Restart {
    std::uint32_t shards = 0;  // 0: as many as before
    std::chrono::milliseconds downtime{0};
  };
  void restart(Restart restart, Where where = Where::current());
  void restart(Where where = Where::current()) { restart(Restart{}, where); }
  /// New settings for all shards, as after a reload.
  void reload(Config config, Where where = Where::current());
  /// The same, without letting the broker run.
  void reload_quietly(Config config);
  [[nodiscard]] FakeLogins& logins() noexcept { return *logins_; }
  /// Asks all shards to stop.
  void stop(Where where = Where::current());
  [[nodiscard]] bool stopped() const;

  // For Client

  /// A new link that `shard` accepts.
  [[nodiscard]] Cable& open_link(std::uint32_t shard);
  /// The shard that a client without a wish connects to.
  [[nodiscard]] std::uint32_t next_shard() noexcept { return next_shard_++ % options_.shards; }

 private:
  void start();
  bool settle_once();
  bool settle_randomly();
  [[nodiscard]] std::size_t chunk();

  /// Knows of no memory in use.
  struct NoMemory final : MemoryProbe {
    std::uint64_t resident_bytes() noexcept override { return 0; }
    void give_back() noexcept override {}
  };

  ClusterOptions options_;
  NoMemory no_memory_;
  MemoryBudget memory_;
  TemporaryDirectory directory_;
  FakeClock clock_;
  std::mt19937_64 random_;
  net::ListenerTraits listener_;
  std::vector<std::unique_ptr<Cable>> cables_;
  std::unique_ptr<shard::PostOffice> post_;
  std::unique_ptr<FakeStore> store_;
  std::unique_ptr<Budget> connections_;
  std::unique_ptr<Budget> kept_sessions_;
  auth::Bans bans_;
  auth::Accounts accounts_{clock_};
  std::unique_ptr<FakeLogins> logins_;
  session::SettingsPtr settings_;
  std::vector<std::unique_ptr<shard::Shard>> shards_;
  std::vector<bool> frozen_;
  std::uint32_t next_shard_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::map<std::string, Client*, std::less<>> clients_by_id_;
};

}  // namespace linnet::test

// What a broker consists of, for the files of this room.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "auth/accounts.hpp"
#include "auth/bans.hpp"
#include "auth/secret.hpp"
#include "auth/verifier.hpp"
#include "base/budget.hpp"
#include "base/memory_budget.hpp"
#include "base/process_memory.hpp"
#include "broker/certificate_watch.hpp"
#include "broker/health.hpp"
#include "broker/listeners.hpp"
#include "broker/reload_command.hpp"
#include "broker/storage.hpp"
#include "control/admin_commands.hpp"
#include "net/background.hpp"
#include "net/inherited_sockets.hpp"
#include "session/settings.hpp"
#include "shard/post_office.hpp"
#include "shard/shard.hpp"
#include <linnet/broker.hpp>

namespace linnet {

struct Broker::Impl {
  explicit Impl(const Config& first)
      : memory(first.memory_max, process_memory),
        connections(first.limits.connections_max),
        kept_sessions(first.limits.sessions_max) {}

  /// Reads the policy's files and opens the listeners' sockets: who connects waits in the kernel's
  /// queue until accept().
  [[nodiscard]] bool prepare(Config config, std::string& error);
  [[nodiscard]] bool open_storage(std::string& error);
  void make_shards();
  void restore_sessions();
  void add_commands(control::Control& control);
  void accept();

  struct Reloaded;
  void try_reload(Config next, ReloadReport& report);
  void make_true(Reloaded next) noexcept;
  void wait_for(shard::ReloadProgress& progress) const;

  /// Asks all shards. Nothing if one of them has not answered in time. Any thread but the shards'.
  [[nodiscard]] std::optional<HealthFacts> health_facts(std::chrono::milliseconds patience);

  [[nodiscard]] const Config& config() const noexcept { return settings->config; }
  /// The same, for any thread.
  [[nodiscard]] session::SettingsPtr settings_now();

  Listeners listeners;
  net::Background lookups;  // its end may take long: after the store has written all
  auth::Accounts accounts;  // these three outlive all links
  auth::Bans bans;
  shard::PostOffice post;              // a letter may hold a link, whose channel is an entrance's
  std::unique_ptr<ListenerPlan> plan;  // between prepare() and accept()
  ReloadRequests requests;
  std::unique_ptr<control::AdminDoor> admin;  // outlives the control socket
  std::unique_ptr<Storage> storage;
  auth::Secret decoy_secret;
  ProcessMemory process_memory;
  MemoryBudget memory;
  Budget connections;
  Budget kept_sessions;
  session::SettingsPtr settings;             // after the start by `reloading` alone
  std::unique_ptr<auth::Verifier> verifier;  // posts to the shards
  std::vector<std::unique_ptr<shard::Shard>> shards;
  net::InheritedSockets inherited;
  CertificateWatch certificates;

  std::mutex asking;
  shard::RollCallPtr roll_call;  // that not all have answered yet; by `asking`

  std::mutex reloading;
  std::mutex settings_change;  // while `settings` becomes another one
  std::atomic<bool> abort{false};
  std::atomic<bool> ended{false};  // run() has returned: no letter is read any more
};

/// What the machine says where the configuration says nothing: without listeners, a broker serves
/// this machine.
void fill_in_defaults(Config& config);

}  // namespace linnet

// The composition root: the only place that sees everything. It makes the store, the shards, their
// listeners and threads, and ends them in order.
#include <algorithm>
#include <array>
#include <system_error>
#include <thread>
#include <utility>

#include "auth/decoy_secret.hpp"
#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/to_size.hpp"
#include "base/version.hpp"
#include "broker/broker_impl.hpp"
#include "broker/log_levels.hpp"
#include "control/ban_commands.hpp"
#include "shard/shard_thread.hpp"

namespace linnet {

namespace {

constexpr std::uint32_t kThreadsDefaultMax = 4;
constexpr std::array<std::string_view, 2> kDefaultUrls{"mqtt://127.0.0.1:1883",
                                                       "ws://127.0.0.1:8083/mqtt"};

std::uint32_t shard_count(const Config& config) {
  if (config.threads != 0) return std::min(config.threads, router::kShardsMax);
  return std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsDefaultMax);
}

/// With little memory, less waits between the threads.
MailboxLimits mailbox_limits(const Config& config) {
  constexpr std::uint64_t kPart = 32;
  const Limits& limits = config.limits;
  return {limits.mailbox_messages_max,
          to_size(std::min(limits.mailbox_bytes_max, config.memory_max / kPart))};
}

}  // namespace

void fill_in_defaults(Config& config) {
  config.memory_max = memory_limit(config.memory_max);
  if (!config.listeners.empty()) return;
  for (const std::string_view url : kDefaultUrls)
    config.listeners.emplace_back().url = url;
}

bool Broker::Impl::prepare(Config config, std::string& error) {
  if (config.socket_activation) inherited = net::InheritedSockets::from_environment();
  std::vector<std::string> errors;
  auto policy = auth::Policy::load(config.auth, errors);
  if (policy) plan = listeners.prepare(config, shard_count(config), inherited, errors);
  if (!plan) {
    for (const std::string& one : errors)
      error += cat(error.empty() ? "" : "\n", one);
    return false;
  }
  settings = new session::Settings(std::move(config), std::move(policy));
  return true;
}

bool Broker::Impl::open_storage(std::string& error) {
  storage = Storage::open(config(), shard_count(config()), post, error);
  if (!storage) return false;
  decoy_secret = storage->persistent() ? auth::load_decoy_secret(storage->directory())
                                       : auth::make_decoy_secret();
  return true;
}

void Broker::Impl::make_shards() {
  const std::uint32_t count = shard_count(config());
  const std::uint64_t now_ms = SystemClock().now_ms();
  const AuthConfig& auth = config().auth;
  accounts.set_burst(static_cast<std::uint64_t>(config().rates.burst.count()));
  verifier = std::make_unique<auth::Verifier>(post, auth::VerifierLimits{auth.login_queue_max},
                                              auth.logins_remembered);
  const shard::Common common{
      settings,
      post,
      storage->store(),
      connections,
      kept_sessions,
      memory,
      {*verifier, bans, accounts, system_clock(), &lookups, decoy_secret.view()},
      &certificates};
  for (std::uint32_t id = 0; id < count; ++id) {
    shards.push_back(std::make_unique<shard::Shard>(id, count, common, now_ms));
    listeners.add(*shards.back(), accounts, bans, transport::door_terms(config()));
    post.add(shards.back()->reactor(), mailbox_limits(config()));
  }
}

/// Before the first listener accepts, all that kept sessions subscribe to is known everywhere.
void Broker::Impl::restore_sessions() {
  const auto count = static_cast<std::uint32_t>(shards.size());
  storage->store().load_sessions([&](const store::StoredSession& session) {
    shards[home_of(session.client_id, count)]->restore(session);
  });
  // A turn that only posts letters looks like an idle one: so two of them in a row.
  for (int idle = 0; idle < 2; ++idle) {
    for (const auto& shard : shards) {
      if (shard->work()) idle = -1;
    }
  }
  storage->start([this](control::Control& control) { add_commands(control); });
}

void Broker::Impl::add_commands(control::Control& control) {
  control::add_ban_commands(control, bans);
  requests.add_to(control);
  add_log_command(control);
  const control::AdminDoor door{post,
                                storage->store(),
                                memory,
                                connections,
                                kept_sessions,
                                storage->directory(),
                                SystemClock().now_ms(),
                                [this] { return listeners.addresses(); },
                                [this] { return settings_now(); }};
  admin = std::make_unique<control::AdminDoor>(door);
  control::add_admin_commands(control, *admin);
}

session::SettingsPtr Broker::Impl::settings_now() {
  const std::lock_guard lock(settings_change);
  return settings;
}

void Broker::Impl::accept() {
  auto contexts = plan->contexts();
  for (const auto& task : listeners.commit(*plan, config(), nullptr))
    task->run();
  plan.reset();
  certificates.use(std::move(contexts));
}

Broker::Broker(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Broker::~Broker() {
  impl_->listeners.clear();
  impl_->certificates.stop();
  impl_->verifier.reset();  // before the mailboxes that it posts to
  for (const auto& shard : impl_->shards)
    shard->end();
  impl_->storage.reset();  // its writer answers the shards to the last
  impl_->shards.clear();
}

std::unique_ptr<Broker> Broker::open(Config config, std::string& error,
                                     const BeforeStore& before_store) {
  fill_in_defaults(config);
  try {
    auto impl = std::make_unique<Impl>(config);
    if (!impl->prepare(std::move(config), error)) return nullptr;
    // What others may have written into the store is not read with more rights than needed.
    if (before_store && !before_store(error)) return nullptr;
    if (!impl->open_storage(error)) return nullptr;
    impl->make_shards();
    impl->restore_sessions();
    std::unique_ptr<Broker> broker(new Broker(std::move(impl)));
    broker->impl_->accept();
    if (const auto complaint = broker->impl_->inherited.complaint(); !complaint.empty()) {
      log::warn("broker", complaint);
    }
    broker->impl_->certificates.start(broker->impl_->shards.front()->reactor().timers());
    return broker;
  } catch (const std::system_error& failure) {
    error = cat("the system refused to start: ", std::string_view(failure.what()));
    return nullptr;
  }
}

void Broker::run() {
  Impl& impl = *impl_;
  log::info("broker", cat("Linnet ", kVersion, " runs with ", impl.shards.size(),
                          impl.shards.size() == 1 ? " thread" : " threads"));
  std::vector<std::thread> threads;
  for (std::size_t id = 1; id < impl.shards.size(); ++id) {
    threads.emplace_back([&impl, id] { shard::run(*impl.shards[id], impl.abort); });
  }
  for (const std::string& address : impl.listeners.addresses()) {
    log::info("broker", cat("listening on ", address));
  }
  log::info("broker", "ready");
  shard::run(*impl.shards.front(), impl.abort);
  for (std::thread& thread : threads)
    thread.join();
  impl.ended = true;
  log::info("broker", "stopped");
}

void Broker::request_stop() noexcept {
  for (shard::ShardId id = 0; id < impl_->post.shards(); ++id) {
    impl_->post.mailbox(id).post(shard::StopLetter{});
  }
}

void Broker::stop_now() noexcept {
  impl_->abort.store(true, std::memory_order_relaxed);
  for (const auto& shard : impl_->shards)
    shard->reactor().wake();
}

std::vector<std::string> Broker::addresses() const {
  return impl_->listeners.addresses();
}

}  // namespace linnet

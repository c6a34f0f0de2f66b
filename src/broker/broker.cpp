// The composition root: the only place that sees everything. It makes the store, the shards, their
// listeners and threads, and ends them in order.
#include <algorithm>
#include <array>
#include <atomic>
#include <system_error>
#include <thread>
#include <utility>

#include "auth/verifier.hpp"
#include "auth/accounts.hpp"
#include "auth/bans.hpp"
#include "base/budget.hpp"
#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/process_memory.hpp"
#include "base/version.hpp"
#include "broker/certificate_watch.hpp"
#include "broker/listener_check.hpp"
#include "broker/storage.hpp"
#include "control/ban_commands.hpp"
#include "net/bind.hpp"
#include "net/url.hpp"
#include "shard/shard_thread.hpp"
#include "transport/acceptor.hpp"
#include <linnet/broker.hpp>

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
  return {limits.mailbox_messages_max, static_cast<std::size_t>(std::min(
                                           limits.mailbox_bytes_max, config.memory_max / kPart))};
}

Config with_memory(Config config) {
  config.memory_max = memory_limit(config.memory_max);
  return config;
}

}  // namespace

struct Broker::Impl {
  explicit Impl(Config all)
      : config(with_memory(std::move(all))),
        memory(config.memory_max, process_memory),
        connections(config.limits.connections_max),
        kept_sessions(config.limits.sessions_max) {}

  [[nodiscard]] bool load_policy(std::string& error);
  [[nodiscard]] bool open_storage(std::string& error);
  void make_shards();
  void restore_sessions();
  [[nodiscard]] bool bind(const ListenerConfig& listener, std::string& error);
  void accept();
  void stop_accepting();

  // Constant after open()
  Config config;
  std::vector<std::unique_ptr<transport::Entrance>> entrances;
  auth::Accounts accounts;  // these three outlive all links
  auth::Bans bans;
  std::vector<std::unique_ptr<transport::DoorKeeper>> door_keepers;  // by shard
  shard::PostOffice post;  // a letter may hold a link, whose channel is an entrance's
  std::unique_ptr<Storage> storage;
  ProcessMemory process_memory;
  MemoryBudget memory;
  Budget connections;
  Budget kept_sessions;
  session::SettingsPtr settings;
  std::unique_ptr<auth::Verifier> verifier;  // posts to the shards
  std::vector<std::unique_ptr<shard::Shard>> shards;
  /// By shard; used by its thread.
  std::vector<std::vector<std::unique_ptr<transport::Acceptor>>> acceptors;
  std::vector<std::string> addresses;
  std::vector<net::BoundSockets> sockets;  // by entrance; the acceptors have taken the copies
  net::InheritedSockets inherited;
  CertificateWatch certificates;

  std::atomic<bool> abort{false};
};

bool Broker::Impl::load_policy(std::string& error) {
  std::vector<std::string> errors;
  auto policy = auth::Policy::load(config.auth, errors);
  if (!policy) {
    error = errors.front();
    return false;
  }
  settings = new session::Settings(config, std::move(policy));
  return true;
}

bool Broker::Impl::open_storage(std::string& error) {
  storage = Storage::open(config, shard_count(config), post, error);
  return storage != nullptr;
}

void Broker::Impl::make_shards() {
  const std::uint32_t count = shard_count(config);
  const std::uint64_t now_ms = SystemClock().now_ms();
  const AuthConfig& auth = config.auth;
  accounts.set_burst(static_cast<std::uint64_t>(config.rates.burst.count()));
  verifier = std::make_unique<auth::Verifier>(
      post, auth::VerifierLimits{auth.login_queue_max}, auth.logins_remembered);
  const shard::Common common{settings,
                             post,
                             storage->store(),
                             connections,
                             kept_sessions,
                             memory,
                             {*verifier, bans, accounts},
                             &certificates};
  for (std::uint32_t id = 0; id < count; ++id) {
    door_keepers.push_back(
        std::make_unique<transport::DoorKeeper>(accounts, bans, transport::door_terms(config)));
    shards.push_back(std::make_unique<shard::Shard>(id, count, common, now_ms));
    post.add(shards.back()->reactor(), mailbox_limits(config));
  }
  acceptors.resize(count);
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
  storage->start([this](control::Control& control) { control::add_ban_commands(control, bans); });
}

/// Opens the sockets; until accept() who connects waits in the kernel's queue.
bool Broker::Impl::bind(const ListenerConfig& listener, std::string& error) {
  if (auto wrong = listener_error(listener, config.tls)) {
    error = std::move(*wrong);
    return false;
  }
  const auto url = net::parse_url(listener.url);
  net::BindOptions options = bind_options(listener);
  options.inherited = &inherited;
  auto bound = net::bind_sockets(*url, shard_count(config), options);
  if (!bound) {
    error = bound.error().text;
    return false;
  }
  constexpr std::uint64_t kUnsentPart = 1024;
  constexpr std::uint64_t kUnsentMin = 16 << 10;
  constexpr std::uint64_t kUnsentMax = 256 << 10;
  const auto unsent = std::clamp(config.memory_max / kUnsentPart, kUnsentMin, kUnsentMax);
  net::limit_unsent(*bound, static_cast<std::uint32_t>(unsent));
  auto opened = transport::open_entrance(listener, bound->url, config.limits, error);
  if (!opened) return false;
  const transport::Entrance& entrance = *entrances.emplace_back(std::move(opened));
  addresses.push_back(entrance.traits.url);
  if (entrance.tls) certificates.add(*entrance.tls);
  sockets.push_back(std::move(*bound));
  return true;
}

void Broker::Impl::accept() {
  for (std::size_t at = 0; at < entrances.size(); ++at) {
    for (std::size_t shard = 0; shard < shards.size(); ++shard) {
      for (net::FileDescriptor& socket : std::exchange(sockets[at].copies[shard], {})) {
        acceptors[shard].push_back(std::make_unique<transport::Acceptor>(
            std::move(socket), *entrances[at], *shards[shard], *door_keepers[shard]));
      }
    }
  }
}

Broker::Broker(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Broker::~Broker() {
  impl_->acceptors.clear();
  impl_->certificates.stop();
  impl_->verifier.reset();  // before the mailboxes that it posts to
  for (const auto& shard : impl_->shards)
    shard->end();
  impl_->storage.reset();  // its writer answers the shards to the last
  impl_->shards.clear();
}

std::unique_ptr<Broker> Broker::open(Config config, std::string& error,
                                     const BeforeStore& before_store) {
  if (config.listeners.empty()) {
    for (const std::string_view url : kDefaultUrls) {
      ListenerConfig& listener = config.listeners.emplace_back();
      listener.url = url;
    }
  }
  try {
    auto impl = std::make_unique<Impl>(std::move(config));
    if (impl->config.socket_activation) {
      impl->inherited = net::InheritedSockets::from_environment();
    }
    if (!impl->load_policy(error)) return nullptr;
    for (const ListenerConfig& listener : impl->config.listeners) {
      if (!impl->bind(listener, error)) return nullptr;
    }
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
  for (const std::string& address : impl.addresses) {
    log::info("broker", cat("listening on ", address));
  }
  log::info("broker", "ready");
  shard::run(*impl.shards.front(), impl.abort);
  for (std::thread& thread : threads)
    thread.join();
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

bool Broker::reload_certificates() {
  bool all = true;
  for (const auto& entrance : impl_->entrances) {
    if (!entrance->tls) continue;
    std::string error;
    if (entrance->tls->reload(error)) {
      log::info("tls", cat(entrance->traits.url, ": certificates are read again"));
    } else {
      all = false;
      log::error("tls", cat(entrance->traits.url, ": ", error,
                            "; new connections still get the certificates of before"));
    }
  }
  impl_->certificates.warn();
  return all;
}

std::vector<std::string> Broker::addresses() const {
  return impl_->addresses;
}

}  // namespace linnet

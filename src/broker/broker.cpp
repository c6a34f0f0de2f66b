// The composition root: the only place that sees everything. It makes the store, the shards, their
// listeners and threads, and ends them in order.
#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <utility>

#include "base/budget.hpp"
#include "base/cat.hpp"
#include "base/clock.hpp"
#include "base/hash.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "broker/listener_check.hpp"
#include "broker/storage.hpp"
#include "net/bind.hpp"
#include "net/url.hpp"
#include "shard/shard_thread.hpp"
#include "transport/acceptor.hpp"
#include <linnet/broker.hpp>

namespace linnet {

namespace {

constexpr std::uint32_t kThreadsDefaultMax = 4;
constexpr std::string_view kDefaultUrl = "mqtt://127.0.0.1:1883";

std::uint32_t shard_count(const Config& config) {
  if (config.threads != 0) return std::min(config.threads, router::kShardsMax);
  return std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsDefaultMax);
}

MailboxLimits mailbox_limits(const Limits& limits) {
  return {limits.mailbox_messages_max, limits.mailbox_bytes_max};
}

}  // namespace

struct Broker::Impl {
  explicit Impl(Config settings)
      : config(std::move(settings)),
        connections(config.limits.connections_max),
        kept_sessions(config.limits.sessions_max) {}

  [[nodiscard]] bool open_storage(std::string& error);
  void make_shards();
  void restore_sessions();
  [[nodiscard]] bool listen(const ListenerConfig& listener, std::string& error);
  void stop_accepting();

  // Constant after open()
  Config config;
  shard::PostOffice post;
  std::unique_ptr<Storage> storage;
  Budget connections;
  Budget kept_sessions;
  std::vector<std::unique_ptr<net::ListenerTraits>> traits;
  std::vector<std::unique_ptr<shard::Shard>> shards;
  /// By shard; used by its thread.
  std::vector<std::vector<std::unique_ptr<transport::Acceptor>>> acceptors;
  std::vector<std::string> addresses;

  std::atomic<bool> abort{false};
};

bool Broker::Impl::open_storage(std::string& error) {
  storage = Storage::open(config, shard_count(config), post, error);
  return storage != nullptr;
}

void Broker::Impl::make_shards() {
  const std::uint32_t count = shard_count(config);
  const std::uint64_t now_ms = SystemClock().now_ms();
  const shard::Common common{config, post, storage->store(), connections, kept_sessions};
  for (std::uint32_t id = 0; id < count; ++id) {
    shards.push_back(std::make_unique<shard::Shard>(id, count, common, now_ms));
    post.add(shards.back()->reactor(), mailbox_limits(config.limits));
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
  storage->start();
}

bool Broker::Impl::listen(const ListenerConfig& listener, std::string& error) {
  if (auto wrong = listener_error(listener)) {
    error = std::move(*wrong);
    return false;
  }
  const auto url = net::parse_url(listener.url);
  const bool allow_anonymous = listener.allow_anonymous || net::is_loopback(*url);
  auto bound = net::bind_sockets(*url, static_cast<unsigned>(shards.size()));
  if (!bound) {
    error = bound.error().text;
    return false;
  }
  addresses.push_back(bound->url.text());
  traits.push_back(std::make_unique<net::ListenerTraits>());
  traits.back()->url = addresses.back();
  traits.back()->allow_anonymous = allow_anonymous;
  for (std::size_t shard = 0; shard < shards.size(); ++shard) {
    for (net::FileDescriptor& socket : bound->copies[shard]) {
      acceptors[shard].push_back(
          std::make_unique<transport::Acceptor>(std::move(socket), *traits.back(), *shards[shard]));
    }
  }
  return true;
}

Broker::Broker(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Broker::~Broker() {
  impl_->acceptors.clear();
  for (const auto& shard : impl_->shards)
    shard->end();
  impl_->storage.reset();  // its writer answers the shards to the last
  impl_->shards.clear();
}

std::unique_ptr<Broker> Broker::open(Config config, std::string& error) {
  if (config.listeners.empty()) config.listeners.push_back({std::string(kDefaultUrl), true});
  try {
    auto impl = std::make_unique<Impl>(std::move(config));
    if (!impl->open_storage(error)) return nullptr;
    impl->make_shards();
    impl->restore_sessions();
    std::unique_ptr<Broker> broker(new Broker(std::move(impl)));
    for (const ListenerConfig& listener : broker->impl_->config.listeners) {
      if (!broker->impl_->listen(listener, error)) return nullptr;
    }
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

std::vector<std::string> Broker::addresses() const {
  return impl_->addresses;
}

}  // namespace linnet

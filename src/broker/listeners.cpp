#include "broker/listeners.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <utility>

#include "base/cat.hpp"
#include "base/log.hpp"
#include "broker/listener_check.hpp"
#include "net/url.hpp"

namespace linnet {

namespace {

/// What changes at one shard, run by its thread.
class ShardChange final : public shard::SettingsTask {
 public:
  struct Step {
    ListenerId id = 0;
    const transport::Entrance* entrance = nullptr;  // null: the listener is gone
    std::vector<net::FileDescriptor> sockets;       // of a new one
  };

  /// There will be no more than this many steps.
  ShardChange(ShardListeners& listeners, const transport::DoorTerms& terms, std::size_t steps)
      : listeners_(listeners), terms_(terms) {
    steps_.reserve(steps);
  }

  void add(Step step) noexcept { steps_.push_back(std::move(step)); }

  void run() override {
    listeners_.keeper.terms = terms_;
    for (Step& step : steps_) {
      if (step.entrance == nullptr) {
        listeners_.acceptors.erase(step.id);
        continue;
      }
      for (const auto& acceptor : listeners_.acceptors[step.id])
        acceptor->use(*step.entrance);
      for (net::FileDescriptor& socket : step.sockets)
        accept_on(std::move(socket), step);
    }
  }

 private:
  void accept_on(net::FileDescriptor socket, const Step& step) {
    try {
      listeners_.acceptors[step.id].push_back(std::make_unique<transport::Acceptor>(
          std::move(socket), *step.entrance, *listeners_.shard, listeners_.keeper));
    } catch (const std::system_error& failure) {
      log::error("broker", cat(step.entrance->traits.url, " can't be watched by one thread: ",
                               std::string_view(failure.what())));
    }
  }

  ShardListeners& listeners_;
  const transport::DoorTerms terms_;
  std::vector<Step> steps_;
};

std::uint64_t message_max_of(const Limits& limits) noexcept {
  return std::max<std::uint64_t>(limits.websocket_message_max, limits.packet_size_max);
}

/// With little memory, the kernel keeps less for who does not read, in bytes.
std::uint32_t unsent_max(const Config& config) noexcept {
  constexpr std::uint64_t kPart = 1024;
  constexpr std::uint64_t kMin = 16 << 10;
  constexpr std::uint64_t kMax = 256 << 10;
  return static_cast<std::uint32_t>(std::clamp(config.memory_max / kPart, kMin, kMax));
}

}  // namespace

ListenerPlan::~ListenerPlan() {
  for (const Next& next : all) {
    if (next.before != nullptr && next.before->entrance->tls) next.before->entrance->tls->forget();
  }
}

std::vector<const tls::ServerContext*> ListenerPlan::contexts() const {
  std::vector<const tls::ServerContext*> contexts;
  for (const Next& next : all) {
    const auto& entrance = next.entrance ? next.entrance : next.before->entrance;
    if (entrance->tls) contexts.push_back(entrance->tls.get());
  }
  return contexts;
}

void Listeners::add(shard::Shard& shard, auth::Accounts& accounts, auth::Bans& bans,
                    const transport::DoorTerms& terms) {
  shards_.push_back(std::make_unique<ShardListeners>(accounts, bans, terms));
  shards_.back()->shard = &shard;
}

void Listeners::clear() {
  for (const auto& shard : shards_)
    shard->acceptors.clear();
}

/// Finds for each what it goes on from: the listener of the same URL, else the one at its place.
void Listeners::match(std::vector<ListenerPlan::Next>& all) {
  const auto find = [&](ListenerPlan::Next& next, auto fits) {
    for (const auto& open : open_) {
      const bool taken = std::ranges::any_of(
          all, [&](const ListenerPlan::Next& other) { return other.before == open.get(); });
      if (!taken && fits(*open)) {
        next.before = open.get();
        return;
      }
    }
  };
  for (ListenerPlan::Next& next : all)
    find(next, [&](const OpenListener& open) { return open.config.url == next.config.url; });
  for (ListenerPlan::Next& next : all) {
    const auto url = net::parse_url(next.config.url);
    if (next.before != nullptr || !url) continue;
    find(next, [&](const OpenListener& open) {
      const auto other = net::parse_url(open.config.url);
      return other && same_place(*url, *other);
    });
  }
}

std::unique_ptr<ListenerPlan> Listeners::prepare(Config& config, std::uint32_t shards,
                                                 net::InheritedSockets& inherited,
                                                 std::vector<std::string>& errors) {
  bury();
  auto plan = std::make_unique<ListenerPlan>();
  plan->message_max = message_max_of(config.limits);
  for (const ListenerConfig& listener : config.listeners)
    plan->all.emplace_back().config = listener;
  match(plan->all);
  bool ok = true;
  const auto check = [&](bool good, std::string& error) {
    if (!good) errors.push_back(std::move(error));
    ok = ok && good;
  };
  for (ListenerPlan::Next& next : plan->all) {
    std::string error;
    check(prepare_one(*plan, next, config, error), error);
  }
  if (!ok) return nullptr;
  for (ListenerPlan::Next& next : plan->all) {
    std::string error;
    if (next.before != nullptr) continue;
    check(bind(next, shards, inherited, error), error);
    net::limit_unsent(next.sockets, unsent_max(config));
  }
  if (!ok) return nullptr;
  tell_of_the_gone(*plan);
  for (std::size_t at = 0; at < plan->all.size(); ++at)
    config.listeners[at] = plan->all[at].config;
  return plan;
}

/// The entrance, or what that of before reads again.
bool Listeners::prepare_one(ListenerPlan& plan, ListenerPlan::Next& next, const Config& config,
                            std::string& error) {
  if (auto wrong = listener_error(next.config, config.tls, config.auth)) {
    error = std::move(*wrong);
    return false;
  }
  net::Url url = *net::parse_url(next.config.url);
  if (OpenListener* before = next.before) {
    ReloadDiff diff = compare(before->config, next.config);
    tls::ServerContext* const tls = before->entrance->tls.get();
    const bool same_web = !before->entrance->web || plan.message_max == message_max_;
    const bool same = next.config == before->config && same_web;
    if (tls != nullptr) {
      diff.changed.push_back(cat("listener ", next.config.url, ": certificates are read again"));
    }
    plan.diff.append(std::move(diff));
    if (same) {
      if (tls == nullptr || tls->prepare(error)) return true;
      error = cat(before->entrance->traits.url, ": ", error);
      return false;
    }
    url.port = before->sockets.url.port;
  }
  next.entrance = transport::open_entrance(next.config, url, config.limits, error);
  return next.entrance != nullptr;
}

bool Listeners::bind(ListenerPlan::Next& next, std::uint32_t shards,
                     net::InheritedSockets& inherited, std::string& error) {
  const net::Url url = *net::parse_url(next.config.url);
  net::BindOptions options = bind_options(next.config);
  options.inherited = &inherited;
  auto bound = net::bind_sockets(url, shards, options);
  if (bound) {
    next.entrance->traits.url = bound->url.text();
    next.sockets = std::move(*bound);
    return true;
  }
  error = bound.error().text;
  if (bound.error().code != std::errc::address_in_use || url.port == 0) return false;
  for (const auto& open : open_) {
    if (open->sockets.url.port != url.port) continue;
    error = cat(url.text(), " can't be opened while ", open->entrance->traits.url,
                " has the port: change the address by a restart, or take away the old listener by "
                "one reload and add the new one by the next");
  }
  return false;
}

void Listeners::tell_of_the_gone(ListenerPlan& plan) const {
  for (const ListenerPlan::Next& next : plan.all) {
    if (next.before != nullptr) continue;
    plan.diff.changed.push_back(cat("listener ", next.entrance->traits.url, ": is new"));
  }
  for (const auto& open : open_) {
    const bool stays = std::ranges::any_of(
        plan.all, [&](const ListenerPlan::Next& next) { return next.before == open.get(); });
    if (stays) continue;
    plan.diff.changed.push_back(
        cat("listener ", open->entrance->traits.url, ": is closed; its connections stay"));
  }
}

/// All that can fail, before anything changes.
struct Listeners::Commit {
  Commit(Listeners& listeners, const ListenerPlan& plan, const Config& config) {
    const std::size_t steps = plan.all.size() + listeners.open_.size();
    tasks.reserve(listeners.shards_.size());
    for (const auto& shard : listeners.shards_) {
      auto change = std::make_unique<ShardChange>(*shard, transport::door_terms(config), steps);
      changes.push_back(change.get());
      tasks.push_back(std::move(change));
    }
    open.reserve(plan.all.size());
    addresses.reserve(plan.all.size());
    for (const ListenerPlan::Next& next : plan.all) {
      if (next.before == nullptr) fresh.push_back(std::make_unique<OpenListener>());
      const auto& entrance = next.entrance ? next.entrance : next.before->entrance;
      addresses.push_back(entrance->traits.url);
    }
    listeners.retired_.reserve(listeners.retired_.size() + listeners.open_.size());
  }

  std::vector<std::unique_ptr<shard::SettingsTask>> tasks;
  std::vector<ShardChange*> changes;  // the same
  std::vector<std::unique_ptr<OpenListener>> open;
  std::vector<std::unique_ptr<OpenListener>> fresh;  // for those that are new
  std::vector<std::string> addresses;
};

std::vector<std::unique_ptr<shard::SettingsTask>> Listeners::commit(
    ListenerPlan& plan, const Config& config, const shard::ReloadProgressPtr& progress) {
  Commit next(*this, plan, config);
  make_true(plan, next, progress);
  return std::move(next.tasks);
}

void Listeners::make_true(ListenerPlan& plan, Commit& made,
                          const shard::ReloadProgressPtr& progress) noexcept {
  for (ListenerPlan::Next& next : plan.all) {
    const bool is_new = next.before == nullptr;
    auto& from = is_new
                     ? made.fresh.back()
                     : *std::ranges::find(open_, next.before, &std::unique_ptr<OpenListener>::get);
    made.open.push_back(std::move(from));
    if (is_new) made.fresh.pop_back();
    OpenListener& listener = *made.open.back();
    listener.config = std::move(next.config);
    if (is_new) {
      listener.id = ++last_id_;
      listener.sockets = std::move(next.sockets);
    } else if (next.entrance) {
      retire(listener.id, std::move(listener.entrance), next.entrance->traits, progress);
    } else if (listener.entrance->tls) {
      listener.entrance->tls->commit();
    }
    if (!next.entrance) continue;
    listener.entrance = std::move(next.entrance);
    for (std::size_t shard = 0; shard < made.changes.size(); ++shard) {
      std::vector<net::FileDescriptor> sockets;
      if (is_new) sockets.swap(listener.sockets.copies[shard]);
      made.changes[shard]->add({listener.id, listener.entrance.get(), std::move(sockets)});
    }
  }
  plan.all.clear();
  message_max_ = plan.message_max;
  open_.swap(made.open);
  for (auto& gone : made.open) {
    if (!gone) continue;
    for (ShardChange* change : made.changes)
      change->add({gone->id, nullptr, {}});
    const net::ListenerTraits& last = gone->entrance->traits;
    retire(gone->id, std::move(gone->entrance), last, progress);
  }
  const std::lock_guard lock(mutex_);
  addresses_.swap(made.addresses);
}

/// Those who came before are judged by what their listener says now, which may be its last word.
void Listeners::retire(ListenerId id, std::unique_ptr<transport::Entrance> entrance,
                       const net::ListenerTraits& traits,
                       const shard::ReloadProgressPtr& progress) noexcept {
  retired_.push_back({id, std::move(entrance), progress});  // there is room, see Commit
  for (const Retired& retired : retired_) {
    if (retired.id != id) continue;
    net::ListenerTraits& old = retired.entrance->traits;
    old.allow_anonymous = traits.allow_anonymous.load();
    old.local = traits.local.load();
  }
}

/// Forgets the entrances that nobody comes through any more, nor has come.
void Listeners::bury() {
  std::erase_if(retired_, [](const Retired& retired) {
    const bool left = retired.progress && retired.progress->wait(std::chrono::milliseconds(0));
    return left && retired.entrance->traits.links.load(std::memory_order_acquire) == 0;
  });
}

std::vector<std::string> Listeners::addresses() const {
  const std::lock_guard lock(mutex_);
  return addresses_;
}

}  // namespace linnet

#include "support/cluster.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "base/log.hpp"

namespace linnet::test {

namespace {

/// So many rounds without rest are a loop.
constexpr int kRoundsMax = 100'000;

session::SettingsPtr settings_of(const Config& config) {
  std::vector<std::string> errors;
  auto policy = auth::Policy::load(config.auth, errors);
  for (const std::string& error : errors)
    ADD_FAILURE() << error;
  return new session::Settings(config, std::move(policy));
}

}  // namespace

Cluster::Cluster(ClusterOptions options)
    : options_(std::move(options)),
      memory_(options_.config.memory_max == 0 ? std::uint64_t{1} << 40 : options_.config.memory_max,
              no_memory_),
      random_(options_.seed),
      listener_{"fake://", true} {
  log::set_level(log::Level::off);
  start();
}

void Cluster::start() {
  const Limits& limits = options_.config.limits;
  post_ = std::make_unique<shard::PostOffice>();
  store_ = std::make_unique<FakeStore>(
      FakeStoreOptions{options_.shards, limits.retained_messages_max, limits.retained_bytes_max},
      directory_.path(), clock_, *post_);
  connections_ = std::make_unique<Budget>(limits.connections_max);
  kept_sessions_ = std::make_unique<Budget>(limits.sessions_max);
  frozen_.assign(options_.shards, false);
  logins_ = std::make_unique<FakeLogins>(*post_);
  settings_ = settings_of(options_.config);
  const shard::Common common{settings_,
                             *post_,
                             *store_,
                             *connections_,
                             *kept_sessions_,
                             memory_,
                             {*logins_, bans_, accounts_, clock_}};
  for (std::uint32_t id = 0; id < options_.shards; ++id) {
    shards_.push_back(std::make_unique<shard::Shard>(id, options_.shards, common, clock_.now));
    post_->add(shards_.back()->reactor(), {limits.mailbox_messages_max, limits.mailbox_bytes_max});
  }
  store_->load_sessions([this](const store::StoredSession& session) {
    shards_[home_of(session.client_id, options_.shards)]->restore(session);
  });
}

void Cluster::restart(Restart restart, Where where) {
  shards_.clear();
  store_.reset();
  if (restart.shards != 0) options_.shards = restart.shards;
  // The monotonic clock tells nothing of the time between.
  constexpr std::int64_t kJump = 1'000'000;
  clock_.now += kJump;
  clock_.wall_offset += restart.downtime.count() - kJump;
  start();
  settle(where);
}

Cluster::~Cluster() {
  shards_.clear();
}

Client& Cluster::client(std::string_view client_id) {
  const auto found = clients_by_id_.find(client_id);
  if (found != clients_by_id_.end()) return *found->second;
  Client& made = another(client_id);
  clients_by_id_.emplace(client_id, &made);
  return made;
}

Client& Cluster::another(std::string_view client_id) {
  return *clients_.emplace_back(std::make_unique<Client>(*this, client_id));
}

Counters Cluster::counters() const {
  Counters sum;
  for (const auto& shard : shards_)
    sum += shard->counters();
  return sum;
}

std::string Cluster::name_at(std::uint32_t shard, std::string_view prefix) const {
  for (int number = 0;; ++number) {
    std::string name = std::string(prefix) + std::to_string(number);
    if (home_of(name, options_.shards) == shard) return name;
  }
}

Cable& Cluster::open_link(std::uint32_t shard) {
  Cable& cable = *cables_.emplace_back(std::make_unique<Cable>());
  shards_[shard]->accept(std::make_unique<FakeLink>(cable, listener_, shards_[shard]->reactor()));
  return cable;
}

std::size_t Cluster::chunk() {
  if (options_.seed == 0) return SIZE_MAX;
  return random_() % 8 == 0 ? 1 + random_() % 40 : SIZE_MAX;
}

bool Cluster::step(std::uint32_t id) {
  shard::Shard& shard = *shards_[id];
  shard.timers().advance(clock_.now);
  bool done = false;
  // A link may be opened meanwhile, so not by iterator.
  for (std::size_t at = 0; at < cables_.size(); ++at) {
    FakeLink* link = cables_[at]->link;
    if (link != nullptr && link->is_in(shard.reactor()) && link->serve(chunk())) done = true;
  }
  const bool busy = shard.reactor().busy() || shard.wait_ms() == 0;
  if (shard.work()) done = true;
  if (shard.reactor().busy()) done = true;
  shard.reactor().flush();
  return done || busy;
}

bool Cluster::settle_once() {
  bool done = false;
  for (std::uint32_t id = 0; id < shards_.size(); ++id) {
    if (!frozen_[id] && step(id)) done = true;
  }
  while (store_->step())
    done = true;
  while (logins_->step())
    done = true;
  for (const auto& client : clients_) {
    if (client->read()) done = true;
  }
  return done;
}

/// Somebody's turn, drawn at random; false if it seems that all are idle.
bool Cluster::settle_randomly() {
  bool done = false;
  for (std::size_t turn = 0; turn < shards_.size() + clients_.size() + 1; ++turn) {
    const auto who = random_() % (2 * shards_.size() + 2 + clients_.size());
    if (who < 2 * shards_.size()) {
      const auto id = static_cast<std::uint32_t>(who / 2);
      if (!frozen_[id] && step(id)) done = true;
    } else if (who == 2 * shards_.size()) {
      if (store_->step()) done = true;
    } else if (who == 2 * shards_.size() + 1) {
      if (logins_->step()) done = true;
    } else if (clients_[who - 2 * shards_.size() - 2]->read()) {
      done = true;
    }
  }
  return done || settle_once();
}

void Cluster::settle(Where where) {
  for (int round = 0; round < kRoundsMax; ++round) {
    if (!(options_.seed != 0 ? settle_randomly() : settle_once())) return;
  }
  ADD_FAILURE_AT(where.file, where.line) << "the broker does not come to rest";
}

void Cluster::thaw(std::uint32_t shard, Where where) {
  frozen_[shard] = false;
  settle(where);
}

void Cluster::after(std::chrono::milliseconds time, Where where) {
  settle(where);
  const std::uint64_t end = clock_.now + static_cast<std::uint64_t>(time.count());
  while (clock_.now < end) {
    std::uint64_t next = end;
    for (std::uint32_t id = 0; id < shards_.size(); ++id) {
      if (!frozen_[id]) next = std::min(next, shards_[id]->timers().next_ms().value_or(end));
    }
    clock_.now = std::max(clock_.now + 1, next);
    settle(where);
  }
}

void Cluster::reload(Config config, Where where) {
  reload_quietly(std::move(config));
  settle(where);
}

void Cluster::reload_quietly(Config config) {
  options_.config = std::move(config);
  settings_ = settings_of(options_.config);
  for (std::uint32_t id = 0; id < options_.shards; ++id) {
    post_->mailbox(id).post(shard::SettingsLetter{settings_, nullptr});
  }
}

void Cluster::stop(Where where) {
  for (std::uint32_t id = 0; id < shards_.size(); ++id) {
    post_->mailbox(id).post(shard::StopLetter{});
  }
  settle(where);
}

bool Cluster::stopped() const {
  return std::all_of(shards_.begin(), shards_.end(),
                     [](const auto& shard) { return shard->stopped(); });
}

}  // namespace linnet::test

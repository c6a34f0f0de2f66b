#include "memory_broker.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <utility>

#include "base/log.hpp"
#include "work_meter.hpp"

namespace linnet::bench {

namespace {

/// So many turns without rest are a loop.
constexpr int kTurnsMax = 10'000;

session::SettingsPtr settings_of(const Config& config) {
  std::vector<std::string> errors;
  auto policy = auth::Policy::load(config.auth, errors);
  if (!errors.empty()) fail(errors.front());
  return new session::Settings(config, std::move(policy));
}

}  // namespace

MemoryBroker::MemoryBroker(const Config& config)
    : memory_(std::uint64_t{1} << 40, probe_),
      connections_(config.limits.connections_max),
      kept_sessions_(config.limits.sessions_max) {
  log::set_level(log::Level::off);
  const shard::Common common{settings_of(config),
                             post_,
                             store_,
                             connections_,
                             kept_sessions_,
                             memory_,
                             {logins_, bans_, accounts_, clock_}};
  shard_ = std::make_unique<shard::Shard>(0, 1, common, clock_.now);
  post_.add(shard_->reactor(),
            {config.limits.mailbox_messages_max, config.limits.mailbox_bytes_max});
}

void MemoryBroker::accept(MemoryPeer& peer) {
  // The reactor wants a descriptor to look at; nothing ever happens on this one.
  net::FileDescriptor quiet(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (quiet.get() < 0) fail_errno("no descriptor for a link");
  auto link = std::make_unique<transport::SocketLink>(std::move(quiet), net::Endpoint(), listener_,
                                                      shard_->reactor());
  link->use(std::make_unique<MemoryWire>(peer));
  peer.link = link.get();
  shard_->accept(std::move(link));
}

void MemoryBroker::serve(std::span<MemoryPeer* const> peers) {
  for (int turns = 0; turns < kTurnsMax; ++turns) {
    ++clock_.now;
    if (counts_) WorkMeter::start();
    const bool goes_on = turn(peers);
    if (counts_) WorkMeter::stop();
    bool read = true;
    for (const MemoryPeer* peer : peers) {
      if (peer->link == nullptr) fail("the broker has closed a link");
      read = read && peer->to_broker.empty();
    }
    if (read && !goes_on) return;
  }
  fail("the broker does not come to rest");
}

/// One turn of the loop, as shard::run() has it. False if nothing is left to do without the peers.
bool MemoryBroker::turn(std::span<MemoryPeer* const> peers) {
  shard_->timers().advance(clock_.now);
  for (MemoryPeer* peer : peers) {
    if (!peer->to_broker.empty()) peer->link->on_ready(EPOLLIN);
  }
  shard_->work();
  shard_->reactor().flush();
  return shard_->reactor().busy() || shard_->wait_ms() == 0;
}

}  // namespace linnet::bench

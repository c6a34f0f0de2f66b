// What there is to know about how a broker is: its shards, its store, its memory, its certificates.
#include <algorithm>
#include <ctime>
#include <utility>

#include "broker/broker_impl.hpp"

namespace linnet {

namespace {

Usage usage_of(const Budget& budget, std::uint32_t max) noexcept {
  const std::int64_t used = std::int64_t{max} - budget.left();
  return {static_cast<std::uint64_t>(std::max(used, std::int64_t{0})), max};
}

}  // namespace

std::optional<HealthFacts> Broker::Impl::health_facts(std::chrono::milliseconds patience) {
  const std::lock_guard lock(asking);
  // A shard that hangs must not find a heap of questions when it goes on: there is one at a time.
  if (!roll_call) {
    roll_call = new shard::RollCall(post.shards());
    for (shard::ShardId id = 0; id < post.shards(); ++id)
      post.mailbox(id).post(shard::RollCallLetter{roll_call});
  }
  if (!roll_call->wait(patience)) return std::nullopt;
  const shard::RollCallPtr answered = std::exchange(roll_call, nullptr);
  const Limits& limits = answered->settings().config.limits;
  const store::StoreFigures figures = storage->store().figures();
  HealthFacts facts;
  facts.clients = answered->counters().clients_connected;
  facts.connections = usage_of(connections, limits.connections_max);
  facts.sessions = usage_of(kept_sessions, limits.sessions_max);
  facts.store = {figures.used_bytes, limits.store_size_max};
  facts.alarm = figures.alarm;
  facts.pressure = memory.level();
  facts.memory_used = used_text(memory);
  facts.now = std::time(nullptr);
  for (tls::CertificateFacts& one : certificates.facts())
    facts.certificates.push_back({std::move(one.file), one.not_after});
  return facts;
}

std::optional<std::string> Broker::health(std::chrono::milliseconds patience) {
  const auto facts = impl_->health_facts(patience);
  if (!facts) return std::nullopt;
  return health_line(*facts);
}

}  // namespace linnet

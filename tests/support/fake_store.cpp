#include "support/fake_store.hpp"

#include <algorithm>

#include "base/cat.hpp"

namespace linnet::test {

namespace {

std::string_view name_of(store::OutgoingState state) {
  switch (state) {
    case store::OutgoingState::queued: return "queued";
    case store::OutgoingState::sent: return "sent";
    case store::OutgoingState::released: return "released";
  }
  return "?";
}

struct Describe {
  std::string operator()(const store::PutSession& put) const {
    return cat("PutSession ", put.client_id, " expiry=", put.expiry_s,
               put.connected ? " connected" : " away");
  }
  std::string operator()(const store::EraseSession& erase) const {
    return cat("EraseSession ", erase.client_id);
  }
  std::string operator()(const store::PutSubscription& put) const {
    return cat("PutSubscription ", put.client_id, " ", put.filter);
  }
  std::string operator()(const store::EraseSubscription& erase) const {
    return cat("EraseSubscription ", erase.client_id, " ", erase.filter);
  }
  std::string operator()(const store::PutOutgoing& put) const {
    return cat("PutOutgoing ", put.client_id, " #", put.sequence, " ", name_of(put.state),
               " id=", put.packet_id);
  }
  std::string operator()(const store::EraseOutgoing& erase) const {
    return cat("EraseOutgoing ", erase.client_id, " #", erase.sequence);
  }
  std::string operator()(const store::PutReceived& put) const {
    return cat("PutReceived ", put.client_id, " id=", put.packet_id);
  }
  std::string operator()(const store::EraseReceived& erase) const {
    return cat("EraseReceived ", erase.client_id, " id=", erase.packet_id);
  }
  std::string operator()(const store::PutRetained& put) const {
    return cat("PutRetained ", put.message->topic(), " ", put.message->payload());
  }
};

}  // namespace

void FakeStore::submit(store::Request request) {
  for (const auto& change : request.changes)
    asked_.push_back(std::visit(Describe{}, change));
  Entry entry;
  entry.shard = request.shard;
  entry.request = std::move(request);
  queue_.push_back(std::move(entry));
}

void FakeStore::submit(const store::Seal& seal) {
  Entry entry;
  entry.shard = seal.shard;
  entry.is_seal = true;
  entry.seal = seal;
  queue_.push_back(std::move(entry));
}

void FakeStore::reorder(std::uint64_t seed) {
  reorders_ = true;
  random_.seed(seed);
}

std::size_t FakeStore::count(std::string_view words) const {
  return static_cast<std::size_t>(
      std::count_if(asked_.begin(), asked_.end(),
                    [&](const std::string& one) { return one.starts_with(words); }));
}

/// The first entry of a shard that is drawn; without reordering the first of all.
std::size_t FakeStore::choose() {
  if (!reorders_) return 0;
  const std::uint32_t shard = queue_[random_() % queue_.size()].shard;
  for (std::size_t at = 0;; ++at) {
    if (queue_[at].shard == shard) return at;
  }
}

bool FakeStore::refuses() noexcept {
  if (refusals_ == 0) return false;
  --refusals_;
  return true;
}

bool FakeStore::step() {
  if (queue_.empty() || (held_ && allowed_ == 0)) return false;
  if (held_) --allowed_;
  const auto at = queue_.begin() + static_cast<std::ptrdiff_t>(choose());
  Entry entry = std::move(*at);
  queue_.erase(at);
  apply(std::move(entry));
  return true;
}

void FakeStore::apply(Entry entry) {
  if (entry.is_seal) {
    if (refuses()) entry.seal.give_up = true;
    return inner_.submit(entry.seal);
  }
  const bool alone = entry.request.unit == 0 && entry.request.ticket != 0;
  if (alone && refuses()) {
    return sink_.answer(entry.shard, {entry.request.ticket, store::Outcome::full});
  }
  inner_.submit(std::move(entry.request));
}

}  // namespace linnet::test
